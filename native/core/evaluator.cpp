#include "core/evaluator.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <memory>
#include <stdexcept>

#include "core/denormals.h"
#include "core/dispatch.h"
#include "core/parts.h"

namespace chainrule {
namespace {

constexpr long piece = 16384;  // numbers of a vector that are worked on at a time

// The penalties of a parameter vector, and their gradient unless `gradient` is null. Fixed pieces: the sum is the same
// for any number of threads.
template <class T>
double penalties(const Program& program, const Kernels<T>& kernels, const T* parameters, T* gradient, double factor) {
    double sum = 0;
    for (const ParameterRun& run : program.charges())
        for (long begin = run.begin; begin < run.end; begin += piece)
            sum += kernels.penalty(parameters, gradient, factor, run.l1, run.l2, begin, std::min(run.end, begin + piece));
    return sum;
}

// Rows that go through the network together in prediction: what they need should stay in the cache.
// What is made once for a chunk should be little beside them.
long chunk_rows(const Plan& plan, long number_bytes, long rows) {
    constexpr long cache = 1 << 18;
    const long numbers = std::max(plan.row_numbers, 1L);
    const long fitting = std::max(cache / (numbers * number_bytes), plan.batch_numbers / numbers) / 24 * 24;
    return std::min(rows, std::clamp(fitting, 96L, 960L));
}

// Rows cut into chunks, each going through the network as in prediction; chunks side by side where there are several.
template <class T>
class Chunks {
public:
    Chunks(const Program& program, bool from_heads, long members, const Data<T>& data, int threads, Stop* stop)
        : kernels_(kernels_of<T>(current_set())),
          stop_(stop),
          members_(members),
          rows_(data.rows),
          chunk_(chunk_rows(Plan(program, Mode::inference, {}, from_heads, 1, kernels_.lanes, sizeof(T)), sizeof(T), data.rows)),
          plan_(program, Mode::inference, {}, from_heads, chunk_, kernels_.lanes, sizeof(T)),
          team_(Team::wanted(threads, plan_.products * double(data.rows) * double(members))) {
        for (int i = 0; i < team_.size(); ++i) {
            executors_.push_back(std::make_unique<Executor<T>>(program, plan_, kernels_, 1));
            executors_.back()->heed(stop);
        }
    }

    long count() const { return chunk_ == 0 ? 0 : (rows_ + chunk_ - 1) / chunk_; }

