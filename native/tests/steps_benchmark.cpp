// Microseconds per training step of dense chains: steps_benchmark 64-128-128-10 32 [threads] [float|double]
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <string>
#include <vector>

#include "core/aligned.h"
#include "core/dispatch.h"
#include "core/evaluator.h"
#include "core/trainer.h"

using namespace chainrule;

static Program chain(const std::vector<long>& units) {
    Program program;
    program.widths.push_back(units[0]);
    program.inputs = {0};
    auto span = [&](long count) {
        const long begin = program.parameters;
        program.parameters += (count + 15) / 16 * 16;
        return begin;
    };
    std::vector<long> weights;
    for (size_t i = 1; i < units.size(); ++i) weights.push_back(span(units[i - 1] * units[i]));
    for (size_t i = 1; i < units.size(); ++i) {
        Step dense(kind_of("dense"));
        dense.inputs = {int(program.widths.size()) - 1};
        dense.output = int(program.widths.size());
        dense.spans[0] = weights[i - 1];
        dense.spans[1] = span(units[i]);
        program.widths.push_back(units[i]);
        program.steps.push_back(dense);
        if (i + 1 == units.size()) break;
        Step relu(kind_of("activation"));
        relu.function = Activation::relu;
        relu.inputs = {dense.output};
        relu.output = dense.output + 1;
        program.widths.push_back(units[i]);
        program.steps.push_back(relu);
    }
    program.outputs = {int(program.widths.size()) - 1};
    Head head;
    head.slot = program.outputs[0];
    head.loss = Loss::cross_entropy_fused;
    program.heads = {head};
    program.runs = {{0, program.parameters}};
    program.check();
    return program;
}

template <class T>
static void run(const std::vector<long>& units, long batch, int threads) {
    const Program program = chain(units);
    const long rows = 10240, steps = (rows + batch - 1) / batch;
    std::mt19937 random(1);
    std::normal_distribution<float> normal;
    std::vector<T> x(size_t(rows * units[0]));
    for (T& v : x) v = T(normal(random));
    std::vector<int64_t> labels(static_cast<size_t>(rows)), order(labels.size());
    for (size_t i = 0; i < labels.size(); ++i) {
        labels[i] = int64_t(random() % uint64_t(units.back()));
        order[i] = int64_t(i);
    }
    std::shuffle(order.begin(), order.end(), random);
    Aligned<T> parameters(program.parameters), slots(3 * program.parameters);
    for (const Step& step : program.steps)
        if (step.kind->is_product) {
            const long in = program.widths[size_t(step.inputs[0])], out = program.widths[size_t(step.output)];
            for (long i = 0; i < in * out; ++i)
                parameters.data()[step.spans[0] + i] = T(normal(random) * std::sqrt(2.0f / float(in)));
        }
    const std::vector<double> rates(size_t(steps), 1e-3);
    TrainJob<T> job;
    job.parameters = parameters.data();
    job.slots = slots.data();
    job.data.rows = rows;
    job.data.inputs = {x.data()};
    job.data.targets = {{nullptr, labels.data(), nullptr}};
    job.order = order.data();
    job.rows_in_order = rows;
    job.batch = batch;
    job.rates = rates.data();
    job.steps = steps;
    job.threads = threads;
    double best = 1e9, whole = 0, loss = 0, weight = 0, penalty = 0;
    job.sums = {&loss, &weight, &penalty};
    const char* wish = std::getenv("REPEAT");
    const int repeats = wish ? std::atoi(wish) : 8;
    for (int repeat = 0; repeat < repeats; ++repeat) {
        const auto start = std::chrono::steady_clock::now();
        loss = weight = 0;
        train(program, job);
        const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
        best = std::min(best, seconds / double(steps));
        whole += seconds / double(steps) / repeats;
        job.first_step += uint64_t(steps);
    }
    double products = 0;
    for (size_t i = 1; i < units.size(); ++i) products += 6.0 * double(units[i - 1] * units[i]);
    products -= 2.0 * double(units[0] * units[1]);
    std::printf("%s %s batch %ld, %d thread(s): %.2f us a step (mean %.2f), %.1f GFLOP/s, loss %.4f\n", current_set().name,
                sizeof(T) == 4 ? "float32" : "float64", batch, threads, best * 1e6, whole * 1e6, products * double(batch) / best / 1e9, loss / weight);
    Aligned<T> output(rows * units.back());
    best = 1e9;
    for (int repeat = 0; repeat < 5; ++repeat) {
        const auto start = std::chrono::steady_clock::now();
        predict<T>(program, 1, parameters.data(), nullptr, job.data, {output.data()}, threads);
        best = std::min(best, std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
    }
    job.data.rows = 1;
    const auto start = std::chrono::steady_clock::now();
    for (int i = 0; i < 1000; ++i) predict<T>(program, 1, parameters.data(), nullptr, job.data, {output.data()}, threads);
    const double one = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count() / 1000;
    std::printf("  predict: %.3f us a row of many, %.2f us for one row\n", best / double(rows) * 1e6, one * 1e6);
}

int main(int argc, char** argv) {
    if (argc < 3) return std::puts("steps_benchmark 64-128-128-10 32 [threads] [float|double]"), 1;
    std::vector<long> units;
    for (const char* at = argv[1]; *at;) {
        char* end;
        units.push_back(std::strtol(at, &end, 10));
        at = *end == '-' ? end + 1 : end;
    }
    const int threads = argc > 3 ? std::atoi(argv[3]) : 1;
    if (argc > 4 && std::string(argv[4]) == "double") run<double>(units, std::atol(argv[2]), threads);
    else run<float>(units, std::atol(argv[2]), threads);
}
