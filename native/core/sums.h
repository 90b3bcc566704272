#pragma once

#include "core/program.h"

namespace chainrule {

// What steps add up, for each member: head losses and row weights (members x heads), penalties (members). In
// scikit-learn's convention each batch enters with its mean loss and its penalties divided by its weight, both times its
// number of rows, and that number takes the place of the weights.
struct Sums {
    double* losses = nullptr;
    double* weights = nullptr;
    double* penalties = nullptr;

    void add(const Program& program, long member, const double* batch_losses, const double* batch_weights, double penalty,
             long rows) const {
        const long heads = long(program.heads.size());
        for (long head = 0; head < heads; ++head) {
            const double weight = batch_weights[head], count = double(rows);
            losses[member * heads + head] +=
                program.sklearn ? count * batch_losses[head] / (weight != 0 ? weight : 1.0) : batch_losses[head];
            weights[member * heads + head] += program.sklearn ? count : weight;
        }
        penalties[member] += program.sklearn ? penalty * double(rows) * program.penalty_factor(batch_weights) : penalty;
    }
};

}  // namespace chainrule