    // each(executor, member, chunk, begin, rows)
    template <class F>
    void each(F&& f) {
        share_tasks(team_, stop_, members_ * count(), [&](long task, int thread) {
            const long member = task / count(), index = task % count(), begin = index * chunk_;
            f(*executors_[size_t(thread)], member, index, begin, std::min(chunk_, rows_ - begin));
        });
    }

private:
    const Kernels<T>& kernels_;
    Stop* stop_;
    long members_, rows_, chunk_;
    Plan plan_;
    Team team_;
    std::vector<std::unique_ptr<Executor<T>>> executors_;
};

// A network made ready for a few rows, which takes longer than the rows themselves: predictions leave it for the next one.
constexpr long few_rows = 16;

template <class T>
struct Ready {
    Ready(const Program& program, const Kernels<T>& kernels)
        : plan(program, Mode::inference, {}, false, few_rows, kernels.lanes, sizeof(T)), executor(program, plan, kernels, 1) {}
    Plan plan;
    Executor<T> executor;
};

}  // namespace

template <class T>
bool predict(const Program& program, long members, const T* parameters, const T* state, const Data<T>& data,
             const std::vector<T*>& outputs, int threads, Stop* stop) {
    const FlushDenormals flush;
    check_data(program, data, false);
    if (data.rows == 0) return true;
    const Kernels<T>& kernels = kernels_of<T>(current_set());
    std::atomic<bool> finite{true};
    auto look = [&](const T* numbers, long count) {
        if (!std::isfinite(kernels.sum_of_squares(numbers, 0, count))) finite.store(false, std::memory_order_relaxed);
    };
    auto run = [&](Executor<T>& executor, long member, long, long begin, long rows) {
        Team alone;
        for (size_t i = 0; i < program.inputs.size() && member == 0; ++i) {
            const long width = program.widths[size_t(program.inputs[i])];
            if (data.inputs[i]) look(data.inputs[i] + begin * width, rows * width);
        }
        executor.take_stretch(data, begin, rows, false);
        executor.forward(parameters + member * program.parameters, state + member * program.state, {}, alone);
        for (size_t i = 0; i < outputs.size(); ++i) {
            const int slot = program.outputs[i];
            const long width = program.widths[size_t(slot)];
            T* to = outputs[i] + (member * data.rows + begin) * width;
            kernels.copy(executor.value(slot), executor.stride(slot), to, width, width, 0, rows);
            look(to, rows * width);
        }
    };
    if (data.rows > few_rows) {
        Chunks<T> chunks(program, false, members, data, threads, stop);
        chunks.each(run);
        return finite;
    }
    auto ready = std::static_pointer_cast<Ready<T>>(program.leftovers.take(&kernels));
    if (!ready) ready = std::make_shared<Ready<T>>(program, kernels);
    for (long member = 0; member < members; ++member) run(ready->executor, member, 0, 0, data.rows);
    program.leftovers.leave(&kernels, std::move(ready));
    return finite;
}

template <class T>
void losses(const Program& program, long members, const T* parameters, const T* state, const Data<T>& data, const Sums& sums,
            int threads, Stop* stop) {
    const FlushDenormals flush;
    check_data(program, data, true);
    Chunks<T> chunks(program, true, members, data, threads, stop);
    const size_t heads = program.heads.size(), parts = size_t(chunks.count());
    std::vector<double> part_losses(size_t(members) * parts * heads), part_weights(part_losses.size());
    chunks.each([&](Executor<T>& executor, long member, long index, long begin, long rows) {
        Team alone;
        const size_t part = (size_t(member) * parts + size_t(index)) * heads;
        executor.take_stretch(data, begin, rows, true);
        executor.forward(parameters + member * program.parameters, state + member * program.state, {}, alone);
        executor.losses(part_losses.data() + part, part_weights.data() + part, nullptr, alone);
    });
    if (stop && stop->said()) return;
    for (size_t member = 0; member < size_t(members); ++member) {
        std::vector<double> sum(heads), weight(heads);
        for (size_t i = member * parts * heads; i < (member + 1) * parts * heads; ++i) {
            sum[i % heads] += part_losses[i];
            weight[i % heads] += part_weights[i];
        }
        const T* own = parameters + long(member) * program.parameters;
        const double penalty = penalties<T>(program, kernels_of<T>(current_set()), own, nullptr, 1);
        sums.add(program, long(member), sum.data(), weight.data(), penalty, data.rows);
    }
}

template <class T>
void gradients(const Program& program, long members, const T* parameters, T* state, const Data<T>& data, bool training,
               uint64_t seed, uint64_t step, const std::vector<Scheduled>& scheduled, T* gradient, const Sums& sums,
               int threads, Stop* stop) {
    const FlushDenormals flush;
    check_data(program, data, true);
    program.check(scheduled, 1);
    if (data.rows < 1) throw std::invalid_argument("a gradient needs at least one row");
    const Kernels<T>& kernels = kernels_of<T>(current_set());
    const Mode mode = training ? Mode::training : Mode::fixed;
    const std::vector<Run> all = {{0, program.parameters}};
    Parts<T> parts(program, mode, all, kernels, data.rows);
    const Plan plan(program, mode, all, true, parts.rows(), kernels.lanes, sizeof(T));
    Team team(Team::wanted(threads, plan.products * double(plan.rows)));
    Executor<T> executor(program, plan, kernels, team.size());
    executor.heed(stop);
    const std::vector<double> weights = weights_of(data, nullptr, data.rows);
    std::vector<double> losses(weights.size());
    for (long member = 0; member < members; ++member) {
        const T* own = parameters + member * program.parameters;
        T* own_state = state + member * program.state;
        T* own_gradient = gradient + member * program.parameters;
        auto take = [&](long begin, long rows) { executor.take_stretch(data, begin, rows, true); };
        parts.run(executor, data.rows, take, own, own_state, {seed, uint32_t(step), uint32_t(member), &scheduled}, weights.data(),
                  losses.data(), own_gradient, team);
        if (stop && stop->said()) return;
        const double penalty = penalties<T>(program, kernels, own, own_gradient, program.penalty_factor(weights.data()));
        sums.add(program, member, losses.data(), weights.data(), penalty, data.rows);
        executor.follow_statistics(own_state, team);
    }
}

#define CHAINRULE_INSTANTIATE(T)                                                                                          \
    template bool predict(const Program&, long, const T*, const T*, const Data<T>&, const std::vector<T*>&, int, Stop*);  \
    template void losses(const Program&, long, const T*, const T*, const Data<T>&, const Sums&, int, Stop*);              \
    template void gradients(const Program&, long, const T*, T*, const Data<T>&, bool, uint64_t, uint64_t,                   \
                            const std::vector<Scheduled>&, T*, const Sums&, int, Stop*);
CHAINRULE_INSTANTIATE(float)
CHAINRULE_INSTANTIATE(double)

}  // namespace chainrule
