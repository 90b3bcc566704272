// Whole programs: gradients against differences, the same bits for any number of threads, divergence, refusals.
#include <algorithm>
#include <functional>
#include <limits>
#include <stdexcept>
#include <string>

#include "builder.h"
#include "check.h"
#include "core/evaluator.h"
#include "core/trainer.h"

using namespace chainrule;

namespace {

constexpr int32_t first_code = 1 << 24;  // from here on not every integer is a float

// Three inputs, one of them codes, branches, everything that a step can be, three heads.
Program everything() {
    Builder b;
    const int x = b.input(5), y = b.input(6);
    const int h = b.activation(b.dense(x, 9), Activation::tanh);
    const int g = b.activation(b.dense(b.other("flatten", {y}), 9), Activation::gelu);
    const int sum = b.other("mix", {b.other("add", {h, g, h}), g});
    const int wide = b.other("dropout", {b.other("concatenate", {sum, h, y})}, 0.25);
    const int norm = b.other("batch_norm", {b.activation(b.dense(wide, 33), Activation::softplus)});
    const int codes = b.input(2), keys = b.input(2);
    b.program.codes = {codes, keys};
    const int low = b.other("piecewise_linear", {y}, 0, 9, {{{3, 2, 0, 1, 2, 3}, {-1, 0, 0.5, -2, 2, 1, 0, 1, -0.5, -0.25, 0.75}}});
    const int high = b.other("piecewise_linear", {h}, 0, 9, {{{2, 2, 2, 2, 0, 3, 1, 0, 2}, {-1, 1, 0, 1, -1, 0, 0, 2, -1, 0, 0.5, 0, -3, 3}}});
    const int bent = b.other("add", {low, b.other("embedding_sum", {keys}, 0, 9, {{{40}}}), high});
    const int rows = b.other("embedding", {keys}, 0, 6, {{{40, 3}}});
    const int hot = b.other("concatenate", {b.other("scale", {sum}), b.other("one_hot", {codes}, first_code, 6), bent, rows});
    b.head(b.dense(b.other("scale", {norm}), 1), Loss::squared_error, 0.5);
    b.head(b.dense(h, 3), Loss::cross_entropy_fused);
    b.head(b.activation(b.dense(hot, 4), Activation::sigmoid), Loss::binary_cross_entropy, 2);
    b.program.runs = {{0, 40, true, 1, 1, 0.01, 0.02}, {40, 64}, {64, 100, true, 1, 1, 0, 0.1}, {100, b.program.parameters}};
    b.program.check();
    return b.program;
}

template <class T>
struct Fixture {
    const Program& program;
    long rows;
    std::vector<T> x, y, t0, t2, weights, parameters, state;
    std::vector<int64_t> labels, order;
    std::vector<int32_t> codes, keys;
    Data<T> data;

