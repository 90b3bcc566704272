// A random part of the units is silent in training: y = m x / (1 - rate). The factors are kept for the way back.
#include "core/executor.h"

namespace chainrule {
namespace {

template <class T>
void forward(const Work<T>& work) {
    const double rate = work.number();
    const Matrix<T> x = work.input(), y = work.output();
    const Place& place = work.place;
    const DropoutCall call{place.seed, place.step, uint32_t(work.index), place.member, uint32_t(rate * 4294967296.0), y.width,
                           place.first_row};
    const T kept = T(1 / (1 - rate));
    share_rows(work.team, work.stop(), work.rows(), 8 * y.width, [&](long begin, long end) {
        work.kernels().keep_factors(call, kept, work.extra(), y.stride, begin, end);
        work.kernels().multiply(x.numbers, work.extra(), y.numbers, y.stride, y.width, begin, end);
    });
}

template <class T>
void backward(const Work<T>& work) {
    if (!work.extra()) return;
    const Matrix<T> delta = work.d_output();
    share_rows(work.team, work.stop(), work.rows(), delta.width, [&](long begin, long end) {
        work.kernels().multiply(delta.numbers, work.extra(), delta.numbers, delta.stride, delta.width, begin, end);
    });
}

bool is_rate(double rate) { return rate >= 0 && rate < 1; }
bool passes_on(const Step& step, Mode mode) { return mode != Mode::training || step.numbers[0] == 0; }
long extra(const Step& step, Mode mode, long rows, const Shape& shape) { return passes_on(step, mode) ? 0 : rows * shape.stride; }

constexpr StepKind row() {
    StepKind kind;
    kind.name = "dropout";
    kind.numbers = {NumberRule{"rate", 0, is_rate, true}};
    kind.passes_on = passes_on;
    kind.extra = extra;
    kind.delta_in_place = true;
    kind.float32 = {forward<float>, backward<float>};
    kind.float64 = {forward<double>, backward<double>};
    return kind;
}

}  // namespace

extern const StepKind dropout;
const StepKind dropout = row();

}  // namespace chainrule
