// Training, prediction, losses and gradients of a Program.
#include "bindings/arrays.h"
#include "bindings/gil.h"

#include <nanobind/stl/vector.h>

#include <exception>

namespace chainrule {
namespace {

using Objects = std::vector<nb::object>;

// The caller's data, and the arrays that keep it alive.
template <class T>
struct Bound {
    Data<T> data;
    std::vector<Readable> kept;

    template <class N>
    const N* numbers(Readable array, const std::string& name, int64_t count, int64_t rows) {
        kept.push_back(std::move(array));
        return numbers_of<N>(kept.back(), name, count, rows);
    }

    // Taking an array from Python is most of what a small one costs: it is done once.
    static Readable readable(nb::handle object, const std::string& name) {
        Readable array;
        if (!nb::try_cast<Readable>(object, array, false)) throw std::invalid_argument(name + " isn't an array that can be read");
        return array;
    }
};

template <class T>
Bound<T> bound_inputs(const Program& program, const Objects& inputs) {
    if (inputs.size() != program.inputs.size())
        throw std::invalid_argument("there are " + std::to_string(inputs.size()) + " input arrays for " +
                                    std::to_string(program.inputs.size()) + " inputs");
    Bound<T> bound;
    for (size_t i = 0; i < inputs.size(); ++i) {
        const int slot = program.inputs[i];
        const std::string name = "input " + std::to_string(i);
        Readable array = Bound<T>::readable(inputs[i], name);
        if (i == 0) {
            if (array.ndim() < 1) throw std::invalid_argument("input 0 has no rows");
            bound.data.rows = int64_t(array.shape(0));
        }
        const int64_t rows = bound.data.rows;
        const int64_t count = rows * program.widths[size_t(slot)];
        const bool codes = program.holds_codes(slot);
        bound.data.inputs.push_back(codes ? nullptr : bound.template numbers<T>(array, name, count, rows));
        bound.data.codes.push_back(codes ? bound.template numbers<int32_t>(array, name, count, rows) : nullptr);
    }
    return bound;
}

template <class T>
Bound<T> bound_data(const Program& program, const Objects& inputs, const Objects& targets, const Objects& weights) {
    Bound<T> bound = bound_inputs<T>(program, inputs);
    const size_t heads = program.heads.size();
    if (targets.size() != heads || weights.size() != heads)
        throw std::invalid_argument("there must be one target and one weight (an array or None) for each head");
    const int64_t rows = bound.data.rows;
    for (size_t i = 0; i < heads; ++i) {
        Target<T> target;
        const std::string name = "target " + std::to_string(i);
        Readable array = Bound<T>::readable(targets[i], name);
        if (array.dtype() == nb::dtype<int64_t>()) {
            target.labels = bound.template numbers<int64_t>(std::move(array), name, rows, rows);
        } else {
            const int64_t width = program.widths[size_t(program.heads[i].slot)];
            target.values = bound.template numbers<T>(std::move(array), name, rows * width, rows);
        }
        if (!weights[i].is_none()) {
            const std::string whose = "the row weights of head " + std::to_string(i);
            target.weights = bound.template numbers<T>(Bound<T>::readable(weights[i], whose), whose, rows, rows);
        }
        bound.data.targets.push_back(target);
    }
    return bound;
}

struct Vectors {
    int64_t members;
    bool single;  // float32
};

Vectors vectors_of(const Program& program, const Readable& parameters, const Readable& state) {
    if (parameters.ndim() != 2 || state.ndim() != 2 || state.shape(0) != parameters.shape(0))
        throw std::invalid_argument("parameters and state have the shapes " + shape_text(parameters) + " and " +
                                    shape_text(state) + "; (members, size) was expected for both");
    if (int64_t(parameters.shape(1)) != program.parameters || int64_t(state.shape(1)) != program.state)
        throw std::invalid_argument("the program has " + std::to_string(program.parameters) + " parameters and " +
                                    std::to_string(program.state) + " numbers of state");
    const bool single = parameters.dtype() == nb::dtype<float>();
    if (!single && parameters.dtype() != nb::dtype<double>())
        throw std::invalid_argument("parameters must be float32 or float64");
    return {int64_t(parameters.shape(0)), single};
}

template <class T, class A>
auto* vector_of(const A& array, const std::string& name, int64_t members, int64_t size) {
    return numbers_of<T>(array, name, members * size, members);
}

Sums sums_of(const Program& program, int64_t members, const Writable& losses, const Writable& weights,
             const Writable& penalties) {
    const int64_t heads = int64_t(program.heads.size());
    return {numbers_of<double>(losses, "losses", members * heads, members),
            numbers_of<double>(weights, "weights", members * heads, members),
            numbers_of<double>(penalties, "penalties", members, members)};
}

// Pairs of a step of the program and its number's values, and the arrays that keep them alive.
struct BoundSchedules {
    std::vector<Scheduled> scheduled;
    std::vector<Readable> kept;
};

BoundSchedules bound_schedules(const Objects& pairs, int64_t count) {
    BoundSchedules bound;
    for (const nb::object& object : pairs) {
        size_t step = 0;
        if (!nb::isinstance<nb::tuple>(object) || nb::len(object) != 2 || !nb::try_cast<size_t>(object[0], step, false))
            throw std::invalid_argument("what is scheduled comes as pairs of a step and its values");
        bound.kept.push_back(Bound<double>::readable(nb::object(object[1]), "scheduled values"));
        bound.scheduled.push_back({step, numbers_of<double>(bound.kept.back(), "scheduled values", count)});
    }
    return bound;
}

// A call without Python's lock, which lets Python see signals and asks whether to stop. An exception stops too, and is
// raised when the core has returned.
class Watch {
public:
    explicit Watch(nb::object should_stop = nb::none()) : should_stop_(std::move(should_stop)) {}

