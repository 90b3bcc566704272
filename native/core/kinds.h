// The kinds of steps as a table: what each reads and keeps, how it lies in memory, and its passes. A new kind is a file in
// core/steps/ with its passes and its row, and its name in the list in kinds.cpp: nobody else asks which kind a step is.
#pragma once

#include <array>
#include <string>
#include <vector>

#include "core/kernels.h"

namespace chainrule {

struct Program;
struct Step;
template <class T>
struct Work;

enum class Mode {
    training,   // dropout, statistics of the batch, gradients
    fixed,      // gradients, but without dropout and with running statistics
    inference,  // values only
};

// How wide a step's output is.
enum class Width { as_inputs, sum_of_inputs, multiple_of_input, free };

// An array of the parameters (or of the state) that a step has.
struct SpanRule {
    enum Length { inputs_by_units, units, table };
    const char* name = nullptr;
    Length length = units;
    bool optional = false;
    bool in_state = false;
};

// How wide a step's first input and its output are, and how far rows of the output lie apart.
struct Shape {
    long inputs = 0, units = 0, stride = 0;
};

struct NumberRule {
    const char* name = nullptr;
    double start = 0;
    bool (*holds)(double) = nullptr;
    bool scheduled = false;  // it may change from one step of training to the next: passes ask `Work::number` for it
};

// Numbers of a step of which there are as many as it needs.
struct ListRule {
    const char* name = nullptr;
};

// Null: there is nothing to do.
template <class T>
struct Passes {
    void (*forward)(const Work<T>&) = nullptr;
    void (*backward)(const Work<T>&) = nullptr;
    void (*follow)(const Work<T>&, T* state) = nullptr;  // what the batch makes of the running statistics
};

constexpr bool never(const Step&, Mode) { return false; }
constexpr long nothing(const Step&, Mode, long, const Shape&) { return 0; }
constexpr long none(const Step&, long, long) { return 0; }

struct StepKind {
    const char* name = nullptr;
    bool many_inputs = false;        // two or more; otherwise one
    bool reads_codes = false;        // integers, which have no gradient
    Width width = Width::as_inputs;
    bool has_function = false;       // an activation
    std::array<SpanRule, 4> spans{};
    std::array<NumberRule, 2> numbers{};
    std::array<ListRule, 2> lists{};
    // What is wrong with the lists of a step of so many inputs, or null.
    const char* (*list_fault)(const Step&, long inputs) = nullptr;
    // Rows of the array whose length is a `table`, each as long as `table_width` says; lookups read few of them in a row.
    long (*table_rows)(const Step&, long inputs, long units) = none;
    long (*table_width)(const Step&, long inputs, long units) = none;
    bool looks_up = false;           // rows of the table, its first array, by codes: their gradient is in those alone
    long (*multiplications)(const Step&, long inputs, long units) = none;  // of a row, forward
    bool couples_rows = false;       // of a batch, in training

    // A matrix product with W, its first span: it takes in the ReLU after it and the derivative of the one before it, and
    // may read rows where the caller has them.
    bool is_product = false;
    bool (*passes_on)(const Step&, Mode) = never;    // the output is the input as it is
    bool (*overwrites)(const Step&, Mode) = never;   // the output may take the place of the input
    bool (*keeps_output)(const Step&, Mode) = never; // the way back reads the output
    // Numbers of memory that a step of so many rows needs besides.
    long (*extra)(const Step&, Mode, long rows, const Shape&) = nothing;

    // The way back works on the delta of the output in place, and that is handed on to the inputs, or it writes theirs.
    bool delta_in_place = false;     // where there is one input, the two deltas may be one
    bool writes_d_inputs = false;    // as a product does

    Passes<float> float32;
    Passes<double> float64;

    template <class T>
    const Passes<T>& passes() const {
        if constexpr (sizeof(T) == sizeof(float)) return float32;
        else return float64;
    }
};

// The kind of this name; throws std::invalid_argument where there is none.
const StepKind& kind_of(const std::string& name);

}  // namespace chainrule
