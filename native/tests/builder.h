// A program put together step by step, parameters laid out as they come.
#pragma once

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

    int dense(int from, long units) {
        Step step;
        step.weights = span(program.parameters, program.widths[size_t(from)] * units);
        step.bias = span(program.parameters, units);
        return add(step, {from}, units);
    }

    int activation(int from, Activation kind, double parameter = 0) {
        Step step;
        step.kind = StepKind::activation;
        step.activation = kind;
        step.parameter = parameter;
        return add(step, {from}, program.widths[size_t(from)]);
    }

    int other(StepKind kind, std::vector<int> from, double parameter = 0) {
        Step step;
        step.kind = kind;
        step.parameter = parameter;
        long width = program.widths[size_t(from[0])];
        if (kind == StepKind::concatenate) {
            width = 0;
            for (int slot : from) width += program.widths[size_t(slot)];
        }
        if (kind == StepKind::batch_norm) {
            step.scale = span(program.parameters, width);
            step.shift = span(program.parameters, width);
            step.mean = span(program.state, width);
            step.variance = span(program.state, width);
        }
        return add(step, std::move(from), width);
    }

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
