// A network as the core sees it: steps over slots, heads with losses, penalties. Plain data, checked once.
#pragma once

#include <string>
#include <vector>

#include "core/kernels.h"
#include "core/leftovers.h"

namespace chainrule {

enum class StepKind { dense, activation, batch_norm, dropout, add, concatenate, flatten };

// A step's place in the list is its layer number in the random stream.
struct Step {
    StepKind kind = StepKind::dense;
    std::vector<int> inputs;
    int output = 0;
    long weights = -1, bias = -1;  // dense: offsets into the parameters, -1 for none
    Activation activation = Activation::linear;
    double parameter = 0;  // activation: its slope or alpha; dropout: its rate
    long scale = -1, shift = -1, mean = -1, variance = -1;  // batch_norm: offsets into parameters and state
    double momentum = 0.1, epsilon = 1e-5;
};

struct Head {
    int slot = 0;  // what the loss reads: z where it is fused
    Loss loss = Loss::squared_error;
    double parameter = 0;  // Huber's delta, the quantile's level, label smoothing
    double weight = 1;
    bool takes_classes() const { return loss == Loss::cross_entropy || loss == Loss::cross_entropy_fused; }
};

struct PenaltyRun {
    long begin = 0, end = 0;
    double l1 = 0, l2 = 0;
};

struct Run {
    long begin = 0, end = 0;
};

// Whether an activation's derivative is computed from its output h, not from z.
inline bool derivative_reads_output(Activation kind) {
    return kind == Activation::sigmoid || kind == Activation::tanh || kind == Activation::relu ||
           kind == Activation::exponential || kind == Activation::softmax;
}

struct Program {
    std::vector<long> widths;  // numbers in a row of each slot
    std::vector<int> inputs;   // the slots that data is written to
    std::vector<int> outputs;  // the slots that prediction returns
    std::vector<Step> steps;
    std::vector<Head> heads;
    std::vector<PenaltyRun> penalties;
    long parameters = 0, state = 0;  // lengths of the two vectors
    bool mean = true;                // divide a head's loss by the sum of the row weights
    bool sklearn = false;            // the convention that divides a batch's penalties by the weight of its rows

    mutable Leftovers leftovers;     // of predictions

    // What a sum over rows is divided by.
    double divisor(double weight_sum) const { return mean && weight_sum > 0 ? weight_sum : 1.0; }
    double penalty_factor(const double* weights) const { return sklearn ? 1 / divisor(weights[0]) : 1.0; }

    // Throws std::invalid_argument, saying what is wrong and where.
    void check() const;
};

}  // namespace chainrule