    // call(stop)
    template <class F>
    auto run(F&& call) {
        const auto result = [&] {
            Unlocked unlocked;
            unlocked_ = &unlocked;
            Stop stop(ask, this);
            return call(stop);
        }();
        if (error_) std::rethrow_exception(error_);
        return result;
    }

private:
    static bool ask(void* context) {
        Watch& watch = *static_cast<Watch*>(context);
        return watch.unlocked_->locked([&] {
            try {
                if (PyErr_CheckSignals() != 0) throw nb::python_error();
                return !watch.should_stop_.is_none() && nb::cast<bool>(watch.should_stop_());
            } catch (const std::exception&) {
                watch.error_ = std::current_exception();
                return true;
            }
        });
    }

    nb::object should_stop_;
    Unlocked* unlocked_ = nullptr;
    std::exception_ptr error_;
};

Optimizer optimizer_of(const nb::dict& form) {
    Optimizer o;
    const std::string kind = nb::cast<nb::str>(form["kind"]).c_str();
    if (kind == "sgd") o.kind = Optimizer::Kind::sgd;
    else if (kind == "adagrad") o.kind = Optimizer::Kind::adagrad;
    else if (kind == "rmsprop") o.kind = Optimizer::Kind::rmsprop;
    else if (kind == "adam") o.kind = Optimizer::Kind::adam;
    else throw std::invalid_argument("there is no optimizer \"" + kind + "\" in the native core");
    struct Number {
        const char* name;
        double* value;
    };
    struct Switch {
        const char* name;
        bool* value;
    };
    const Number numbers[] = {{"momentum", &o.momentum}, {"dampening", &o.dampening}, {"weight_decay", &o.weight_decay},
                              {"rate_decay", &o.rate_decay}, {"rho", &o.rho}, {"beta1", &o.beta1}, {"beta2", &o.beta2},
                              {"epsilon", &o.epsilon}};
    const Switch switches[] = {{"nesterov", &o.nesterov}, {"centered", &o.centered}, {"amsgrad", &o.amsgrad},
                               {"decoupled", &o.decoupled}, {"sklearn", &o.sklearn}};
    for (const Number& number : numbers)
        if (form.contains(number.name)) *number.value = nb::cast<double>(form[number.name]);
    for (const Switch& flag : switches)
        if (form.contains(flag.name)) *flag.value = nb::cast<bool>(form[flag.name]);
    return o;
}

struct TrainArguments {
    const Program& program;
    int64_t members;
    const Writable &parameters, &state, &slots;
    const Objects &inputs, &targets, &weights;
    const Readable& order;
    long batch_size;
    const Readable& rates;
    const nb::object& weight_decays;
    const Objects& scheduled;
    uint64_t first_step, memory_from;
    Sums sums;
    Optimizer optimizer;
    uint64_t seed;
    double clip_norm;
    long every;
    const std::vector<int>& watched;
    const Writable &vitals, &vital_losses, &vital_weights;
    Watch& watch;
    int threads;
};

VitalSigns vitals_of(const TrainArguments& a, long steps) {
    VitalSigns vitals{a.every, a.watched};
    if (a.every < 0) throw std::invalid_argument("steps can't be sampled so often");
    long samples = 0;
    for (long step = 0; a.every > 0 && step < steps; ++step) samples += vitals.sample(a.first_step, step) >= 0;
    const int64_t heads = int64_t(a.program.heads.size()), of_heads = samples * a.members * heads;
    vitals.numbers = numbers_of<double>(a.vitals, "vitals", samples * a.members * int64_t(a.program.steps.size()) * n_vitals);
    vitals.losses = numbers_of<double>(a.vital_losses, "vital losses", of_heads);
    vitals.weights = numbers_of<double>(a.vital_weights, "vital weights", of_heads);
    return vitals;
}

template <class T>
Outcome run_training(const TrainArguments& a) {
    const Program& program = a.program;
    Bound<T> bound = bound_data<T>(program, a.inputs, a.targets, a.weights);
    TrainJob<T> job;
    job.members = a.members;
    job.parameters = vector_of<T>(a.parameters, "parameters", a.members, program.parameters);
    job.state = vector_of<T>(a.state, "state", a.members, program.state);
    job.slots = vector_of<T>(a.slots, "slots", a.members, a.optimizer.slots() * program.parameters);
    job.data = bound.data;
    if (a.order.ndim() != 2) throw std::invalid_argument("the row order must have the shape (members, rows)");
    job.rows_in_order = long(a.order.shape(1));
    job.order = vector_of<int64_t>(a.order, "order", a.members, job.rows_in_order);
    job.batch = a.batch_size;
    job.steps = long(a.rates.size());
    job.rates = numbers_of<double>(a.rates, "rates", job.steps);
    Readable weight_decays;
    if (!a.weight_decays.is_none()) {
        weight_decays = Bound<T>::readable(a.weight_decays, "weight decays");
        job.weight_decays = numbers_of<double>(weight_decays, "weight decays", job.steps);
    }
    const BoundSchedules schedules = bound_schedules(a.scheduled, job.steps);
    job.scheduled = schedules.scheduled;
    job.first_step = a.first_step;
    job.memory_from = a.memory_from;
    job.sums = a.sums;
    job.optimizer = a.optimizer;
    job.seed = a.seed;
    job.clip_norm = a.clip_norm;
    job.threads = a.threads;
    job.vitals = vitals_of(a, job.steps);
    return a.watch.run([&](Stop& stop) {
        job.stop = &stop;
        return train(program, job);
    });
}

nb::tuple train_program(const Program& program, const Writable& parameters, const Writable& state, const Writable& slots,
                        const Objects& inputs, const Objects& targets, const Objects& weights, const Readable& order,
                        long batch_size, const Readable& rates, nb::object weight_decays, const Objects& scheduled,
                        uint64_t first_step, uint64_t memory_from,
                        const Writable& loss_sums, const Writable& weight_sums, const Writable& penalty_sums,
                        const nb::dict& optimizer, uint64_t seed, nb::object clip_norm, long every,
                        const std::vector<int>& watched, const Writable& vitals, const Writable& vital_losses,
                        const Writable& vital_weights, nb::object should_stop, int threads) {
    const Vectors vectors = vectors_of(program, Readable(parameters), Readable(state));
    Watch watch(std::move(should_stop));
    const TrainArguments arguments{program, vectors.members, parameters, state, slots, inputs, targets, weights, order,
                                   batch_size, rates, weight_decays, scheduled, first_step, memory_from,
                                   sums_of(program, vectors.members, loss_sums, weight_sums, penalty_sums),
                                   optimizer_of(optimizer), seed,
                                   clip_norm.is_none() ? 0.0 : nb::cast<double>(clip_norm), every, watched,
                                   vitals, vital_losses, vital_weights, watch, threads};
    const Outcome outcome = vectors.single ? run_training<float>(arguments) : run_training<double>(arguments);
    return nb::make_tuple(outcome.steps, outcome.diverged, outcome.diverged_member, outcome.stopped);
}

template <class T>
bool run_predict(const Program& program, int64_t members, const Readable& parameters, const Readable& state,
                 const Objects& inputs, const std::vector<Writable>& outputs, int threads) {
    Bound<T> bound = bound_inputs<T>(program, inputs);
    std::vector<T*> to;
    for (size_t i = 0; i < outputs.size(); ++i) {
        const int64_t width = program.widths[size_t(program.outputs[i])];
        to.push_back(vector_of<T>(outputs[i], "output " + std::to_string(i), members, bound.data.rows * width));
    }
    const T* p = vector_of<T>(parameters, "parameters", members, program.parameters);
    const T* s = vector_of<T>(state, "state", members, program.state);
    return Watch().run([&](Stop& stop) { return predict<T>(program, members, p, s, bound.data, to, threads, &stop); });
}

bool predict_program(const Program& program, const Readable& parameters, const Readable& state, const Objects& inputs,
                     const std::vector<Writable>& outputs, int threads) {
    const Vectors vectors = vectors_of(program, parameters, state);
    if (outputs.size() != program.outputs.size()) throw std::invalid_argument("there must be one array for each output");
    return vectors.single ? run_predict<float>(program, vectors.members, parameters, state, inputs, outputs, threads)
                          : run_predict<double>(program, vectors.members, parameters, state, inputs, outputs, threads);
}

template <class T>
void run_losses(const Program& program, int64_t members, const Readable& parameters, const Readable& state,
                const Objects& inputs, const Objects& targets, const Objects& weights, const Sums& sums, int threads) {
    Bound<T> bound = bound_data<T>(program, inputs, targets, weights);
    const T* p = vector_of<T>(parameters, "parameters", members, program.parameters);
    const T* s = vector_of<T>(state, "state", members, program.state);
    Watch().run([&](Stop& stop) {
        losses<T>(program, members, p, s, bound.data, sums, threads, &stop);
        return true;
    });
}

void losses_of_program(const Program& program, const Readable& parameters, const Readable& state, const Objects& inputs,
                       const Objects& targets, const Objects& weights, const Writable& loss_sums,
                       const Writable& weight_sums, const Writable& penalty_sums, int threads) {
    const Vectors vectors = vectors_of(program, parameters, state);
    const Sums sums = sums_of(program, vectors.members, loss_sums, weight_sums, penalty_sums);
    auto run = vectors.single ? run_losses<float> : run_losses<double>;
    run(program, vectors.members, parameters, state, inputs, targets, weights, sums, threads);
}

template <class T>
void run_gradients(const Program& program, int64_t members, const Readable& parameters, const Writable& state,
                   const Objects& inputs, const Objects& targets, const Objects& weights, bool training, uint64_t seed,
                   uint64_t step, const Objects& scheduled, const Writable& gradient, const Sums& sums, int threads) {
    const BoundSchedules schedules = bound_schedules(scheduled, 1);
    Bound<T> bound = bound_data<T>(program, inputs, targets, weights);
    const T* p = vector_of<T>(parameters, "parameters", members, program.parameters);
    T* s = vector_of<T>(state, "state", members, program.state);
    T* g = vector_of<T>(gradient, "gradient", members, program.parameters);
    Watch().run([&](Stop& stop) {
        gradients<T>(program, members, p, s, bound.data, training, seed, step, schedules.scheduled, g, sums, threads, &stop);
        return true;
    });
}

void gradients_of_program(const Program& program, const Readable& parameters, const Writable& state, const Objects& inputs,
                          const Objects& targets, const Objects& weights, bool training, uint64_t seed, uint64_t step,
                          const Objects& scheduled, const Writable& gradient, const Writable& loss_sums, const Writable& weight_sums,
                          const Writable& penalty_sums, int threads) {
    const Vectors vectors = vectors_of(program, parameters, Readable(state));
    const Sums sums = sums_of(program, vectors.members, loss_sums, weight_sums, penalty_sums);
    auto run = vectors.single ? run_gradients<float> : run_gradients<double>;
    run(program, vectors.members, parameters, state, inputs, targets, weights, training, seed, step, scheduled, gradient, sums,
        threads);
}

}  // namespace

void init_running(nb::class_<Program>& program) {
    program.def("train", &train_program, nb::kw_only(), nb::arg("parameters"), nb::arg("state"), nb::arg("slots"),
                nb::arg("inputs"), nb::arg("targets"), nb::arg("weights"), nb::arg("order"), nb::arg("batch_size"),
                nb::arg("rates"), nb::arg("weight_decays").none(), nb::arg("scheduled"), nb::arg("first_step"), nb::arg("memory_from"), nb::arg("loss_sums"),
                nb::arg("weight_sums"), nb::arg("penalty_sums"), nb::arg("optimizer"), nb::arg("seed"),
                nb::arg("clip_norm").none(), nb::arg("every"), nb::arg("watched"), nb::arg("vitals"),
                nb::arg("vital_losses"), nb::arg("vital_weights"), nb::arg("should_stop").none(), nb::arg("threads"),
                "Do one step for each learning rate, with the weight decay of each unless they are None, and with the values\n"
                "of each step for the numbers that are scheduled; returns the steps done, the step and the member that diverged\n"
                "(-1 if none did), and whether it was stopped. Of each step whose number is a multiple of `every` (unless that\n"
                "is 0) it writes vitals, as `watched` says for each step of the program, and the heads' losses and weights.");
    program.def("predict", &predict_program, nb::kw_only(), nb::arg("parameters"), nb::arg("state"), nb::arg("inputs"),
                nb::arg("outputs"), nb::arg("threads"), 
                "Write each output, (members, rows, width), into its array; returns True where sums say that every number that\n"
                "came in and went out is finite.");
    program.def("losses", &losses_of_program, nb::kw_only(), nb::arg("parameters"), nb::arg("state"), nb::arg("inputs"),
                nb::arg("targets"), nb::arg("weights"), nb::arg("loss_sums"), nb::arg("weight_sums"), nb::arg("penalty_sums"),
                nb::arg("threads"), "Add the head losses over all rows, as in prediction, to the sums.");
    program.def("gradients", &gradients_of_program, nb::kw_only(), nb::arg("parameters"), nb::arg("state"), nb::arg("inputs"),
                nb::arg("targets"), nb::arg("weights"), nb::arg("training"), nb::arg("seed"), nb::arg("step"),
                nb::arg("scheduled"), nb::arg("gradient"), nb::arg("loss_sums"), nb::arg("weight_sums"), nb::arg("penalty_sums"),
                nb::arg("threads"), "All rows as one batch: fill `gradient`, follow the statistics in `state`.");
}

}  // namespace chainrule
