// A program put together step by step, parameters laid out as they come.
#pragma once

#include <array>
#include <utility>
#include <vector>

#include "core/program.h"

namespace chainrule {

struct Builder {
    Program program;

    int input(long width) {
        program.widths.push_back(width);
        program.inputs.push_back(int(program.widths.size()) - 1);
        return program.inputs.back();
    }

    long span(long& size, long count) {
        const long begin = size;
        size += (count + 15) / 16 * 16;
        return begin;
    }

    int add(Step step, std::vector<int> inputs, long width) {
        step.inputs = std::move(inputs);
        step.output = int(program.widths.size());
        program.widths.push_back(width);
        program.steps.push_back(step);
        return step.output;
    }

    int dense(int from, long units) { return other("dense", {from}, 0, units); }

    int activation(int from, Activation function, double parameter = 0) {
        other("activation", {from}, parameter);
        program.steps.back().function = function;
        return program.steps.back().output;
    }

    // `units`: of an output whose inputs don't say how wide it is.
    int other(const char* kind, std::vector<int> from, double number = 0, long units = 0,
              std::array<std::vector<double>, 2> lists = {}) {
        Step step(kind_of(kind));
        step.lists = std::move(lists);
        if (number != 0) step.numbers[0] = number;
        long sum = 0;
        for (int slot : from) sum += program.widths[size_t(slot)];
        const long width = units > 0 ? units : step.kind->width == Width::sum_of_inputs ? sum : program.widths[size_t(from[0])];
        const int output = add(step, std::move(from), width);
        Step& added = program.steps.back();
        for (size_t i = 0; i < added.spans.size() && added.kind->spans[i].name; ++i) {
            const SpanRule& rule = added.kind->spans[i];
            added.spans[i] = span(rule.in_state ? program.state : program.parameters, program.span_length(added, rule));
        }
        return output;
    }

    // All parameters learn alike, and are charged alike.
    void learn_all(double l1 = 0, double l2 = 0) { program.runs = {{0, program.parameters, true, 1, 1, l1, l2}}; }

    void head(int slot, Loss loss, double weight = 1) {
        Head head;
        head.slot = slot;
        head.loss = loss;
        head.weight = weight;
        program.heads.push_back(head);
        program.outputs.push_back(slot);
    }
};

}  // namespace chainrule
