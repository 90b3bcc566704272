#include "core/permutation.h"

#include <algorithm>
#include <stdexcept>
#include <vector>

#include "core/dispatch.h"

namespace chainrule {
namespace {

struct Keyed {
    uint64_t key;
    int64_t row;
};

}  // namespace

// The keys are spread evenly, so their highest bits sort them into about as many buckets as there are rows; what is left
// within a bucket is a step or two. Equal keys keep the order of the rows.
void permutation(int64_t n, uint64_t seed, uint32_t epoch, uint32_t stream, uint32_t member, int64_t* order) {
    if (n < 0 || n > int64_t(1) << 33) throw std::invalid_argument("a permutation of " + std::to_string(n) + " rows isn't possible");
    int bits = 1;
    while (bits < 22 && (int64_t(1) << bits) < n) ++bits;
    std::vector<uint64_t> keys(static_cast<size_t>(n));
    current_set().random_keys(seed, epoch, stream, member, 0, uint64_t(n), keys.data());
    std::vector<int64_t> begin((size_t(1) << bits) + 1);
    for (uint64_t key : keys) ++begin[size_t(key >> (64 - bits)) + 1];
    for (size_t bucket = 1; bucket < begin.size(); ++bucket) begin[bucket] += begin[bucket - 1];
    std::vector<Keyed> sorted(keys.size());
    for (size_t row = 0; row < keys.size(); ++row) sorted[size_t(begin[size_t(keys[row] >> (64 - bits))]++)] = {keys[row], int64_t(row)};
    for (size_t i = 1; i < sorted.size(); ++i) {
        const Keyed moved = sorted[i];
        size_t at = i;
        for (; at > 0 && sorted[at - 1].key > moved.key; --at) sorted[at] = sorted[at - 1];
        sorted[at] = moved;
    }
    for (size_t i = 0; i < sorted.size(); ++i) order[i] = sorted[i].row;
}

}  // namespace chainrule
