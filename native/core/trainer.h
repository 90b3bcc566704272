// Training: a run of steps in one call.
#pragma once

#include <vector>

#include "core/executor.h"
#include "core/sums.h"
#include "core/vitals.h"

namespace chainrule {

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
    const double* weight_decays = nullptr;  // the same; null: the optimizer's own
    std::vector<Scheduled> scheduled = {};
    long steps = 0;
    uint64_t first_step = 0;
    uint64_t memory_from = 0;  // the step from which the optimizer counts its own
    Sums sums;  // each step adds its own
    Optimizer optimizer;
    uint64_t seed = 0;
    double clip_norm = 0;  // 0: no clipping
    VitalSigns vitals;
    Stop* stop = nullptr;  // null: goes on to the end
    int threads = 0;  // 0: chosen from the work
};

struct Outcome {
    long steps = 0;
    long diverged = -1;  // the step whose loss wasn't finite; it changed nothing
    long diverged_member = 0;
    bool stopped = false;  // after whole steps: one that was begun has changed nothing
};

template <class T>
Outcome train(const Program& program, const TrainJob<T>& job);

}  // namespace chainrule
