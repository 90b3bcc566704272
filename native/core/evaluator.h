// What doesn't change a network: predictions, losses over rows, gradients. Vectors have a leading member axis. A call that
// `stop` ends (unless null) leaves its results unfinished.
#pragma once

#include <vector>

#include "core/executor.h"
#include "core/sums.h"

namespace chainrule {

// outputs: for each output slot of the program an array of members x rows x width. True if sums say that every number that
// came in and went out is finite; false says nothing.
template <class T>
bool predict(const Program& program, long members, const T* parameters, const T* state, const Data<T>& data,
             const std::vector<T*>& outputs, int threads, Stop* stop = nullptr);

// Head losses over rows as in prediction, added to `sums`.
template <class T>
void losses(const Program& program, long members, const T* parameters, const T* state, const Data<T>& data, const Sums& sums,
            int threads, Stop* stop = nullptr);

// All rows as one batch: `gradient` (zeros before) gets every parameter's, `state` is changed as by a step of training.
template <class T>
void gradients(const Program& program, long members, const T* parameters, T* state, const Data<T>& data, bool training,
               uint64_t seed, uint64_t step, const std::vector<Scheduled>& scheduled, T* gradient, const Sums& sums, int threads,
               Stop* stop = nullptr);

}  // namespace chainrule
