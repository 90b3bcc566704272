// y = scale x, a factor for each unit.
#include "core/executor.h"

namespace chainrule {
namespace {

enum Array { factors };

template <class T>
ScaleCall<T> scale_call(const Work<T>& work) {
    const Matrix<T> x = work.input();
    ScaleCall<T> call;
    call.rows = work.rows();
    call.columns = x.width;
    call.scale = work.array(factors);
    call.x = x.numbers;
    call.x_stride = x.stride;
    return call;
}

template <class T>
void forward(const Work<T>& work) {
    ScaleCall<T> call = scale_call(work);
    const Matrix<T> y = work.output();
    call.y = y.numbers;
    call.y_stride = y.stride;
    share_rows(work.team, work.stop(), call.rows, call.columns,
               [&](long begin, long end) { work.kernels().scale_forward(call, begin, end); });
}

template <class T>
void backward(const Work<T>& work) {
    ScaleCall<T> call = scale_call(work);
    const Matrix<T> delta = work.d_output();
    call.y = delta.numbers;
    call.y_stride = delta.stride;
    if (work.plan().writes_gradient) call.scale_gradient = work.d_array(factors);
    share_columns(work.team, work.stop(), call.rows, call.columns, 4, work.kernels().lanes,
                  [&](long begin, long end) { work.kernels().scale_backward(call, begin, end); });
}

bool overwrites(const Step&, Mode mode) { return mode == Mode::inference; }  // the way back reads the input

constexpr StepKind row() {
    StepKind kind;
    kind.name = "scale";
    kind.spans = {SpanRule{"scale"}};
    kind.overwrites = overwrites;
    kind.delta_in_place = true;
    kind.float32 = {forward<float>, backward<float>};
    kind.float64 = {forward<double>, backward<double>};
    return kind;
}

}  // namespace

extern const StepKind scale;
const StepKind scale = row();

}  // namespace chainrule
