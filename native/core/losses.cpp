// The heads' losses, and the gradients by what they read.
#include "core/executor.h"

#include <algorithm>

namespace chainrule {

template <class T>
void Executor<T>::losses(double* loss_sums, double* weight_sums, const double* whole_weights, Team& team) {
    for (size_t i = 0; i < heads_.size(); ++i) {
        const Head& head = program_.heads[i];
        HeadBuffers& buffers = heads_[i];
        const SlotPlan& slot = plan_.slots[size_t(head.slot)];
        double weights = double(rows_);
        if (buffers.weighted) {
            weights = 0;
            for (long r = 0; r < rows_; ++r) weights += double(buffers.weights[r]);
        }
        const double factor = head.weight / program_.divisor(whole_weights ? whole_weights[i] : weights);
        if (buffers.weighted)
            for (long r = 0; r < rows_; ++r) buffers.factor[r] = T(factor * double(buffers.weights[r]));
        else
            std::fill_n(buffers.factor, rows_, T(factor));
        LossCall<T> call;
        call.kind = head.loss;
        call.parameter = T(head.parameter);
        call.columns = slot.width;
        call.output = values_[size_t(head.slot)];
        call.output_stride = slot.stride;
        call.target = buffers.target;
        call.target_stride = buffers.stride;
        call.labels = buffers.by_label ? buffers.labels : nullptr;
        call.row_factor = buffers.factor;
        call.row_loss = buffers.row_loss;
        call.gradient = buffers.gradient;
        call.gradient_stride = buffers.stride;
        share_rows(team, stop_, rows_, 8 * slot.width, [&](long begin, long end) { kernels_.loss(call, begin, end); });
        double sum = 0;
        for (long r = 0; r < rows_; ++r) {
            // A row of weight 0 counts nothing, be its loss infinite: 0 times that would be no number.
            if (buffers.weighted && buffers.weights[r] == T(0)) {
                if (buffers.gradient) std::fill_n(buffers.gradient + r * buffers.stride, slot.width, T(0));
                continue;
            }
            sum += buffers.weighted ? double(buffers.row_loss[r]) * double(buffers.weights[r]) : double(buffers.row_loss[r]);
        }
        loss_sums[i] = sum;
        weight_sums[i] = weights;
        T* delta = deltas_[size_t(head.slot)];
        if (buffers.second && delta)
            kernels_.add(buffers.gradient, buffers.stride, delta, slot.stride, slot.width, 0, rows_);
    }
}

template void Executor<float>::losses(double*, double*, const double*, Team&);
template void Executor<double>::losses(double*, double*, const double*, Team&);

}  // namespace chainrule
