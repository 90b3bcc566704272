// How a program runs: which steps are needed, what is computed in place, where every value and gradient lies.
#pragma once

#include <vector>

#include "core/program.h"

namespace chainrule {

// Offsets are in numbers, into one arena.
struct StepPlan {
    bool runs = false;        // its output is wanted and isn't there already
    bool forward = false;     // and it isn't the input as it is
    bool relu_inside = false;  // product: applies the ReLU that follows it
    bool backward = false;
    bool writes_gradient = false;  // of its own parameters
    bool relu_mask = false;        // product: applies the derivative of the ReLU before it
    bool derivative_done = false;  // activation: by the product after it
    bool delta_turned = false;     // product: dL/dx is computed with the delta transposed rather than W
    std::vector<bool> wanted;      // for each input: whether dL/d(input) is
    std::vector<bool> first;       // for each input: whether nothing was added to it before
    long extra = -1;               // the kind's own memory
};

struct SlotPlan {
    long width = 0, stride = 0;
    bool outside = false;  // reads the caller's rows in place
    bool codes = false;    // integers, in place of numbers
    long value = -1;
    long delta = -1;  // dL/d(value)
};

struct Plan {
    // `trainable`: runs of the parameters whose gradients are wanted. `rows`: the largest batch.
    // `from_heads`: computes what the losses read rather than what prediction returns.
    Plan(const Program& program, Mode mode, const std::vector<Run>& trainable, bool from_heads, long rows, int lanes,
         int number_bytes);

    Mode mode;
    long rows;
    std::vector<StepPlan> steps;
    std::vector<SlotPlan> slots;
    long numbers = 0;        // in the arena
    long turned = -1;        // where dL/dx stands before it is turned back, the inputs' rows x turned_stride
    long turned_stride = 0;
    long largest_panel = 0;  // rows of the largest right-hand side of a product
    double products = 0;     // multiplications for one row, forward and backward
    long batch_numbers = 0;  // numbers in the arena for a batch, however few rows it has
    long row_numbers = 0;    // for each of its rows

    long stride_of(long width) const;

private:
    void find_needed(const Program& program, bool from_heads);
    void find_wanted(const Program& program, const std::vector<Run>& trainable);
    void place_values(const Program& program, bool from_heads);
    void place_deltas(const Program& program);
    void fuse_relu(const Program& program);
    void choose_turned(const Program& program);
    long take(long count);

    int lanes_, number_bytes_;
    std::vector<int> readers_;       // steps and losses that read a slot
    std::vector<bool> wanted_;       // slots that trainable parameters act on
    std::vector<int> contributors_;  // steps and losses that add to a slot's delta
    std::vector<int> place_;         // the slot whose value a slot shares
    std::vector<int> delta_place_;   // the slot whose delta a slot shares
    std::vector<int> producer_;      // the step that writes a slot, -1 for an input
};

}  // namespace chainrule
