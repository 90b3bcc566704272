// Batch normalization, forward and backward, and its running statistics. Its own memory: mean and variance of the batch.
#include <algorithm>

#include "core/executor.h"

namespace chainrule {
namespace {

enum Array { scale, shift, mean, variance };
enum Setting { momentum, epsilon };

template <class T>
NormCall<T> norm_call(const Work<T>& work) {
    const Matrix<T> x = work.input();
    NormCall<T> call;
    call.rows = work.rows();
    call.columns = x.width;
    call.epsilon = T(work.step().numbers[epsilon]);
    call.x = x.numbers;
    call.x_stride = x.stride;
    call.scale = work.array(scale);
    call.shift = work.array(shift);
    if (work.extra()) {
        call.mean = work.extra();
        call.variance = work.extra() + rounded(call.columns, 16);
    } else {
        call.mean = const_cast<T*>(work.array(mean));  // only read
        call.variance = const_cast<T*>(work.array(variance));
        call.fixed_statistics = true;
    }
    return call;
}

template <class T>
void forward(const Work<T>& work) {
    NormCall<T> call = norm_call(work);
    const Matrix<T> y = work.output();
    const Kernels<T>& kernels = work.kernels();
    call.y = y.numbers;
    call.y_stride = y.stride;
    if (!call.fixed_statistics)
        share_columns(work.team, work.stop(), call.rows, call.columns, 4, kernels.lanes,
                      [&](long begin, long end) { kernels.norm_statistics(call, begin, end); });
    share_rows(work.team, work.stop(), call.rows, call.columns, [&](long begin, long end) { kernels.norm_forward(call, begin, end); });
}

template <class T>
void backward(const Work<T>& work) {
    NormCall<T> call = norm_call(work);
    const Matrix<T> delta = work.d_output();
    const Kernels<T>& kernels = work.kernels();
    call.y = delta.numbers;
    call.y_stride = delta.stride;
    if (work.plan().writes_gradient) {
        call.scale_gradient = work.d_array(scale);
        call.shift_gradient = work.d_array(shift);
    }
    share_columns(work.team, work.stop(), call.rows, call.columns, 4, kernels.lanes,
                  [&](long begin, long end) { kernels.norm_backward(call, begin, end); });
}

template <class T>
void follow(const Work<T>& work, T* state) {
    if (!work.extra()) return;
    const Step& step = work.step();
    const long width = work.output().width;
    const T *batch_mean = work.extra(), *batch_variance = batch_mean + rounded(width, 16);
    const T share = T(step.numbers[momentum]), rest = T(1 - step.numbers[momentum]);
    const T unbiased = T(double(work.rows()) / double(std::max(work.rows() - 1, 1L)));
    T *running_mean = state + step.spans[mean], *running_variance = state + step.spans[variance];
    for (long c = 0; c < width; ++c) {
        running_mean[c] = rest * running_mean[c] + share * batch_mean[c];
        running_variance[c] = rest * running_variance[c] + share * (batch_variance[c] * unbiased);
    }
}

bool is_share(double number) { return number >= 0 && number <= 1; }
bool is_positive(double number) { return number > 0; }
long extra(const Step&, Mode mode, long, const Shape& shape) { return mode == Mode::training ? 2 * rounded(shape.units, 16) : 0; }

constexpr StepKind row() {
    StepKind kind;
    kind.name = "batch_norm";
    kind.spans = {SpanRule{"scale"}, SpanRule{"shift"}, SpanRule{"mean", SpanRule::units, false, true},
                  SpanRule{"variance", SpanRule::units, false, true}};
    kind.numbers = {NumberRule{"momentum", 0.1, is_share}, NumberRule{"epsilon", 1e-5, is_positive}};
    kind.couples_rows = true;
    kind.extra = extra;
    kind.delta_in_place = true;
    kind.float32 = {forward<float>, backward<float>, follow<float>};
    kind.float64 = {forward<double>, backward<double>, follow<double>};
    return kind;
}

}  // namespace

extern const StepKind batch_norm;
const StepKind batch_norm = row();

}  // namespace chainrule
