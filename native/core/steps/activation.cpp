// h = f(z), in place where nobody needs z any more.
#include <cmath>

#include "core/executor.h"

namespace chainrule {
namespace {

template <class T>
void forward(const Work<T>& work) {
    const Matrix<T> z = work.input(), h = work.output();
    const ActivationCall<T> call{work.step().function, T(work.step().numbers[0]), h.width, z.numbers, z.stride, h.numbers, h.stride};
    share_rows(work.team, work.stop(), work.rows(), 8 * h.width,
               [&](long begin, long end) { work.kernels().activate(call, begin, end); });
}

template <class T>
void backward(const Work<T>& work) {
    const Step& step = work.step();
    if (work.plan().derivative_done || step.function == Activation::linear) return;
    const Matrix<T> from = derivative_reads_output(step.function) ? work.output() : work.input(), delta = work.d_output();
    const ActivationCall<T> call{step.function, T(step.numbers[0]), delta.width, from.numbers, from.stride, delta.numbers, delta.stride};
    share_rows(work.team, work.stop(), work.rows(), 8 * delta.width,
               [&](long begin, long end) { work.kernels().activate_backward(call, begin, end); });
}

bool is_finite(double number) { return std::isfinite(number); }
bool passes_on(const Step& step, Mode) { return step.function == Activation::linear; }
bool keeps_output(const Step& step, Mode mode) { return mode != Mode::inference && derivative_reads_output(step.function); }
bool overwrites(const Step& step, Mode mode) { return mode == Mode::inference || derivative_reads_output(step.function); }

constexpr StepKind row() {
    StepKind kind;
    kind.name = "activation";
    kind.has_function = true;
    kind.numbers = {NumberRule{"parameter", 0, is_finite}};
    kind.passes_on = passes_on;
    kind.overwrites = overwrites;
    kind.keeps_output = keeps_output;
    kind.delta_in_place = true;
    kind.float32 = {forward<float>, backward<float>};
    kind.float64 = {forward<double>, backward<double>};
    return kind;
}

}  // namespace

extern const StepKind activation;
const StepKind activation = row();

}  // namespace chainrule