    Fixture(const Program& program_, long rows_) : program(program_), rows(rows_) {
        const size_t n = size_t(rows);
        x = random_numbers<T>(n * 5, 1);
        y = random_numbers<T>(n * 6, 2);
        t0 = random_numbers<T>(n, 3);
        t2 = random_numbers<T>(n * 4, 4);
        for (T& t : t2) t = t > 0 ? T(1) : T(0);
        weights = random_numbers<T>(n, 5);
        for (T& w : weights) w = w * w;
        parameters = random_numbers<T>(size_t(program.parameters), 6);
        state.assign(size_t(program.state), T(0.5));
        for (long r = 0; r < rows; ++r) {
            labels.push_back(r % 3);
            order.push_back((r * 7 + 3) % rows);
            codes.push_back(first_code + int32_t(r % 3));
            codes.push_back(first_code + int32_t(r / 3 % 3));
            keys.push_back(int32_t(r * r % 41));  // 40 is beyond them: no row of a table
            keys.push_back(int32_t(r % 3));
        }
        data = {rows, {x.data(), y.data()}, {{t0.data(), nullptr, nullptr}, {nullptr, labels.data(), weights.data()}, {t2.data(), nullptr, nullptr}}};
        if (!program.codes.empty()) {
            data.inputs.insert(data.inputs.end(), {nullptr, nullptr});
            data.codes = {nullptr, nullptr, codes.data(), keys.data()};
        }
    }
};

double objective(const Program& program, const Fixture<double>& f, const std::vector<double>& parameters, bool training,
                 std::vector<double>* gradient) {
    std::vector<double> state = f.state, losses(3), weights(3), vector(parameters.size());
    double penalty = 0;
    gradients<double>(program, 1, parameters.data(), state.data(), f.data, training, 42, 9, {}, vector.data(),
                      {losses.data(), weights.data(), &penalty}, 1);
    if (gradient) *gradient = vector;
    double total = penalty;
    for (size_t i = 0; i < 3; ++i) total += program.heads[i].weight * losses[i] / weights[i];
    return total;
}

void test_gradients() {
    const Program program = everything();
    const Fixture<double> f(program, 21);
    for (bool training : {true, false}) {
        std::vector<double> gradient, nudged = f.parameters;
        objective(program, f, f.parameters, training, &gradient);
        const double step = 1e-5;
        for (size_t i = 0; i < nudged.size(); ++i) {
            nudged[i] = f.parameters[i] + step;
            const double above = objective(program, f, nudged, training, nullptr);
            nudged[i] = f.parameters[i] - step;
            const double below = objective(program, f, nudged, training, nullptr);
            nudged[i] = f.parameters[i];
            const double slope = (above - below) / (2 * step);
            CHECK(std::fabs(slope - gradient[i]) <= 2e-8 * (1 + std::fabs(slope)), "parameter %zu: %.12g is not %.12g", i,
                  gradient[i], slope);
        }
    }
}

template <class T>
struct Result {
    std::vector<T> parameters, state, slots;
    std::vector<double> losses, weights, penalties;
    Outcome outcome;
    bool operator==(const Result& o) const {
        return parameters == o.parameters && state == o.state && slots == o.slots && losses == o.losses && penalties == o.penalties;
    }
};

template <class T>
Result<T> train_some(const Program& program, const Fixture<T>& f, long members, int threads, double clip, double rate = 0.01,
                     const Data<T>* data = nullptr, const VitalSigns& vitals = {}) {
    Result<T> result;
    std::vector<int64_t> order;
    for (long m = 0; m < members; ++m) {
        result.parameters.insert(result.parameters.end(), f.parameters.begin(), f.parameters.end());
        result.state.insert(result.state.end(), f.state.begin(), f.state.end());
        order.insert(order.end(), f.order.begin(), f.order.end());
    }
    result.slots.assign(3 * result.parameters.size(), T(0));
    result.losses.assign(size_t(members) * program.heads.size(), 0);
    result.weights = result.losses;
    result.penalties.assign(size_t(members), 0);
    TrainJob<T> job;
    job.members = members;
    job.parameters = result.parameters.data();
    job.state = result.state.data();
    job.slots = result.slots.data();
    job.data = data ? *data : f.data;
    job.order = order.data();
    job.rows_in_order = f.rows;
    job.batch = 64;
    const std::vector<double> rates(size_t((f.rows + 63) / 64), rate);
    job.rates = rates.data();
    job.steps = long(rates.size());
    job.sums = {result.losses.data(), result.weights.data(), result.penalties.data()};
    job.seed = 7;
    job.clip_norm = clip;
    job.threads = threads;
    job.vitals = vitals;
    result.outcome = train(program, job);
    return result;
}

// Big enough for products and passes to be shared out.
Program large() {
    Builder b;
    const int x = b.input(5), y = b.input(6);
    const int h = b.activation(b.dense(b.other("concatenate", {x, y}), 300), Activation::relu);
    const int norm = b.other("dropout", {b.other("batch_norm", {b.dense(h, 410)})}, 0.5);
    const int top = b.activation(norm, Activation::tanh);
    b.head(b.dense(top, 1), Loss::squared_error);
    b.head(b.dense(top, 3), Loss::cross_entropy_fused);
    b.head(b.dense(h, 4), Loss::binary_cross_entropy_fused);
    b.learn_all(0.001, 0.002);
    b.program.check();
    return b.program;
}

// Looking at every second step changes no bit, and what is seen is the same for any number of threads.
template <class T>
void test_vitals() {
    for (const Program& program : {everything(), large()}) {
        const Fixture<T> f(program, 200);
        for (long members : {1L, 3L})
            for (double clip : {0.0, 0.1}) {
                const Result<T> unseen = train_some(program, f, members, 1, clip);
                std::vector<double> first;
                for (int threads : {1, 3}) {
                    VitalSigns signs{2, std::vector<int>(program.steps.size(), 15)};
                    std::vector<double> numbers(size_t(2 * members) * program.steps.size() * n_vitals);
                    std::vector<double> losses(size_t(2 * members) * program.heads.size()), weights = losses;
                    signs.numbers = numbers.data();
                    signs.losses = losses.data();
                    signs.weights = weights.data();
                    CHECK(train_some(program, f, members, threads, clip, 0.01, &f.data, signs) == unseen, "looked at with %d threads", threads);
                    numbers.insert(numbers.end(), losses.begin(), losses.end());
                    if (threads == 1) first = numbers;
                    CHECK(numbers == first && losses[0] != 0 && weights[0] != 0, "vitals with %d threads", threads);
                    CHECK(*std::max_element(numbers.begin(), numbers.end()) > 0, "nothing was seen");
                }
            }
    }
}

template <class T>
void test_threads() {
    for (const Program& program : {everything(), large()}) {
        const Fixture<T> f(program, 200);
        for (long members : {1L, 3L})
            for (double clip : {0.0, 0.1}) {
                const Result<T> one = train_some(program, f, members, 1, clip);
                CHECK(one.outcome.steps == 4 && one.outcome.diverged < 0, "%ld steps", one.outcome.steps);
                for (int threads : {2, 3, 5})
                    CHECK(train_some(program, f, members, threads, clip) == one, "%d threads, %ld members", threads, members);
            }
        std::vector<std::vector<T>> outputs;
        for (int threads : {1, 2, 4}) {
            std::vector<T> age(200), mood(600), other(800);
            predict<T>(program, 1, f.parameters.data(), f.state.data(), f.data, {age.data(), mood.data(), other.data()}, threads);
            age.insert(age.end(), mood.begin(), mood.end());
            age.insert(age.end(), other.begin(), other.end());
            outputs.push_back(age);
            CHECK(outputs[0] == age, "prediction with %d threads", threads);
        }
        // A row's prediction doesn't depend on its neighbours.
        Data<T> row{1, {f.x.data() + 5 * 77, f.y.data() + 6 * 77}, {}};
        if (!program.codes.empty()) {
            row.inputs.insert(row.inputs.end(), {nullptr, nullptr});
            row.codes = {nullptr, nullptr, f.codes.data() + 2 * 77, f.keys.data() + 2 * 77};
        }
        T age;
        std::vector<T> mood(3), other(4);
        predict<T>(program, 1, f.parameters.data(), f.state.data(), row, {&age, mood.data(), other.data()}, 1);
        CHECK(age == outputs[0][77], "one row alone: %g is not %g", double(age), double(outputs[0][77]));
    }
}

template <class T>
void test_divergence() {
    const Program program = everything();
    Fixture<T> f(program, 200);
    f.x[size_t(5 * f.order[130])] = std::numeric_limits<T>::quiet_NaN();  // in the third batch
    for (long members : {1L, 2L}) {
        const Result<T> result = train_some(program, f, members, 1, 0);
        CHECK(result.outcome.diverged == 2 && result.outcome.steps == 2, "step %ld", result.outcome.diverged);
        for (T p : result.parameters) CHECK(std::isfinite(p), "the step that diverged must change nothing");
        for (double loss : result.losses) CHECK(std::isfinite(loss), "nor the sums");
    }
}

// Codes that are one number as floats stay two, on every way that rows come in.
template <class T>
void test_codes() {
    Builder b;
    const int codes = b.input(1);
    b.program.codes = {codes};
    b.head(b.dense(b.other("one_hot", {codes}, 2147483644.0, 4), 1), Loss::squared_error);
    b.learn_all();
    b.program.check();
    const long rows = 100;
    std::vector<T> parameters(size_t(b.program.parameters), T(0)), targets, outputs(100), slots(3 * parameters.size());
    std::vector<int32_t> given;
    std::vector<int64_t> order;
    for (long r = 0; r < rows; ++r) {
        given.push_back(2147483644 + int32_t(r * 7 % 4));
        targets.push_back(T(r * 7 % 4));
        order.push_back(rows - 1 - r);
    }
    for (int code = 0; code < 4; ++code) parameters[size_t(b.program.steps[1].spans[0] + code)] = T(code);
    const Data<T> data{rows, {nullptr}, {{targets.data(), nullptr, nullptr}}, {given.data()}};
    for (long n : {1L, 16L, rows}) {  // rows in place, and copied
        Data<T> some = data;
        some.rows = n;
        predict<T>(b.program, 1, parameters.data(), nullptr, some, {outputs.data()}, 1);
        for (long r = 0; r < n; ++r) CHECK(outputs[size_t(r)] == targets[size_t(r)], "code %d gives %g", given[size_t(r)], double(outputs[size_t(r)]));
    }
    double loss = 0, weight = 0, penalty = 0;
    TrainJob<T> job;
    job.parameters = parameters.data();
    job.slots = slots.data();
    job.data = data;
    job.order = order.data();
    job.rows_in_order = rows;
    job.batch = 32;
    const std::vector<double> rates(4, 0.1);
    job.rates = rates.data();
    job.steps = 4;
    job.sums = {&loss, &weight, &penalty};
    train(b.program, job);
    CHECK(loss == 0 && weight == double(rows), "gathered by number: a loss of %g", loss);
}

// Parameters of their own rate and decay: as if an optimizer with these had run over all of them.
template <class T>
void test_factors() {
    Program program = everything();
    const Fixture<T> f(program, 60);
    for (ParameterRun& run : program.runs) run.l1 = run.l2 = 0;
    const Result<T> plain = train_some(program, f, 1, 1, 0, 0.01);
    ParameterRun& run = program.runs[2];
    run.rate_factor = 0.5;
    const Result<T> mixed = train_some(program, f, 1, 1, 0, 0.01);
    for (ParameterRun& other : program.runs) other.rate_factor = 0.5;
    const Result<T> slow = train_some(program, f, 1, 1, 0, 0.01);
    for (ParameterRun& other : program.runs) other.rate_factor = 1;
    const Result<T> again = train_some(program, f, 1, 1, 0, 0.005);
    CHECK(slow == again, "half the factor is half the rate");
    for (long i = 0; i < program.parameters; ++i) {  // one step only: the gradients are the same
        const bool own = i >= run.begin && i < run.end;
        CHECK(mixed.parameters[size_t(i)] == (own ? slow : plain).parameters[size_t(i)], "parameter %ld", i);
    }
}

void refuses(const char* what, const std::function<void()>& attempt) {
    try {
        attempt();
    } catch (const std::invalid_argument& error) {
        return;
    }
    CHECK(false, "%s was not refused", what);
}

// Numbers that change over the steps: as if each step were a call of its own, in which they are those of all steps.
template <class T>
void test_scheduled() {
    const Program program = everything();
    const Fixture<T> f(program, 200);
    size_t dropout = 0;
    while (std::string(program.steps[dropout].kind->name) != "dropout") ++dropout;
    const std::vector<double> own(4, program.steps[dropout].numbers[0]), changing = {0.5, 0.0, 0.125, 0.25}, rates(4, 0.01);
    const std::vector<double> decays = {0.0, 0.5, 0.25, 0.125};

    auto trained = [&](const std::vector<double>& values, long steps_a_call, bool decayed) {
        Result<T> result;
        result.parameters = f.parameters;
        result.state = f.state;
        result.slots.assign(3 * result.parameters.size(), T(0));
        result.losses.assign(program.heads.size(), 0);
        result.weights = result.losses;
        result.penalties.assign(1, 0);
        for (long first = 0; first < 4; first += steps_a_call) {
            TrainJob<T> job;
            job.parameters = result.parameters.data();
            job.state = result.state.data();
            job.slots = result.slots.data();
            job.data = f.data;
            job.order = f.order.data() + 64 * first;
            job.rows_in_order = std::min(64 * steps_a_call, 200 - 64 * first);
            job.batch = 64;
            job.rates = rates.data() + first;
            job.steps = steps_a_call;
            job.first_step = uint64_t(first);
            job.sums = {result.losses.data(), result.weights.data(), result.penalties.data()};
            job.seed = 7;
            job.threads = 1;
            if (!values.empty()) job.scheduled = {Scheduled{dropout, values.data() + first}};
            if (decayed) job.weight_decays = decays.data() + first;
            const Outcome outcome = train(program, job);
            CHECK(outcome.steps == steps_a_call && outcome.diverged < 0, "%ld steps", outcome.steps);
        }
        return result;
    };

    auto learned_the_same = [](const Result<T>& a, const Result<T>& b) {  // sums of losses are rounded once more a call
        bool same = a.parameters == b.parameters && a.state == b.state && a.slots == b.slots;
        for (size_t h = 0; h < a.losses.size(); ++h) same &= std::abs(a.losses[h] - b.losses[h]) <= 1e-12 * std::abs(b.losses[h]);
        return same;
    };
    CHECK(trained(own, 4, false) == trained({}, 4, false), "its own rate, scheduled");
    CHECK(!(trained(changing, 4, false) == trained({}, 4, false)), "another rate changes nothing");
    for (bool decayed : {false, true})
        for (long steps_a_call : {1L, 2L})
            CHECK(learned_the_same(trained(changing, steps_a_call, decayed), trained(changing, 4, decayed)),
                  "%ld steps a call", steps_a_call);
    CHECK(!(trained(own, 4, true) == trained(own, 4, false)), "weight decay changes nothing");

    auto scheduling = [&](size_t step, double value) {
        return [&program, step, value] { program.check({Scheduled{step, &value}}, 1); };
    };
    scheduling(dropout, 0.5)();
    refuses("a step that isn't there", scheduling(program.steps.size(), 0.5));
    refuses("a step without a number", scheduling(0, 0.5));
    for (double value : {-0.1, 1.0, std::numeric_limits<double>::quiet_NaN()}) refuses("no rate", scheduling(dropout, value));
}

// Prediction says that all is finite only where it is: in every place of every input, for few rows and many.
template <class T>
void test_finite() {
    Builder b;
    const int x = b.input(5), y = b.input(3);
    b.head(b.activation(b.dense(b.other("concatenate", {x, y}), 2), Activation::tanh), Loss::squared_error);
    b.learn_all();
    b.program.check();
    const std::vector<T> parameters = random_numbers<T>(size_t(b.program.parameters), 6);
    for (long rows : {1L, 16L, 17L, 2000L}) {
        std::vector<T> one = random_numbers<T>(size_t(5 * rows), 1), other = random_numbers<T>(size_t(3 * rows), 2);
        std::vector<T> outputs(size_t(2 * rows));
        auto finite = [&](int threads) {
            const Data<T> data{rows, {one.data(), other.data()}, {}};
            return predict<T>(b.program, 1, parameters.data(), nullptr, data, {outputs.data()}, threads);
        };
        CHECK(finite(1) && finite(2), "%ld rows of numbers", rows);
        for (std::vector<T>* input : {&one, &other})
            for (size_t at : {size_t(0), input->size() / 2, input->size() - 1})
                for (T wrong : {std::numeric_limits<T>::quiet_NaN(), std::numeric_limits<T>::infinity()}) {
                    std::swap((*input)[at], wrong);
                    CHECK(!finite(1) && !finite(2), "%ld rows, number %zu", rows, at);
                    std::swap((*input)[at], wrong);
                }
    }
}

void test_refusals() {
    const Program right = everything();
    auto changed = [&](const std::function<void(Program&)>& change) {
        return [&right, change] {
            Program program = right;
            change(program);
            program.check();
        };
    };
    refuses("a parameter outside the vector", changed([](Program& p) { p.steps[0].spans[0] = p.parameters - 1; }));
    refuses("a negative offset", changed([](Program& p) { p.steps[0].spans = {-7, -7, -1, -1}; }));
    refuses("an unknown slot", changed([](Program& p) { p.steps[1].inputs = {99}; }));
    refuses("a slot read too early", changed([](Program& p) { p.steps[0].inputs = {p.steps[5].output}; }));
    refuses("a slot written twice", changed([](Program& p) { p.steps[1].output = p.steps[0].output; }));
    refuses("a width of nothing", changed([](Program& p) { p.widths[2] = 0; }));
    refuses("a giant width", changed([](Program& p) { p.widths[2] = 1L << 40; }));
    refuses("a sum of different widths", changed([](Program& p) { p.widths[size_t(p.steps[1].output)] = 8; }));
    refuses("a rate of one", changed([](Program& p) { p.steps[8].numbers[0] = 1; }));
    refuses("codes where numbers are read", changed([](Program& p) { p.codes.push_back(p.inputs[0]); }));
    refuses("numbers where codes are read", changed([](Program& p) { p.codes.clear(); }));
    refuses("codes that are no input", changed([](Program& p) { p.codes = {p.steps[0].output}; }));
    auto listed = [&](const char* kind, size_t list, std::vector<double> numbers) {
        return changed([=](Program& p) {
            for (Step& step : p.steps)
                if (std::string(kind) == step.kind->name) step.lists[list] = numbers;
        });
    };
    refuses("a table without rows", listed("embedding", 0, {0}));
    refuses("part of a row", listed("embedding", 0, {2.5}));
    refuses("more sizes than columns", listed("embedding_sum", 0, {1, 1, 1}));
    refuses("a table larger than its array", listed("embedding_sum", 0, {2e9, 1e8}));
    refuses("a table beyond all numbers", listed("embedding_sum", 0, {2147483648.0}));
    refuses("knots for other inputs", listed("piecewise_linear", 0, {3, 2}));
    refuses("fewer knots than said", listed("piecewise_linear", 1, {0, 1}));
    refuses("knots that don't increase", listed("piecewise_linear", 1, std::vector<double>(11, 0.5)));
    refuses("no input", changed([](Program& p) { p.inputs.clear(); }));
    refuses("a run outside", changed([](Program& p) { p.runs.back().end = p.parameters + 1; }));
    refuses("runs that overlap", changed([](Program& p) { p.runs[1].begin = 39; }));
    refuses("a negative factor", changed([](Program& p) { p.runs[1].rate_factor = -1; }));
    Fixture<float> f(right, 100);
    refuses("a label too large", [&] {
        Fixture<float> g(right, 100);
        g.labels[50] = 3;
        train_some(right, g, 1, 1, 0);
    });
    refuses("a row that isn't there", [&] {
        Fixture<float> g(right, 100);
        g.order[50] = 100;
        train_some(right, g, 1, 1, 0);
    });
    refuses("an input without its array", [&] {
        Fixture<float> g(right, 100);
        g.data.codes.clear();
        train_some(right, g, 1, 1, 0);
    });
    refuses("an instruction set that isn't there", [] { use_set("mmx"); });
}

}  // namespace

int main() {
    on_every_set([](const std::string&) {
        test_gradients();
        test_threads<float>();
        test_threads<double>();
        test_vitals<float>();
        test_vitals<double>();
        test_divergence<float>();
        test_divergence<double>();
        test_codes<float>();
        test_codes<double>();
        test_factors<float>();
        test_factors<double>();
        test_scheduled<float>();
        test_scheduled<double>();
        test_finite<float>();
        test_finite<double>();
        test_refusals();
    });
}
