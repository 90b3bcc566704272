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

const std::map<std::string, StepKind> step_kinds = {
    {"dense", StepKind::dense}, {"activation", StepKind::activation}, {"batch_norm", StepKind::batch_norm},
    {"dropout", StepKind::dropout}, {"add", StepKind::add}, {"concatenate", StepKind::concatenate},
    {"flatten", StepKind::flatten},
};

const std::map<std::string, Activation> activations = {
    {"linear", Activation::linear}, {"sigmoid", Activation::sigmoid}, {"tanh", Activation::tanh},
    {"relu", Activation::relu}, {"leaky_relu", Activation::leaky_relu}, {"elu", Activation::elu},
    {"selu", Activation::selu}, {"gelu", Activation::gelu}, {"gelu_tanh", Activation::gelu_tanh},
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
    Step step;
    step.kind = one_of("layer", entries.text("kind"), step_kinds);
    entries.read("inputs", step.inputs);
    entries.read("output", step.output);
    entries.read("weights", step.weights);
    entries.read("bias", step.bias);
    if (step.kind == StepKind::activation) step.activation = one_of("activation", entries.text("activation"), activations);
    entries.read("parameter", step.parameter);
    entries.read("scale", step.scale);
    entries.read("shift", step.shift);
    entries.read("mean", step.mean);
    entries.read("variance", step.variance);
    entries.read("momentum", step.momentum);
    entries.read("epsilon", step.epsilon);
    entries.done();
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

}  // namespace

void init_program(nb::module_& m) {
    nb::class_<Program> program(m, "Program", "A network, its losses and penalties, as the core runs them.");
    program.def(
        "__init__",
        [](Program* self, const std::vector<long>& widths, const std::vector<int>& inputs, const std::vector<int>& outputs,
           const std::vector<nb::dict>& steps, const std::vector<nb::dict>& heads, const std::vector<nb::tuple>& penalties,
           long parameters, long state, bool mean, bool sklearn) {
            Program made;
            made.widths = widths;
            made.inputs = inputs;
            made.outputs = outputs;
            for (size_t i = 0; i < steps.size(); ++i) made.steps.push_back(step_of(steps[i], i));
            for (size_t i = 0; i < heads.size(); ++i) made.heads.push_back(head_of(heads[i], i));
            for (const nb::tuple& run : penalties) {
                if (run.size() != 4) throw std::invalid_argument("a penalty is (begin, end, l1, l2)");
                made.penalties.push_back({nb::cast<long>(run[0]), nb::cast<long>(run[1]), nb::cast<double>(run[2]),
                                          nb::cast<double>(run[3])});
            }
            made.parameters = parameters;
            made.state = state;
            made.mean = mean;
            made.sklearn = sklearn;
            made.check();
            new (self) Program(std::move(made));
        },
        nb::kw_only(), nb::arg("widths"), nb::arg("inputs"), nb::arg("outputs"), nb::arg("steps"), nb::arg("heads"),
        nb::arg("penalties"), nb::arg("parameters"), nb::arg("state"), nb::arg("mean"), nb::arg("sklearn"),
        nb::sig("def __init__(self, *, widths: list[int], inputs: list[int], outputs: list[int], "
                "steps: list[dict[str, typing.Any]], heads: list[dict[str, typing.Any]], "
                "penalties: list[tuple[int, int, float, float]], parameters: int, state: int, mean: bool, sklearn: bool) -> None"));
    init_running(program);
}

}  // namespace chainrule
