#include "core/program.h"

#include <cmath>
#include <stdexcept>

namespace chainrule {
namespace {

constexpr long largest_width = 1L << 24;    // numbers in a row
constexpr long largest_vector = 1L << 40;   // parameters

[[noreturn]] void fail(const std::string& what) { throw std::invalid_argument("program: " + what); }

void check_span(const std::string& where, long offset, long length, long size) {
    if (offset < 0 || length < 0 || length > size || offset > size - length)
        fail(where + " lies at " + std::to_string(offset) + ", " + std::to_string(length) +
             " numbers long, outside a vector of " + std::to_string(size));
}

size_t arity(StepKind kind) { return kind == StepKind::add || kind == StepKind::concatenate ? 2 : 1; }

void check_widths(const Program& program, const Step& step, const std::string& name) {
    const long output = program.widths[size_t(step.output)];
    long input = program.widths[size_t(step.inputs[0])];
    if (step.kind == StepKind::concatenate) {
        input = 0;
        for (int slot : step.inputs) input += program.widths[size_t(slot)];
    }
    if (step.kind == StepKind::add)
        for (int slot : step.inputs)
            if (program.widths[size_t(slot)] != output) fail(name + " adds rows of different widths");
    if (step.kind != StepKind::dense && input != output)
        fail(name + " makes " + std::to_string(output) + " numbers of " + std::to_string(input));
    if (step.kind == StepKind::dense) {
        check_span(name + ": W", step.weights, input * output, program.parameters);
        if (step.bias >= 0) check_span(name + ": b", step.bias, output, program.parameters);
    }
    if (step.kind == StepKind::batch_norm) {
        check_span(name + ": scale", step.scale, output, program.parameters);
        check_span(name + ": shift", step.shift, output, program.parameters);
        check_span(name + ": mean", step.mean, output, program.state);
        check_span(name + ": variance", step.variance, output, program.state);
        if (!(step.epsilon > 0) || !(step.momentum >= 0 && step.momentum <= 1))
            fail(name + ": epsilon must be above 0, momentum from 0 to 1");
    }
    if (step.kind == StepKind::dropout && !(step.parameter >= 0 && step.parameter < 1))
        fail(name + ": the rate must lie in [0, 1)");
    if (step.kind == StepKind::activation && !std::isfinite(step.parameter)) fail(name + ": its parameter isn't finite");
}

}  // namespace

void Program::check() const {
    const int slots = int(widths.size());
    auto check_slot = [&](const std::string& where, int slot) {
        if (slot < 0 || slot >= slots)
            fail(where + " names slot " + std::to_string(slot) + " of " + std::to_string(slots));
    };
    for (long width : widths)
        if (width < 1 || width > largest_width) fail("a slot is " + std::to_string(width) + " numbers wide");
    if (parameters < 0 || parameters > largest_vector || state < 0 || state > largest_vector)
        fail("the vectors' lengths are out of range");
    if (inputs.empty()) fail("there is no input");

    std::vector<bool> written(widths.size(), false);
    auto write = [&](const std::string& where, int slot) {
        check_slot(where, slot);
        if (written[size_t(slot)]) fail(where + " writes slot " + std::to_string(slot) + ", which is taken");
        written[size_t(slot)] = true;
    };
    auto read = [&](const std::string& where, int slot) {
        check_slot(where, slot);
        if (!written[size_t(slot)]) fail(where + " reads slot " + std::to_string(slot) + " before it is written");
    };
    for (int slot : inputs) write("input", slot);
    for (size_t i = 0; i < steps.size(); ++i) {
        const Step& step = steps[i];
        const std::string name = "step " + std::to_string(i);
        if (step.inputs.size() < arity(step.kind) || (arity(step.kind) == 1 && step.inputs.size() > 1))
            fail(name + " reads " + std::to_string(step.inputs.size()) + " slots");
        for (int slot : step.inputs) read(name, slot);
        write(name, step.output);
        check_widths(*this, step, name);
    }
    for (int slot : outputs) read("output", slot);
    for (const Head& head : heads) {
        read("head", head.slot);
        if (!(head.weight >= 0) || !std::isfinite(head.weight) || !std::isfinite(head.parameter))
            fail("a head's weight and parameter must be finite, the weight not negative");
    }
    if (sklearn && heads.empty()) fail("scikit-learn's convention needs a head, whose rows it counts");
    for (const PenaltyRun& run : penalties) {
        check_span("penalty", run.begin, run.end - run.begin, parameters);
        if (!(run.l1 >= 0) || !(run.l2 >= 0)) fail("penalties must not be negative");
    }
}

}  // namespace chainrule
