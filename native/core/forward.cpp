// The steps of a program one after the other, from the inputs to the outputs.
#include "core/executor.h"

namespace chainrule {
namespace {

constexpr long packed_from = 64;  // rows from which packing W panel by panel costs less than it saves

}  // namespace

template <class T>
void Executor<T>::forward(const T* parameters, const T* state, const Place& place, Team& team) {
    for (size_t i = 0; i < program_.steps.size(); ++i) {
        if (!plan_.steps[i].runs) continue;
        const Step& step = program_.steps[i];
        const size_t in = size_t(step.inputs[0]), out = size_t(step.output);
        const long width = plan_.slots[out].width, stride = plan_.slots[out].stride;
        if (values_[in] == values_[out] && step.kind != StepKind::activation && step.kind != StepKind::batch_norm) continue;
        switch (step.kind) {
            case StepKind::dense: forward_dense(i, parameters, team); break;
            case StepKind::batch_norm: forward_norm(i, parameters, state, team); break;
            case StepKind::activation: {
                const ActivationCall<T> call{step.activation, T(step.parameter), width, values_[in],
                                             plan_.slots[in].stride, values_[out], stride};
                share_rows(team, stop_, rows_, 8 * width, [&](long begin, long end) { kernels_.activate(call, begin, end); });
                break;
            }
            case StepKind::dropout: {
                const double scaled = step.parameter * 4294967296.0;
                const DropoutCall call{place.seed, place.step, uint32_t(i), place.member, uint32_t(scaled), width, place.first_row};
                const T kept = T(1 / (1 - step.parameter));
                share_rows(team, stop_, rows_, 8 * width, [&](long begin, long end) {
                    kernels_.keep_factors(call, kept, extras_[i], stride, begin, end);
                    kernels_.multiply(values_[in], extras_[i], values_[out], stride, width, begin, end);
                });
                break;
            }
            case StepKind::add:
            case StepKind::concatenate: {
                long column = 0;
                for (size_t k = 0; k < step.inputs.size(); ++k) {
                    const size_t from = size_t(step.inputs[k]);
                    const bool sum = step.kind == StepKind::add && k > 0;
                    const SlotPlan& source = plan_.slots[from];
                    share_rows(team, stop_, rows_, source.width, [&](long begin, long end) {
                        auto pass = sum ? kernels_.add : kernels_.copy;
                        pass(values_[from], source.stride, values_[out] + column, stride, source.width, begin, end);
                    });
                    if (step.kind == StepKind::concatenate) column += source.width;
                }
                break;
            }
            case StepKind::flatten: break;
        }
    }
}

template <class T>
void Executor<T>::forward_dense(size_t i, const T* parameters, Team& team) {
    const Step& step = program_.steps[i];
    const SlotPlan &in = plan_.slots[size_t(step.inputs[0])], &out = plan_.slots[size_t(step.output)];
    Product<T> p;
    p.rows = rows_;
    p.columns = out.width;
    p.depth = in.width;
    p.a = values_[size_t(step.inputs[0])];
    p.a_stride = in.stride;
    if (in.outside) p.a_stride = in.width;
    p.b = parameters + step.weights;
    p.b_stride = out.width;
    p.b_form = rows_ >= packed_from ? BForm::packed : BForm::unpadded;
    p.out = values_[size_t(step.output)];
    p.out_stride = out.stride;
    p.bias = step.bias < 0 ? nullptr : parameters + step.bias;
    p.relu = plan_.steps[i].relu_inside;
    run_product(p, team);
}

template void Executor<float>::forward(const float*, const float*, const Place&, Team&);
template void Executor<double>::forward(const double*, const double*, const Place&, Team&);

}  // namespace chainrule
