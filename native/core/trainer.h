// What the core is asked to do: train for a run of steps, predict, add up losses, give gradients.
#pragma once

#include <vector>

#include "core/executor.h"

namespace chainrule {

// What steps add up, for each member: head losses and row weights (members x heads), penalties (members). In
// scikit-learn's convention each batch enters with its mean loss and its penalties divided by its weight, both times its
// number of rows, and that number takes the place of the weights.
struct Sums {
    double* losses = nullptr;
    double* weights = nullptr;
    double* penalties = nullptr;

    void add(const Program& program, long member, const double* batch_losses, const double* batch_weights, double penalty,
             long rows) const;
};

// Vectors have a leading member axis.
template <class T>
struct TrainJob {
    long members = 1;
    T* parameters = nullptr;
    T* state = nullptr;
    T* slots = nullptr;
    Data<T> data;
    const int64_t* order = nullptr;  // members x rows_in_order
    long rows_in_order = 0;
    long batch = 1;
    const double* rates = nullptr;  // one for each step
    long steps = 0;
    uint64_t first_step = 0;
    uint64_t memory_from = 0;  // the step from which the optimizer counts its own
    Sums sums;  // each step adds its own
    Optimizer optimizer;
    uint64_t seed = 0;
    std::vector<Run> trainable;
    double clip_norm = 0;  // 0: no clipping
    // Asked about every 50 ms whether to stop after the current step.
    bool (*should_stop)(void*) = nullptr;
    void* stop_context = nullptr;
    int threads = 0;  // 0: chosen from the work
};

struct Outcome {
    long steps = 0;
    long diverged = -1;  // the step whose loss wasn't finite; it changed nothing
    long diverged_member = 0;
    bool stopped = false;
};

template <class T>
Outcome train(const Program& program, const TrainJob<T>& job);

// outputs: for each output slot of the program an array of members x rows x width.
template <class T>
void predict(const Program& program, long members, const T* parameters, const T* state, const Data<T>& data,
             const std::vector<T*>& outputs, int threads);

// Head losses over rows as in prediction, written to `sums`.
template <class T>
void losses(const Program& program, long members, const T* parameters, const T* state, const Data<T>& data, const Sums& sums,
            int threads);

// All rows as one batch: `gradient` (zeros before) gets every parameter's, `state` is changed as by a step of training.
template <class T>
void gradients(const Program& program, long members, const T* parameters, T* state, const Data<T>& data, bool training,
               uint64_t seed, uint64_t step, T* gradient, const Sums& sums, int threads);

}  // namespace chainrule
