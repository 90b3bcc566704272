#include "core/program.h"

#include <algorithm>
#include <cmath>
#include <stdexcept>

namespace chainrule {
namespace {

constexpr long largest_width = 1L << 24;    // numbers in a row
constexpr long largest_vector = 1L << 40;   // parameters
constexpr long alignment = 16;              // of spans, in numbers

[[noreturn]] void fail(const std::string& what) { throw std::invalid_argument("program: " + what); }

void check_span(const std::string& where, long offset, long length, long size) {
    if (offset < 0 || length < 0 || length > size || offset > size - length)
        fail(where + " lies at " + std::to_string(offset) + ", " + std::to_string(length) +
             " numbers long, outside a vector of " + std::to_string(size));
}

void check_width(const Program& program, const Step& step, const std::string& name) {
    const long output = program.widths[size_t(step.output)];
    long sum = 0;
    for (int slot : step.inputs) sum += program.widths[size_t(slot)];
    bool fits = true;
    if (step.kind->width == Width::as_inputs)
        for (int slot : step.inputs) fits = fits && program.widths[size_t(slot)] == output;
    if (step.kind->width == Width::sum_of_inputs) fits = sum == output;
    if (step.kind->width == Width::multiple_of_input) fits = output % sum == 0;
    if (!fits) fail(name + " makes " + std::to_string(output) + " numbers of " + std::to_string(sum));
}

void check_step(const Program& program, const Step& step, const std::string& name) {
    const StepKind& kind = *step.kind;
    for (int slot : step.inputs)
        if (program.holds_codes(slot) != kind.reads_codes)
            fail(name + (kind.reads_codes ? " reads codes, not numbers" : " reads numbers, not codes"));
    check_width(program, step, name);
    const char* fault = kind.list_fault ? kind.list_fault(step, program.widths[size_t(step.inputs[0])]) : nullptr;
    if (fault) fail(name + ": " + fault);
    for (size_t i = 0; i < kind.spans.size() && kind.spans[i].name; ++i) {
        const SpanRule& rule = kind.spans[i];
        if (rule.optional && step.spans[i] < 0) continue;
        check_span(name + ": " + rule.name, step.spans[i], program.span_length(step, rule),
                   rule.in_state ? program.state : program.parameters);
    }
    for (size_t i = 0; i < kind.numbers.size() && kind.numbers[i].name; ++i)
        if (!kind.numbers[i].holds(step.numbers[i]))
            fail(name + ": " + kind.numbers[i].name + " is " + std::to_string(step.numbers[i]) + ", which is out of range");
}

void check_runs(const Program& program) {
    long end = 0;
    for (const ParameterRun& run : program.runs) {
        check_span("a run of parameters", run.begin, run.end - run.begin, program.parameters);
        if (run.begin < end) fail("runs of parameters overlap");
        for (double number : {run.rate_factor, run.decay_factor, run.l1, run.l2})
            if (!(number >= 0)) fail("factors and penalties must not be negative");
        end = run.end;
    }
}

}  // namespace

bool Program::holds_codes(int slot) const { return std::find(codes.begin(), codes.end(), slot) != codes.end(); }

long Program::span_length(const Step& step, const SpanRule& rule) const {
    const long units = widths[size_t(step.output)], inputs = widths[size_t(step.inputs[0])];
    switch (rule.length) {
        case SpanRule::units: return units;
        case SpanRule::table: return step.kind->table_rows(step, inputs, units) * step.kind->table_width(step, inputs, units);
        case SpanRule::inputs_by_units: break;
    }
    return inputs * units;
}

std::vector<Run> Program::trainable() const {
    std::vector<Run> found;
    for (const ParameterRun& run : runs)
        if (run.trainable) found.push_back({run.begin, run.end});
    return found;
}

std::vector<ParameterRun> Program::charges() const {
    std::vector<ParameterRun> found;
    for (const ParameterRun& run : runs) {
        if (!run.charged()) continue;
        const bool same = !found.empty() && found.back().l1 == run.l1 && found.back().l2 == run.l2 &&
                          run.begin - found.back().end < alignment;
        if (same) found.back().end = run.end;
        else found.push_back(run);
    }
    return found;
}

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
    for (int slot : codes) read("codes", slot);
    for (size_t i = 0; i < steps.size(); ++i) {
        const Step& step = steps[i];
        const std::string name = "step " + std::to_string(i);
        const size_t count = step.inputs.size();
        if (step.kind->many_inputs ? count < 2 : count != 1) fail(name + " reads " + std::to_string(count) + " slots");
        for (int slot : step.inputs) read(name, slot);
        write(name, step.output);
        check_step(*this, step, name);
    }
    auto read_numbers = [&](const std::string& where, int slot) {
        read(where, slot);
        if (holds_codes(slot)) fail(where + " reads numbers, not codes");
    };
    for (int slot : outputs) read_numbers("output", slot);
    for (const Head& head : heads) {
        read_numbers("head", head.slot);
        if (!(head.weight >= 0) || !std::isfinite(head.weight) || !std::isfinite(head.parameter))
            fail("a head's weight and parameter must be finite, the weight not negative");
    }
    if (sklearn && heads.empty()) fail("scikit-learn's convention needs a head, whose rows it counts");
    check_runs(*this);
}

void Program::check(const std::vector<Scheduled>& scheduled, long count) const {
    for (const Scheduled& one : scheduled) {
        if (one.step >= steps.size()) fail("there is no step " + std::to_string(one.step) + " to schedule");
        const NumberRule& rule = steps[one.step].kind->numbers[0];
        if (!rule.scheduled) fail("step " + std::to_string(one.step) + " has no number that may be scheduled");
        for (long i = 0; i < count; ++i)
            if (!rule.holds(one.values[i])) fail(std::string(rule.name) + " is " + std::to_string(one.values[i]) + ", which is out of range");
    }
}

}  // namespace chainrule
