// Calls among each other: several at once, stopped, in parts; numbers too small to be normal.
#include <cstring>
#include <thread>

#include "builder.h"
#include "check.h"
#include "core/evaluator.h"
#include "core/trainer.h"

using namespace chainrule;

namespace {

Program chain(double dropout = 0) {
    Builder b;
    int h = b.activation(b.dense(b.input(20), 130), Activation::tanh);
    if (dropout > 0) h = b.other("dropout", {h}, dropout);
    b.head(b.dense(b.activation(b.dense(h, 100), Activation::relu), 3), Loss::cross_entropy_fused);
    b.learn_all();
    b.program.check();
    return b.program;
}

struct Rows {
    std::vector<float> x, weights;
    std::vector<int64_t> labels, order;
    Data<float> data;

    explicit Rows(long n) : x(random_numbers<float>(size_t(n) * 20, 1)), weights(random_numbers<float>(size_t(n), 2)) {
        for (float& w : weights) w = w * w;
        for (long r = 0; r < n; ++r) labels.push_back(r % 3), order.push_back(n - 1 - r);
        data = {n, {x.data()}, {{nullptr, labels.data(), weights.data()}}};
    }
};

struct Network {
    std::vector<float> parameters, slots;
    double loss = 0, weight = 0, penalty = 0;

    explicit Network(const Program& program, unsigned seed)
        : parameters(random_numbers<float>(size_t(program.parameters), seed)), slots(3 * parameters.size()) {
        for (float& w : parameters) w *= 0.2f;
    }

    Outcome train_on(const Program& program, const Rows& rows, long batch, int threads, Stop* stop = nullptr) {
        TrainJob<float> job;
        job.parameters = parameters.data();
        job.slots = slots.data();
        job.data = rows.data;
        job.order = rows.order.data();
        job.rows_in_order = rows.data.rows;
        job.batch = batch;
        const std::vector<double> rates(size_t((rows.data.rows + batch - 1) / batch), 0.01);
        job.rates = rates.data();
        job.steps = long(rates.size());
        job.sums = {&loss, &weight, &penalty};
        job.threads = threads;
        job.stop = stop;
        return train(program, job);
    }

    std::vector<float> predictions(const Program& program, const Rows& rows, long n, int threads) const {
        Data<float> data = rows.data;
        data.rows = n;
        std::vector<float> out(size_t(n) * 3);
        predict<float>(program, 1, parameters.data(), nullptr, data, {out.data()}, threads);
        return out;
    }
};

// Everyone trains a network of their own and asks one that all share.
void test_calls_at_once() {
    const Program program = chain();
    const Rows rows(700);
    const Network shared(program, 99);
    auto work = [&](unsigned seed, int threads) {
        Network network(program, seed);
        network.train_on(program, rows, 300, threads);
        std::vector<float> result = network.parameters;
        for (long n : {1L, 7L, 16L, 700L}) {
            const std::vector<float> out = shared.predictions(program, rows, n, threads);
            result.insert(result.end(), out.begin(), out.end());
        }
        return result;
    };
    constexpr unsigned many = 8;
    std::vector<std::vector<float>> alone(many), together(many);
    for (unsigned i = 0; i < many; ++i) alone[i] = work(i, 1);
    std::vector<std::thread> threads;
    for (unsigned i = 0; i < many; ++i)
        threads.emplace_back([&, i] {
            for (int repeat = 0; repeat < 3; ++repeat) together[i] = work(i, int(i % 4));
        });
    for (std::thread& thread : threads) thread.join();
    for (unsigned i = 0; i < many; ++i) CHECK(alone[i] == together[i], "thread %u computes other numbers", i);
}

struct Patience {
    int asked = 0, until = 1;
    static bool ask(void* context) {
        Patience& patience = *static_cast<Patience*>(context);
        return ++patience.asked >= patience.until;
    }
};

// A step of many rows is stopped on its way, wherever that is, and has changed nothing.
void test_stopping() {
    const Program program = chain(0.1);
    const Rows rows(60000);
    for (int threads : {1, 2})
        for (int until = 1; until < 4; ++until) {
            Patience patience{0, until};
            Stop stop(Patience::ask, &patience);
            Network network(program, 5);
            const Network before = network;
            const Outcome outcome = network.train_on(program, rows, rows.data.rows, threads, &stop);
            if (outcome.steps == 1) break;  // a fast machine is done before it is asked so often
            CHECK(outcome.stopped && outcome.steps == 0 && outcome.diverged < 0, "%ld steps", outcome.steps);
            CHECK(network.parameters == before.parameters && network.slots == before.slots, "a stopped step changes nothing");
            CHECK(network.loss == 0 && network.weight == 0, "nor the sums");
        }
}

// Many rows go through in parts: the same bits for any number of threads, and what the parts by themselves add up to.
void test_gradients_in_parts() {
    const Rows rows(9000);
    auto gradient_of = [&](const Program& program, long begin, long count, int threads, double* weight) {
        const Network network(program, 3);
        std::vector<float> gradient(network.parameters.size());
        double loss = 0, penalty = 0;
        const Data<float> data{count, {rows.x.data() + 20 * begin}, {{nullptr, rows.labels.data() + begin, rows.weights.data() + begin}}};
        gradients<float>(program, 1, network.parameters.data(), nullptr, data, true, 7, 2, {}, gradient.data(), {&loss, weight, &penalty}, threads);
        gradient.push_back(float(loss));
        return gradient;
    };
    double weight = 0;
    for (double dropout : {0.0, 0.25}) {
        const Program program = chain(dropout);
        const std::vector<float> one = gradient_of(program, 0, 9000, 1, &weight);
        for (int threads : {2, 3, 7}) CHECK(gradient_of(program, 0, 9000, threads, &weight) == one, "%d threads", threads);
    }
    const Program program = chain();
    weight = 0;
    const std::vector<float> whole = gradient_of(program, 0, 9000, 2, &weight);
    std::vector<double> sum(whole.size());
    for (long begin = 0; begin < 9000; begin += 1000) {
        double own = 0;
        const std::vector<float> part = gradient_of(program, begin, 1000, 1, &own);
        for (size_t i = 0; i < sum.size(); ++i) sum[i] += double(part[i]) * (i + 1 < sum.size() ? own / weight : 1);
    }
    for (size_t i = 0; i < sum.size(); ++i)
        CHECK(std::fabs(sum[i] - double(whole[i])) < 2e-6 * (1 + std::fabs(sum[i])), "gradient %zu: %g, not %g", i, double(whole[i]), sum[i]);
}

// The caller's own arithmetic with denormals is as it was, also after a refusal.
void test_denormals() {
    volatile float tiny = 1e-40f, half = 0.5f;
    const Program program = chain();
    Rows rows(40);
    Network network(program, 1);
    network.train_on(program, rows, 20, 2);
    CHECK(tiny * half > 0, "denormals are flushed after training");
    rows.labels[3] = 9;
    try {
        network.train_on(program, rows, 20, 2);
        CHECK(false, "a wrong label was not refused");
    } catch (const std::invalid_argument&) {
    }
    CHECK(tiny * half > 0, "denormals are flushed after a refusal");
}

}  // namespace

int main() {
    on_every_set([](const std::string&) {
        test_calls_at_once();
        test_stopping();
        test_gradients_in_parts();
        test_denormals();
    });
}
