#include "core/permutation.h"

#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "core/dispatch.h"

namespace chainrule {
namespace {

constexpr int most_bits = 22;

// Sorted by `keys`; `Count` holds numbers up to n. The keys are spread evenly, so their highest bits sort them into about
// as many buckets as there are rows; what is left within a bucket is a step or two. Equal keys keep the order of the rows.
template <class Count>
void sort_rows(int64_t n, const uint64_t* keys, int64_t* order) {
    int bits = 1;
    while (bits < most_bits && (int64_t(1) << bits) < n) ++bits;
    auto bucket = [&](int64_t row) { return size_t(keys[row] >> (64 - bits)); };
    std::vector<Count> begin((size_t(1) << bits) + 1);
    for (int64_t row = 0; row < n; ++row) ++begin[bucket(row) + 1];
    for (size_t i = 1; i < begin.size(); ++i) begin[i] += begin[i - 1];
    for (int64_t row = 0; row < n; ++row) order[begin[bucket(row)]++] = row;
    for (int64_t i = 1; i < n; ++i) {
        const int64_t row = order[i];
        int64_t at = i;
        for (; at > 0 && keys[order[at - 1]] > keys[row]; --at) order[at] = order[at - 1];
        order[at] = row;
    }
}

}  // namespace

void permutation(int64_t n, uint64_t seed, uint32_t epoch, uint32_t stream, uint32_t member, int64_t* order) {
    if (n < 0 || n > int64_t(1) << 33) throw std::invalid_argument("a permutation of " + std::to_string(n) + " rows isn't possible");
    const std::unique_ptr<uint64_t[]> keys(new uint64_t[static_cast<size_t>(n)]);
    current_set().random_keys(seed, epoch, stream, member, 0, uint64_t(n), keys.get());
    if (n <= UINT32_MAX) sort_rows<uint32_t>(n, keys.get(), order);
    else sort_rows<int64_t>(n, keys.get(), order);
}

}  // namespace chainrule
