// The steps in reverse: from the gradient by an output to those by the inputs and the parameters.
#include "core/executor.h"

#include <algorithm>

namespace chainrule {

template <class T>
void Executor<T>::backward(const T* parameters, const T* state, T* gradient, Updater<T>* updater, Team& team) {
    for (size_t i = program_.steps.size(); i-- > 0;) {
        const StepPlan& plan = plan_.steps[i];
        if (!plan.backward) continue;
        const Step& step = program_.steps[i];
        const size_t in = size_t(step.inputs[0]), out = size_t(step.output);
        const SlotPlan& slot = plan_.slots[out];
        switch (step.kind) {
            case StepKind::dense: backward_dense(i, parameters, gradient, updater, team); break;
            case StepKind::batch_norm: backward_norm(i, parameters, state, gradient, team); break;
            case StepKind::activation: {
                if (plan.derivative_done || step.activation == Activation::linear) break;
                ActivationCall<T> call{step.activation, T(step.parameter), slot.width, values_[in],
                                       plan_.slots[in].stride, deltas_[out], slot.stride};
                if (derivative_reads_output(step.activation)) {
                    call.in = values_[out];
                    call.in_stride = slot.stride;
                }
                share_rows(team, stop_, rows_, 8 * slot.width, [&](long begin, long end) { kernels_.activate_backward(call, begin, end); });
                break;
            }
            case StepKind::dropout:
                if (extras_[i])
                    share_rows(team, stop_, rows_, slot.width, [&](long begin, long end) {
                        kernels_.multiply(deltas_[out], extras_[i], deltas_[out], slot.stride, slot.width, begin, end);
                    });
                break;
            default: break;
        }
        if (step.kind != StepKind::dense) hand_on(i, team);
    }
}

// Gives the delta of a step's output, worked on in place, to its inputs.
template <class T>
void Executor<T>::hand_on(size_t i, Team& team) {
    const Step& step = program_.steps[i];
    const SlotPlan& out = plan_.slots[size_t(step.output)];
    long column = 0;
    for (size_t k = 0; k < step.inputs.size(); ++k) {
        const size_t in = size_t(step.inputs[k]);
        const T* from = deltas_[size_t(step.output)] + column;
        if (step.kind == StepKind::concatenate) column += plan_.slots[in].width;
        if (!plan_.steps[i].wanted[k] || deltas_[in] == from) continue;
        auto pass = plan_.steps[i].first[k] ? kernels_.copy : kernels_.add;
        share_rows(team, stop_, rows_, plan_.slots[in].width, [&](long begin, long end) {
            pass(from, out.stride, deltas_[in], plan_.slots[in].stride, plan_.slots[in].width, begin, end);
        });
    }
}

template <class T>
void Executor<T>::backward_dense(size_t i, const T* parameters, T* gradient, Updater<T>* updater, Team& team) {
    const Step& step = program_.steps[i];
    const StepPlan& plan = plan_.steps[i];
    const size_t input = size_t(step.inputs[0]), output = size_t(step.output);
    const SlotPlan &in = plan_.slots[input], &out = plan_.slots[output];
    const T* delta = deltas_[output];
    if (plan.wanted[0] && plan.delta_turned) {
        backward_turned(i, parameters, team);
    } else if (plan.wanted[0]) {
        Product<T> p;  // dL/dx = dL/dz W^T
        p.rows = rows_;
        p.columns = in.width;
        p.depth = out.width;
        p.a = delta;
        p.a_stride = out.stride;
        p.b = parameters + step.weights;
        p.b_stride = out.width;
        p.b_form = BForm::transposed;
        p.out = deltas_[input];
        p.out_stride = in.stride;
        p.accumulate = !plan.first[0];
        if (plan.relu_mask) {
            p.relu_mask = values_[input];
            p.relu_mask_stride = in.stride;
        }
        run_product(p, team);
    }
    if (!plan.writes_gradient) return;
    if (step.bias >= 0) {
        share_columns(team, stop_, rows_, out.width, 16, kernels_.lanes, [&](long begin, long end) {
            kernels_.column_sums(delta, out.stride, rows_, begin, end, gradient + step.bias);
        });
    }
    Product<T> p;  // dL/dW = x^T dL/dz
    p.rows = in.width;
    p.columns = out.width;
    p.depth = rows_;
    p.a = values_[input];
    p.a_stride = in.stride;
    p.a_transposed = true;
    p.b = delta;
    p.b_stride = out.stride;
    p.out = gradient + step.weights;
    p.out_stride = out.width;
    p.out_is_padded = false;
    if (updater && updater->begin_bands(i)) change_weights(i, p, *updater, team);
    else run_product(p, team);
}

// (dL/dx)^T = W (dL/dz)^T, turned back at the end.
template <class T>
void Executor<T>::backward_turned(size_t i, const T* parameters, Team& team) {
    const Step& step = program_.steps[i];
    const size_t input = size_t(step.inputs[0]), output = size_t(step.output);
    const SlotPlan &in = plan_.slots[input], &out = plan_.slots[output];
    Product<T> p;
    p.rows = in.width;
    p.columns = rows_;
    p.depth = out.width;
    p.a = parameters + step.weights;
    p.a_stride = out.width;
    p.b = deltas_[output];
    p.b_stride = out.stride;
    p.b_form = BForm::transposed;
    p.out = turned_;
    p.out_stride = plan_.turned_stride;
    run_product(p, team);
    kernels_.transpose(turned_, plan_.turned_stride, in.width, rows_, deltas_[input], in.stride,
                       plan_.steps[i].relu_mask ? values_[input] : nullptr);
}

// The gradient of a band of rows goes into the cache and from there into the optimizer.
template <class T>
void Executor<T>::change_weights(size_t i, const Product<T>& product, Updater<T>& updater, Team& team) {
    const long columns = product.columns, band = Updater<T>::band_rows(columns);
    const long panels = (columns + kernels_.panel_columns - 1) / kernels_.panel_columns;
    auto change = [&](long task, int thread) {
        const long row = task * band;
        Product<T> part = product;
        part.rows = std::min(band, product.rows - row);
        part.a += row;
        part.out = scratch_[size_t(thread)];
        kernels_.product(part, 0, panels, 0, part.rows, nullptr);
        updater.change_band(i, task, program_.steps[i].weights + row * columns, part.out, part.rows * columns);
    };
    const long bands = (product.rows + band - 1) / band;
    const double work = double(product.rows) * double(columns) * double(product.depth);
    if (work >= shared_work) return team.share(bands, change);
    for (long task = 0; task < bands; ++task) change(task, 0);
}

template void Executor<float>::backward(const float*, const float*, float*, Updater<float>*, Team&);
template void Executor<double>::backward(const double*, const double*, double*, Updater<double>*, Team&);

}  // namespace chainrule
