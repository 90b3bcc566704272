// A network as the core sees it: steps over slots, heads with losses, runs of parameters. Plain data, checked once.
#pragma once

#include <string>
#include <vector>

#include "core/kinds.h"
#include "core/leftovers.h"

namespace chainrule {

// The first number of a step of the program, in each step of some training.
struct Scheduled {
    size_t step = 0;
    const double* values = nullptr;
};

// A step's place in the list is its layer number in the random stream.
struct Step {
    const StepKind* kind = nullptr;
    std::vector<int> inputs;
    int output = 0;
    std::array<long, 4> spans = {-1, -1, -1, -1};  // offsets into parameters or state, as in the kind's rules; -1 for none
    std::array<double, 2> numbers = {0, 0};        // as in the kind's rules
    std::array<std::vector<double>, 2> lists;      // the same
    Activation function = Activation::linear;

    Step() = default;
    explicit Step(const StepKind& kind_) : kind(&kind_) {
        for (size_t i = 0; i < numbers.size(); ++i) numbers[i] = kind_.numbers[i].start;
    }
};

struct Head {
    int slot = 0;  // what the loss reads: z where it is fused
    Loss loss = Loss::squared_error;
    double parameter = 0;  // Huber's delta, the quantile's level, label smoothing
    double weight = 1;
    bool takes_classes() const { return loss == Loss::cross_entropy || loss == Loss::cross_entropy_fused; }
    bool takes_answers() const { return loss == Loss::binary_cross_entropy || loss == Loss::binary_cross_entropy_fused; }
    // The share of each target that is spread, evenly, over so many answers.
    double smoothing() const { return takes_classes() || takes_answers() ? parameter : 0.0; }
    double spread_over(long width) const { return takes_classes() ? double(width) : 2.0; }
};

// Neighbouring parameters of one description. What lies in no run isn't trained.
struct ParameterRun {
    long begin = 0, end = 0;
    bool trainable = true;
    double rate_factor = 1, decay_factor = 1;  // of the learning rate and of the weight decay
    double l1 = 0, l2 = 0;
    bool charged() const { return l1 != 0 || l2 != 0; }
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
    std::vector<int> codes;    // those of them that hold integers
    std::vector<int> outputs;  // the slots that prediction returns
    std::vector<Step> steps;
    std::vector<Head> heads;
    std::vector<ParameterRun> runs;  // in order
    long parameters = 0, state = 0;  // lengths of the two vectors
    bool mean = true;                // divide a head's loss by the sum of the row weights
    bool sklearn = false;            // the convention that divides a batch's penalties by the weight of its rows

    mutable Leftovers leftovers;     // of predictions

    // What a sum over rows is divided by.
    double divisor(double weight_sum) const { return mean && weight_sum != 0 ? weight_sum : 1.0; }
    double penalty_factor(const double* weights) const { return sklearn ? 1 / divisor(weights[0]) : 1.0; }

    bool holds_codes(int slot) const;
    long span_length(const Step& step, const SpanRule& rule) const;
    std::vector<Run> trainable() const;
    // The runs with penalties, neighbours of equal penalties as one.
    std::vector<ParameterRun> charges() const;

    // Throw std::invalid_argument, saying what is wrong and where.
    void check() const;
    void check(const std::vector<Scheduled>& scheduled, long count) const;
};

}  // namespace chainrule
