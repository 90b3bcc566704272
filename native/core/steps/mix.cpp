// y = x1 + mix (x2 - x1), a place between two values for each unit.
#include "core/executor.h"

namespace chainrule {
namespace {

enum Array { mixes };

template <class T>
MixCall<T> mix_call(const Work<T>& work, const Matrix<T>& y) {
    MixCall<T> call;
    call.rows = work.rows();
    call.columns = y.width;
    call.mix = work.array(mixes);
    for (size_t k = 0; k < 2; ++k) {
        const Matrix<T> x = work.input(k);
        call.x[k] = x.numbers;
        call.x_stride[k] = x.stride;
    }
    call.y = y.numbers;
    call.y_stride = y.stride;
    return call;
}

template <class T>
void forward(const Work<T>& work) {
    const MixCall<T> call = mix_call(work, work.output());
    share_rows(work.team, work.stop(), call.rows, call.columns,
               [&](long begin, long end) { work.kernels().mix_forward(call, begin, end); });
}

// Where both inputs are one value, the second part is added to the first.
template <class T>
void backward(const Work<T>& work) {
    MixCall<T> call = mix_call(work, work.d_output());
    for (size_t k = 0; k < 2; ++k) {
        if (!work.plan().wanted[k]) continue;
        const Matrix<T> d = work.d_input(k);
        call.d_x[k] = d.numbers;
        call.d_stride[k] = d.stride;
        call.adds[k] = !work.plan().first[k];
    }
    if (work.plan().writes_gradient) call.mix_gradient = work.d_array(mixes);
    share_columns(work.team, work.stop(), call.rows, call.columns, 4, work.kernels().lanes,
                  [&](long begin, long end) { work.kernels().mix_backward(call, begin, end); });
}

constexpr StepKind row() {
    StepKind kind;
    kind.name = "mix";
    kind.many_inputs = true;
    kind.spans = {SpanRule{"mix"}};
    kind.writes_d_inputs = true;
    kind.float32 = {forward<float>, backward<float>};
    kind.float64 = {forward<double>, backward<double>};
    return kind;
}

}  // namespace

extern const StepKind mix;
const StepKind mix = row();

}  // namespace chainrule
