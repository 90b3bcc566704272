// Codes as rows of zeros with a one: `size` units for each, as many as the output's width says. Codes have no gradient.
#include <algorithm>
#include <cmath>

#include "core/executor.h"

namespace chainrule {
namespace {

// A code outside of them makes zeros, and never touches other memory.
template <class T>
void forward(const Work<T>& work) {
    const Matrix<T> y = work.output();
    const long count = work.input().width, size = y.width / count;
    const int64_t first = int64_t(work.step().numbers[0]);
    share_rows(work.team, work.stop(), work.rows(), y.width, [&](long begin, long end) {
        for (long r = begin; r < end; ++r) {
            const int32_t* codes = work.codes(r);
            T* row = y.row(r);
            std::fill_n(row, y.width, T(0));
            for (long k = 0; k < count; ++k) {
                const int64_t unit = int64_t(codes[k]) - first;
                if (unit >= 0 && unit < size) row[k * size + unit] = T(1);
            }
        }
    });
}

bool is_code(double number) { return number == std::floor(number) && std::fabs(number) <= 2147483648.0; }

constexpr StepKind row() {
    StepKind kind;
    kind.name = "one_hot";
    kind.reads_codes = true;
    kind.width = Width::multiple_of_input;
    kind.numbers = {NumberRule{"first", 0, is_code}};
    kind.float32 = {forward<float>};
    kind.float64 = {forward<double>};
    return kind;
}

}  // namespace

extern const StepKind one_hot;
const StepKind one_hot = row();

}  // namespace chainrule
