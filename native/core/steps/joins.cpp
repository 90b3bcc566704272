// Steps that only move numbers: sums of values, values side by side, and rows whose shape alone changes. Going back, the delta
// is handed on as it is.
#include "core/executor.h"

namespace chainrule {
namespace {

template <class T>
void sum(const Work<T>& work) {
    const Matrix<T> y = work.output();
    for (size_t k = 0; k < work.step().inputs.size(); ++k) {
        const Matrix<T> x = work.input(k);
        auto pass = k == 0 ? work.kernels().copy : work.kernels().add;
        share_rows(work.team, work.stop(), work.rows(), x.width, [&](long begin, long end) {
            pass(x.numbers, x.stride, y.numbers, y.stride, x.width, begin, end);
        });
    }
}

template <class T>
void side_by_side(const Work<T>& work) {
    const Matrix<T> y = work.output();
    T* to = y.numbers;
    for (size_t k = 0; k < work.step().inputs.size(); ++k) {
        const Matrix<T> x = work.input(k);
        share_rows(work.team, work.stop(), work.rows(), x.width, [&](long begin, long end) {
            work.kernels().copy(x.numbers, x.stride, to, y.stride, x.width, begin, end);
        });
        to += x.width;
    }
}

bool always(const Step&, Mode) { return true; }

constexpr StepKind add_row() {
    StepKind kind;
    kind.name = "add";
    kind.many_inputs = true;
    kind.float32 = {sum<float>};
    kind.float64 = {sum<double>};
    return kind;
}

constexpr StepKind concatenate_row() {
    StepKind kind;
    kind.name = "concatenate";
    kind.many_inputs = true;
    kind.width = Width::sum_of_inputs;
    kind.float32 = {side_by_side<float>};
    kind.float64 = {side_by_side<double>};
    return kind;
}

constexpr StepKind flatten_row() {
    StepKind kind;
    kind.name = "flatten";
    kind.passes_on = always;
    kind.delta_in_place = true;
    return kind;
}

}  // namespace

extern const StepKind add, concatenate, flatten;
const StepKind add = add_row(), concatenate = concatenate_row(), flatten = flatten_row();

}  // namespace chainrule
