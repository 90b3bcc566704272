#include "core/executor.h"

#include <algorithm>

namespace chainrule {

// One packed panel, or the gradient of a band of weights.
template <class T>
long Executor<T>::scratch_numbers(const Plan& plan, const Kernels<T>& kernels) {
    return rounded(plan.largest_panel * std::max(kernels.panel_columns, 24L) + 6144, 16);
}

template <class T>
long Executor<T>::arena_numbers(const Program& program, const Plan& plan, const Kernels<T>& kernels, int threads) {
    const long line = 64 / long(sizeof(T)), rows = rounded(plan.rows, line);
    const long panel = scratch_numbers(plan, kernels);
    long numbers = rounded(plan.numbers, line) + threads * rounded(panel, line);
    for (const Head& head : program.heads) {
        const long stride = plan.stride_of(program.widths[size_t(head.slot)]);
        numbers += 2 * rounded(plan.rows * stride, line) + 3 * rows + rows * long(sizeof(int64_t) / sizeof(T));
    }
    return numbers;
}

template <class T>
Executor<T>::Executor(const Program& program, const Plan& plan, const Kernels<T>& kernels, int threads)
    : program_(program), plan_(plan), kernels_(kernels), arena_(arena_numbers(program, plan, kernels, threads)) {
    const long line = 64 / long(sizeof(T)), rows = rounded(plan.rows, line);
    const long panel = scratch_numbers(plan, kernels);
    T* const begin = arena_.data();
    T* next = begin + rounded(plan.numbers, line);
    auto take = [&](long count) {
        T* taken = next;
        next += rounded(count, line);
        return taken;
    };
    auto at = [&](long offset) { return offset < 0 ? nullptr : begin + offset; };
    for (const SlotPlan& slot : plan.slots) {
        values_.push_back(at(slot.value));
        deltas_.push_back(at(slot.delta));
    }
    for (const StepPlan& step : plan.steps) extras_.push_back(at(step.extra));
    turned_ = at(plan.turned);
    for (int thread = 0; thread < threads; ++thread) scratch_.push_back(take(panel));
    std::vector<bool> seen(plan.slots.size(), false);
    for (const Head& head : program.heads) {
        HeadBuffers buffers{};
        buffers.stride = plan.stride_of(program.widths[size_t(head.slot)]);
        buffers.target = take(plan.rows * buffers.stride);
        T* spare = take(plan.rows * buffers.stride);
        buffers.weights = take(rows);
        buffers.factor = take(rows);
        buffers.row_loss = take(rows);
        buffers.labels = reinterpret_cast<int64_t*>(take(rows * long(sizeof(int64_t) / sizeof(T))));
        T* delta = deltas_[size_t(head.slot)];
        buffers.second = seen[size_t(head.slot)];
        buffers.gradient = delta && !buffers.second ? delta : spare;
        seen[size_t(head.slot)] = true;
        heads_.push_back(buffers);
    }
}

template class Executor<float>;
template class Executor<double>;

}  // namespace chainrule
