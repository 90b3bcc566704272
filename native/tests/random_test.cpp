// Philox's published vectors, dropout's factors, row orders.
#include <algorithm>

#include "check.h"
#include "core/permutation.h"

using namespace chainrule;

namespace {

void test_words() {
    uint64_t keys[2];
    current_set().random_keys(0, 0, 0, 0, 0, 2, keys);
    CHECK(keys[0] == 0x6627e8d5e169c58dULL && keys[1] == 0xbc57ac4c9b00dbd8ULL, "%llx %llx", (unsigned long long)keys[0],
          (unsigned long long)keys[1]);
    // Counter and key of all ones, from the vectors published with the generator.
    uint64_t last[2];
    current_set().random_keys(~0ULL, ~0U, ~0U, ~0U, 2ULL * 0xffffffff, 2ULL * 0xffffffff + 2, last);
    CHECK(last[0] == 0x408f276d41c83b0eULL && last[1] == 0xa20bc7c66d5451fdULL, "%llx %llx", (unsigned long long)last[0],
          (unsigned long long)last[1]);
}

template <class T>
void test_factors() {
    const Kernels<T>& kernels = kernels_of<T>(current_set());
    const long rows = 23, columns = 19, stride = 32;
    std::vector<T> whole(size_t(rows * stride)), parts(whole.size());
    const DropoutCall call{12345, 7, 2, 1, uint32_t(0.3 * 4294967296.0), columns};
    kernels.keep_factors(call, T(2), whole.data(), stride, 0, rows);
    for (long row = 0; row < rows; row += 4) kernels.keep_factors(call, T(2), parts.data(), stride, row, std::min(rows, row + 4));
    CHECK(whole == parts, "factors depend on how rows are divided");
    std::vector<uint64_t> keys(size_t(rows * columns + 1) / 2);
    current_set().random_keys(12345, 7, 2, 1, 0, keys.size(), keys.data());
    for (long e = 0; e < rows * columns; ++e) {
        const uint32_t word = uint32_t(keys[size_t(e / 2)] >> (e % 2 ? 0 : 32));
        const T factor = whole[size_t(e / columns * stride + e % columns)];
        CHECK(factor == (word >= call.threshold ? T(2) : T(0)), "element %ld", e);
    }
}

void test_permutation() {
    for (int64_t n : {1, 2, 5, 64, 1000, 70000}) {
        std::vector<int64_t> order(static_cast<size_t>(n)), expected(order.size());
        permutation(n, 99, 3, ~0U, 2, order.data());
        std::vector<uint64_t> keys(order.size());
        current_set().random_keys(99, 3, ~0U, 2, 0, uint64_t(n), keys.data());
        for (size_t i = 0; i < order.size(); ++i) expected[i] = int64_t(i);
        std::stable_sort(expected.begin(), expected.end(),
                         [&](int64_t a, int64_t b) { return keys[size_t(a)] < keys[size_t(b)]; });
        CHECK(order == expected, "%lld rows", (long long)n);
    }
    const std::vector<int64_t> documented = {3, 4, 0, 2, 1};
    std::vector<int64_t> order(5);
    permutation(5, 0, 0, ~0U, 0, order.data());
    CHECK(order == documented, "the order that random.py documents");
}

}  // namespace

int main() {
    on_every_set([](const std::string&) {
        test_words();
        test_factors<float>();
        test_factors<double>();
        test_permutation();
    });
}
