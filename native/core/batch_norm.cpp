// Batch normalization, forward and backward, and its running statistics.
#include "core/executor.h"

#include <algorithm>

namespace chainrule {

template <class T>
NormCall<T> Executor<T>::norm_call(size_t i, const T* parameters, const T* state) const {
    const Step& step = program_.steps[i];
    const size_t in = size_t(step.inputs[0]);
    NormCall<T> call;
    call.rows = rows_;
    call.columns = plan_.slots[in].width;
    call.epsilon = T(step.epsilon);
    call.x = values_[in];
    call.x_stride = plan_.slots[in].stride;
    call.scale = parameters + step.scale;
    call.shift = parameters + step.shift;
    if (extras_[i]) {
        call.mean = extras_[i];
        call.variance = extras_[i] + rounded(call.columns, 16);
    } else {
        call.mean = const_cast<T*>(state + step.mean);  // only read
        call.variance = const_cast<T*>(state + step.variance);
        call.fixed_statistics = true;
    }
    return call;
}

template <class T>
void Executor<T>::forward_norm(size_t i, const T* parameters, const T* state, Team& team) {
    NormCall<T> call = norm_call(i, parameters, state);
    const size_t out = size_t(program_.steps[i].output);
    call.y = values_[out];
    call.y_stride = plan_.slots[out].stride;
    if (!call.fixed_statistics)
        share_columns(team, stop_, rows_, call.columns, 4, kernels_.lanes,
                      [&](long begin, long end) { kernels_.norm_statistics(call, begin, end); });
    share_rows(team, stop_, rows_, call.columns, [&](long begin, long end) { kernels_.norm_forward(call, begin, end); });
}

template <class T>
void Executor<T>::backward_norm(size_t i, const T* parameters, const T* state, T* gradient, Team& team) {
    const Step& step = program_.steps[i];
    NormCall<T> call = norm_call(i, parameters, state);
    call.y = deltas_[size_t(step.output)];
    call.y_stride = plan_.slots[size_t(step.output)].stride;
    if (plan_.steps[i].writes_gradient) {
        call.scale_gradient = gradient + step.scale;
        call.shift_gradient = gradient + step.shift;
    }
    share_columns(team, stop_, rows_, call.columns, 4, kernels_.lanes,
                  [&](long begin, long end) { kernels_.norm_backward(call, begin, end); });
}

template <class T>
void Executor<T>::follow_statistics(T* state) const {
    for (size_t i = 0; i < program_.steps.size(); ++i) {
        const Step& step = program_.steps[i];
        if (step.kind != StepKind::batch_norm || !plan_.steps[i].runs || !extras_[i]) continue;
        const long width = plan_.slots[size_t(step.output)].width;
        const T *mean = extras_[i], *variance = mean + rounded(width, 16);
        const T share = T(step.momentum), rest = T(1 - step.momentum);
        const T unbiased = T(double(rows_) / double(std::max(rows_ - 1, 1L)));
        for (long c = 0; c < width; ++c) {
            state[step.mean + c] = rest * state[step.mean + c] + share * mean[c];
            state[step.variance + c] = rest * state[step.variance + c] + share * (variance[c] * unbiased);
        }
    }
}

template void Executor<float>::forward_norm(size_t, const float*, const float*, Team&);
template void Executor<double>::forward_norm(size_t, const double*, const double*, Team&);
template void Executor<float>::backward_norm(size_t, const float*, const float*, float*, Team&);
template void Executor<double>::backward_norm(size_t, const double*, const double*, double*, Team&);
template void Executor<float>::follow_statistics(float*) const;
template void Executor<double>::follow_statistics(double*) const;

}  // namespace chainrule
