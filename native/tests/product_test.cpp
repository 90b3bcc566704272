// Products of many odd shapes against plain loops in double precision.
#include "check.h"

using namespace chainrule;

namespace {

long padded(long n) { return (n + 15) / 16 * 16; }

template <class T>
void compare(const Product<T>& p, const std::vector<T>& before, const std::vector<T>& out, const std::string& what) {
    for (long r = 0; r < p.rows; ++r)
        for (long c = 0; c < p.columns; ++c) {
            double sum = p.bias ? double(p.bias[c]) : 0.0, size = std::fabs(sum);
            for (long k = 0; k < p.depth; ++k) {
                const double a = double(p.a_transposed ? p.a[k * p.a_stride + r] : p.a[r * p.a_stride + k]);
                const double b = double(p.b_form == BForm::transposed ? p.b[c * p.b_stride + k] : p.b[k * p.b_stride + c]);
                sum += a * b;
                size += std::fabs(a * b);
            }
            const size_t at = size_t(r * p.out_stride + c);
            if (p.accumulate) sum += double(before[at]), size += std::fabs(double(before[at]));
            if (p.relu && sum < 0) sum = 0;
            if (p.relu_mask && !(p.relu_mask[r * p.relu_mask_stride + c] > 0)) sum = 0;
            // A sum of n products, each rounded once: n + 2 units in the last place of the sum of their sizes.
            const double bound = double(p.depth + 2) * size * (sizeof(T) == 4 ? 6e-8 : 1.2e-16);
            CHECK(std::fabs(double(out[at]) - sum) <= bound, "%s %ldx%ldx%ld at %ld, %ld: %g is not %g", what.c_str(), p.rows,
                  p.columns, p.depth, r, c, double(out[at]), sum);
        }
    // Nothing is written past the end of an array that isn't padded.
    if (!p.out_is_padded)
        for (size_t i = size_t((p.rows - 1) * p.out_stride + p.columns); i < out.size(); ++i)
            CHECK(out[i] == before[i], "%s wrote past its end", what.c_str());
}

template <class T>
void test_shape(const Kernels<T>& kernels, long rows, long columns, long depth) {
    const auto a = random_numbers<T>(size_t((padded(rows) + 16) * (padded(depth) + 16)), 1);
    const auto b = random_numbers<T>(size_t((padded(columns) + 16) * (padded(depth) + 16)), 2);
    const auto bias = random_numbers<T>(size_t(columns), 3);
    const auto mask = random_numbers<T>(size_t(rows * padded(columns)), 4);
    const auto before = random_numbers<T>(size_t((rows + 1) * padded(columns)), 5);
    std::vector<T> scratch(size_t(depth * kernels.panel_columns + 64));
    const long panels = (columns + kernels.panel_columns - 1) / kernels.panel_columns;
    auto run = [&](Product<T> p, const char* what) {
        std::vector<T> out = before;
        p.rows = rows, p.columns = columns, p.depth = depth;
        p.a = a.data(), p.b = b.data(), p.out = out.data();
        kernels.product(p, 0, panels, 0, rows, scratch.data());
        compare(p, before, out, what);
        // The same numbers, bit for bit, when the work is divided.
        std::vector<T> parts = before;
        p.out = parts.data();
        for (long panel = 0; panel < panels; ++panel)
            for (long row = 0; row < rows; row += 5)
                kernels.product(p, panel, panel + 1, row, row + 5 < rows ? row + 5 : rows, scratch.data());
        p.out = nullptr;
        CHECK(parts == out, "%s gives other numbers in parts", what);
    };

    Product<T> forward;
    forward.a_stride = depth;
    forward.b_stride = columns;
    forward.b_form = BForm::unpadded;
    forward.out_stride = padded(columns);
    forward.bias = bias.data();
    run(forward, "forward");
    forward.relu = true;
    forward.b_form = BForm::packed;
    run(forward, "forward, packed, relu");

    Product<T> back;
    back.a_stride = padded(depth);
    back.b_stride = depth;
    back.b_form = BForm::transposed;
    back.out_stride = padded(columns);
    run(back, "back");
    back.relu_mask = mask.data();
    back.relu_mask_stride = padded(columns);
    run(back, "back, masked");
    back.relu_mask = nullptr;
    back.accumulate = true;
    back.b_stride = depth + 3;
    run(back, "back, added");

    Product<T> weights;
    weights.a_transposed = true;
    weights.a_stride = padded(rows);
    weights.b_stride = padded(columns);
    weights.out_stride = columns;
    weights.out_is_padded = false;
    run(weights, "weight gradient");
}

template <class T>
void test_shapes() {
    const Kernels<T>& kernels = kernels_of<T>(current_set());
    const long sizes[] = {1, 2, 3, 5, 7, 8, 9, 15, 16, 17, 31, 33, 40, 65};
    for (long rows : sizes)
        for (long columns : sizes)
            for (long depth : {1L, 2L, 7L, 16L, 19L, 64L}) test_shape(kernels, rows, columns, depth);
    test_shape(kernels, 130, 200, 300);
}

}  // namespace

int main() {
    on_every_set([](const std::string&) {
        test_shapes<float>();
        test_shapes<double>();
    });
}
