// How a network is while it trains, layer by layer, at the steps that are sampled: measured in passing, on the first rows of the
// batch, which come in random order. Changes no number of the training.
#pragma once

#include <vector>

#include "core/executor.h"

namespace chainrule {

// What is measured of a step of the program, in this order; NaN where it doesn't exist.
enum class Vital {
    gradient,  // the length of the losses' gradient by the step's parameters: before penalties, before clipping
    update,    // the length of their change, over theirs
    noise,     // the standard deviation of that gradient, as rows vary, over its length
    dead,      // the share of units whose slope is flat in all the rows
    flat,      // the share of numbers whose slope is
    spread,    // the standard deviation of a unit over the rows: its root mean square over the units
    size,      // the root mean square of the numbers
};
constexpr long n_vitals = 7;
constexpr long vital_rows = 256;      // that are looked at
constexpr double least_slope = 0.01;  // a smaller one is flat

// What a step is watched for.
enum Watched : int { watch_parameters = 1, watch_rows = 2, watch_values = 4, watch_slopes = 8 };

// Of some steps of training; the caller's arrays.
struct VitalSigns {
    long every = 0;              // a step is sampled where its number is a multiple; 0: none is
    std::vector<int> watched;    // for each step of the program
    double* numbers = nullptr;   // samples x members x steps of the program x n_vitals
    double* losses = nullptr;    // samples x members x heads
    double* weights = nullptr;   // the same

    // The place of a step among the samples of training that begins with `first_step`; -1 where it isn't one.
    long sample(uint64_t first_step, long step) const {
        if (every <= 0 || (first_step + uint64_t(step)) % uint64_t(every) != 0) return -1;
        return long((first_step + uint64_t(step)) / uint64_t(every) - (first_step + uint64_t(every) - 1) / uint64_t(every));
    }
};

// Those of one member at the step at hand.
template <class T>
class Vitals {
public:
    Vitals(const Program& program, const Plan& plan, const Kernels<T>& kernels, const std::vector<int>& watched);

    void begin(double* numbers, long batch);                    // n_vitals for each step of the program
    void look_forward(const Work<T>& work);                     // after a step's pass
    void look_back(const Work<T>& work);                        // before it
    void look_at_gradient(const T* gradient, Updater<T>& updater);
    void remember(const T* parameters);
    void look_at_update(const T* parameters);                   // since then

private:
    double& number(size_t step, Vital vital) { return numbers_[long(step) * n_vitals + long(vital)]; }
    template <class F>
    void each_span(size_t step, F&& f) const;
    void look_at_values(size_t step, const Matrix<T>& h, long rows);
    void look_at_slopes(const Work<T>& work, long rows);

    const Program& program_;
    const Kernels<T>& kernels_;
    const std::vector<int>& watched_;
    std::vector<bool> there_;        // whether a step's output is computed
    std::vector<double> row_squares_;
    double* numbers_ = nullptr;
    long batch_ = 0;
    Aligned<T> sums_, squares_, counts_, slopes_, parameters_;
};

}  // namespace chainrule
