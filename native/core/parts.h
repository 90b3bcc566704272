// A large batch goes through the network in parts, one after the other, so that their memo stays in the cache; their
// gradients are added up. It remains one batch: one mean, one stream of masks. The parts never depend on the threads.
#pragma once

#include <vector>

#include "core/executor.h"

namespace chainrule {

template <class T>
class Parts {
public:
    Parts(const Program& program, Mode mode, const std::vector<Run>& trainable, const Kernels<T>& kernels, long batch);

    long rows() const { return rows_; }  // of every part but the last
    bool several() const { return rows_ < batch_; }

    // Head losses summed over `count` rows, and their gradient, unless the executor is stopped. take(begin, rows) brings rows of the batch in; `weights`
    // are the sums of the heads' row weights.
    template <class Take>
    void run(Executor<T>& executor, long count, Take&& take, const T* parameters, const T* state, Place place,
             const double* weights, double* losses, T* gradient, Team& team) {
        std::vector<double> part_losses(heads_), part_weights(heads_);
        for (size_t head = 0; head < heads_; ++head) losses[head] = 0;
        for (long begin = 0; begin < count; begin += rows_) {
            if (executor.stopped()) return;
            place.first_row = uint64_t(begin);
            take(begin, std::min(rows_, count - begin));
            executor.forward(parameters, state, place, team);
            executor.losses(part_losses.data(), part_weights.data(), weights, team);
            executor.backward(parameters, state, begin == 0 ? gradient : gradient_.data(), nullptr, team);
            for (size_t head = 0; head < heads_; ++head) losses[head] += part_losses[head];
            if (begin > 0) add_to(gradient, team);
            executor.observe(nullptr);  // the first part is enough to look at
        }
    }

private:
    static long rows_of(const Program& program, Mode mode, const std::vector<Run>& trainable, const Kernels<T>& kernels,
                        long batch);
    void add_to(T* gradient, Team& team);

    const Kernels<T>& kernels_;
    long batch_, rows_, size_;
    size_t heads_;
    Aligned<T> gradient_;  // of the part at hand
};

// The sum of each head's weights of some rows: those with these numbers, or the first ones.
template <class T>
std::vector<double> weights_of(const Data<T>& data, const int64_t* numbers, long count);

}  // namespace chainrule
