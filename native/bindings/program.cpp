// A Program from plain Python data.
#include "bindings/arrays.h"

#include <nanobind/stl/vector.h>

#include <map>

namespace chainrule {
namespace {

template <class E>
E one_of(const std::string& what, const std::string& name, const std::map<std::string, E>& names) {
    const auto found = names.find(name);
    if (found == names.end()) throw std::invalid_argument("there is no " + what + " \"" + name + "\" in the native core");
    return found->second;
}

const std::map<std::string, Activation> activations = {
    {"linear", Activation::linear}, {"sigmoid", Activation::sigmoid}, {"tanh", Activation::tanh},
    {"relu", Activation::relu}, {"leaky_relu", Activation::leaky_relu}, {"elu", Activation::elu},
    {"selu", Activation::selu}, {"gelu", Activation::gelu},
    {"silu", Activation::silu}, {"mish", Activation::mish}, {"softplus", Activation::softplus},
    {"exponential", Activation::exponential}, {"softmax", Activation::softmax}, {"threshold", Activation::threshold},
};

const std::map<std::string, Loss> losses_by_name = {
    {"squared_error", Loss::squared_error}, {"half_squared_error", Loss::half_squared_error},
    {"absolute_error", Loss::absolute_error}, {"huber", Loss::huber}, {"quantile", Loss::quantile},
    {"poisson", Loss::poisson}, {"poisson_deviance", Loss::poisson_deviance}, {"binary_cross_entropy", Loss::binary_cross_entropy},
    {"cross_entropy", Loss::cross_entropy},
};

Loss fused(Loss loss) {
    switch (loss) {
        case Loss::poisson: return Loss::poisson_fused;
        case Loss::poisson_deviance: return Loss::poisson_deviance_fused;
        case Loss::binary_cross_entropy: return Loss::binary_cross_entropy_fused;
        case Loss::cross_entropy: return Loss::cross_entropy_fused;
        default: return loss;  // with the identity nothing changes
    }
}

// Reads the entries of a dict and, at the end, complains of those that nobody asked for.
class Entries {
public:
    Entries(nb::dict entries, std::string owner) : entries_(std::move(entries)), owner_(std::move(owner)) {}

    template <class V>
    void read(const char* name, V& value) {
        if (!entries_.contains(name)) return;
        ++read_;
        if (!nb::try_cast<V>(entries_[name], value)) throw std::invalid_argument(owner_ + ": " + name + " has the wrong type");
    }

    std::string text(const char* name) {
        nb::str value;
        read(name, value);
        if (!value.is_valid()) throw std::invalid_argument(owner_ + " has no entry " + name);
        return value.c_str();
    }

    void done() const {
        if (read_ != entries_.size()) throw std::invalid_argument(owner_ + " has entries that are not known");
    }

private:
    nb::dict entries_;
    std::string owner_;
    size_t read_ = 0;
};

Step step_of(nb::dict form, size_t index) {
    Entries entries(std::move(form), "step " + std::to_string(index));
    const StepKind& kind = kind_of(entries.text("kind"));
    Step step(kind);
    entries.read("inputs", step.inputs);
    entries.read("output", step.output);
    if (kind.has_function) step.function = one_of("activation", entries.text("function"), activations);
    for (size_t i = 0; i < kind.spans.size() && kind.spans[i].name; ++i) entries.read(kind.spans[i].name, step.spans[i]);
    for (size_t i = 0; i < kind.numbers.size() && kind.numbers[i].name; ++i) entries.read(kind.numbers[i].name, step.numbers[i]);
    for (size_t i = 0; i < kind.lists.size() && kind.lists[i].name; ++i) entries.read(kind.lists[i].name, step.lists[i]);
    entries.done();
    // One activation with a switch, to Python.
    if (step.function == Activation::gelu && step.numbers[0] != 0) step.function = Activation::gelu_tanh;
    return step;
}

Head head_of(nb::dict form, size_t index) {
    Entries entries(std::move(form), "head " + std::to_string(index));
    Head head;
    bool is_fused = false;
    head.loss = one_of("loss", entries.text("loss"), losses_by_name);
    entries.read("fused", is_fused);
    if (is_fused) head.loss = fused(head.loss);
    entries.read("slot", head.slot);
    entries.read("parameter", head.parameter);
    entries.read("weight", head.weight);
    entries.done();
    return head;
}

ParameterRun run_of(const nb::tuple& form) {
    if (form.size() != 7)
        throw std::invalid_argument("a run of parameters is (begin, end, trainable, rate_factor, decay_factor, l1, l2)");
    return {nb::cast<long>(form[0]), nb::cast<long>(form[1]), nb::cast<bool>(form[2]), nb::cast<double>(form[3]),
            nb::cast<double>(form[4]), nb::cast<double>(form[5]), nb::cast<double>(form[6])};
}

}  // namespace

void init_program(nb::module_& m) {
    nb::class_<Program> program(m, "Program", "A network, its losses and the runs of its parameters, as the core runs them.");
    program.def(
        "__init__",
        [](Program* self, const std::vector<long>& widths, const std::vector<int>& inputs, const std::vector<int>& codes,
           const std::vector<int>& outputs, const std::vector<nb::dict>& steps, const std::vector<nb::dict>& heads,
           const std::vector<nb::tuple>& runs,
           long parameters, long state, bool mean, bool sklearn) {
            Program made;
            made.widths = widths;
            made.inputs = inputs;
            made.codes = codes;
            made.outputs = outputs;
            for (size_t i = 0; i < steps.size(); ++i) made.steps.push_back(step_of(steps[i], i));
            for (size_t i = 0; i < heads.size(); ++i) made.heads.push_back(head_of(heads[i], i));
            for (const nb::tuple& run : runs) made.runs.push_back(run_of(run));
            made.parameters = parameters;
            made.state = state;
            made.mean = mean;
            made.sklearn = sklearn;
            made.check();
            new (self) Program(std::move(made));
        },
        nb::kw_only(), nb::arg("widths"), nb::arg("inputs"), nb::arg("codes"), nb::arg("outputs"), nb::arg("steps"),
        nb::arg("heads"), nb::arg("runs"), nb::arg("parameters"), nb::arg("state"), nb::arg("mean"), nb::arg("sklearn"),
        nb::sig("def __init__(self, *, widths: list[int], inputs: list[int], codes: list[int], outputs: list[int], "
                "steps: list[dict[str, typing.Any]], heads: list[dict[str, typing.Any]], "
                "runs: list[tuple[int, int, bool, float, float, float, float]], parameters: int, state: int, mean: bool, sklearn: bool) -> None"));
    init_running(program);
}

}  // namespace chainrule
