#include "core/trainer.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <memory>
#include <stdexcept>

#include "core/denormals.h"
#include "core/dispatch.h"

namespace chainrule {
namespace {

using Clock = std::chrono::steady_clock;

constexpr double work_for_threads = 4e6;  // multiplications in a step from which sharing it out pays
constexpr long chunk = 16384;             // numbers of a vector that are worked on at a time

int threads_for(int asked, double work) {
    if (asked > 0) return asked;
    const double useful = work / work_for_threads;
    if (useful < 2) return 1;
    const int share = Team::fair_share();
    return useful < share ? int(useful) : share;
}

// The penalties of a parameter vector, and their gradient unless `gradient` is null. Fixed chunks: the sum is the same
// for any number of threads.
template <class T>
double penalties(const Program& program, const Kernels<T>& kernels, const T* parameters, T* gradient, double factor) {
    double sum = 0;
    for (const PenaltyRun& run : program.penalties)
        for (long begin = run.begin; begin < run.end; begin += chunk)
            sum += kernels.penalty(parameters, gradient, factor, run.l1, run.l2, begin, std::min(run.end, begin + chunk));
    return sum;
}

template <class T>
class Training {
public:
    Training(const Program& program, const TrainJob<T>& job)
        : program_(program),
          job_(job),
          kernels_(kernels_of<T>(current_set())),
          plan_(program, Mode::training, job.trainable, true, std::min(job.batch, job.rows_in_order), kernels_.lanes, sizeof(T)),
          team_(threads_for(job.threads, plan_.products * double(plan_.rows) * double(job.members))),
          gradients_(job.members * program.parameters),
          losses_(size_t(job.members) * program.heads.size()),
          weights_(losses_.size()),
          penalties_(size_t(job.members)) {
        const bool side_by_side = team_.size() > 1 && job.members > 1;
        for (long i = 0; i < job.members; ++i)
            executors_.push_back(std::make_unique<Executor<T>>(program, plan_, kernels_, side_by_side ? 1 : team_.size()));
        const int n_slots = job.optimizer.slots();
        for (long i = 0; i < job.members; ++i)
            updaters_.emplace_back(program, job.trainable, kernels_, job.parameters + i * program.parameters,
                                   job.slots + i * n_slots * program.parameters, n_slots, eager());
    }

    Outcome run() {
        auto asked = Clock::now();
        for (long step = 0; step < job_.steps; ++step) {
            if (!compute(step)) return outcome_;
            change(step);
            ++outcome_.steps;
            if (job_.should_stop && Clock::now() - asked > std::chrono::milliseconds(50)) {
                asked = Clock::now();
                if (job_.should_stop(job_.stop_context)) {
                    outcome_.stopped = true;
                    break;
                }
            }
        }
        return outcome_;
    }

private:
    template <class F>
    void each_member(F&& f) {
        if (team_.size() > 1 && job_.members > 1) {
            Team alone;
            team_.share(job_.members, [&](long member, int) { f(member, alone); });
        } else {
            for (long member = 0; member < job_.members; ++member) f(member, team_);
        }
    }

    // Losses and gradients of every member. False if a loss isn't finite: then nothing was changed.
    bool compute(long step) {
        const long begin = step * job_.batch, count = rows_of(step);
        const size_t heads = program_.heads.size();
        each_member([&](long member, Team& team) {
            Executor<T>& executor = *executors_[size_t(member)];
            const T* parameters = job_.parameters + member * program_.parameters;
            const T* state = job_.state + member * program_.state;
            T* gradient = gradients_.data() + member * program_.parameters;
            const Place place{job_.seed, uint32_t(job_.first_step + uint64_t(step)), uint32_t(member)};
            double* losses = losses_.data() + size_t(member) * heads;
            double* weights = weights_.data() + size_t(member) * heads;
            executor.take_rows(job_.data, job_.order + member * job_.rows_in_order + begin, count, team);
            if (step + 1 < job_.steps)
                executor.expect_rows(job_.data, job_.order + member * job_.rows_in_order + begin + count, rows_of(step + 1));
            executor.forward(parameters, state, place, team);
            executor.losses(losses, weights, team);
            Updater<T>& updater = updaters_[size_t(member)];
            double& sum = penalties_[size_t(member)];
            sum = updater.penalty();
            if (!executor.finite_losses(losses) || !std::isfinite(sum)) return;
            const uint64_t t = job_.first_step - job_.memory_from + uint64_t(step) + 1;
            updater.begin_step(update_call<T>(job_.optimizer, job_.rates[step], t), program_.penalty_factor(weights));
            executor.backward(parameters, state, gradient, eager() ? &updater : nullptr, team);
        });
        for (long member = 0; member < job_.members; ++member) {
            double sum = penalties_[size_t(member)];
            for (size_t head = 0; head < heads; ++head) sum += losses_[size_t(member) * heads + head];
            if (std::isfinite(sum)) continue;
            outcome_.diverged = step;
            outcome_.diverged_member = member;
            return false;
        }
        return true;
    }

    void change(long step) {
        each_member([&](long member, Team& team) {
            executors_[size_t(member)]->follow_statistics(job_.state + member * program_.state);
            Updater<T>& updater = updaters_[size_t(member)];
            T* gradient = gradients_.data() + member * program_.parameters;
            if (job_.clip_norm > 0) {
                updater.add_penalties(gradient);
                const double norm = std::sqrt(updater.squared_norm(gradient));
                if (norm > job_.clip_norm) updater.scale_gradient(job_.clip_norm / norm);
            }
            updater.change_rest(gradient, team);
        });
        const size_t heads = program_.heads.size();
        for (size_t member = 0; member < penalties_.size(); ++member)
            job_.sums.add(program_, long(member), &losses_[member * heads], &weights_[member * heads], penalties_[member],
                          rows_of(step));
    }

    // A member on its own changes its weights on the way back; several wait until all losses are known.
    bool eager() const { return job_.members == 1 && job_.clip_norm <= 0; }

    long rows_of(long step) const { return std::min(job_.batch, job_.rows_in_order - step * job_.batch); }

    const Program& program_;
    const TrainJob<T>& job_;
    const Kernels<T>& kernels_;
    Plan plan_;
    Team team_;
    Aligned<T> gradients_;
    std::vector<std::unique_ptr<Executor<T>>> executors_;
    std::vector<Updater<T>> updaters_;
    std::vector<double> losses_, weights_, penalties_;  // of the step at hand
    Outcome outcome_;
};

// Rows that go through the network together in prediction: what they need should stay in the cache.
long chunk_rows(long row_numbers, long number_bytes, long rows) {
    constexpr long cache = 1 << 18;
    const long fitting = cache / std::max(row_numbers * number_bytes, 1L) / 24 * 24;
    return std::min(rows, std::clamp(fitting, 96L, 960L));
}

// Rows cut into chunks, each going through the network as in prediction; chunks side by side where there are several.
template <class T>
class Chunks {
public:
    Chunks(const Program& program, bool from_heads, long members, const Data<T>& data, int threads)
        : kernels_(kernels_of<T>(current_set())),
          members_(members),
          rows_(data.rows),
          chunk_(chunk_rows(Plan(program, Mode::inference, {}, from_heads, 1, kernels_.lanes, sizeof(T)).row_numbers,
                            sizeof(T), data.rows)),
          plan_(program, Mode::inference, {}, from_heads, chunk_, kernels_.lanes, sizeof(T)),
          team_(threads_for(threads, plan_.products * double(data.rows) * double(members))) {
        for (int i = 0; i < team_.size(); ++i)
            executors_.push_back(std::make_unique<Executor<T>>(program, plan_, kernels_, 1));
    }

    long count() const { return chunk_ == 0 ? 0 : (rows_ + chunk_ - 1) / chunk_; }

    // each(executor, member, chunk, begin, rows)
    template <class F>
    void each(F&& f) {
        team_.share(members_ * count(), [&](long task, int thread) {
            const long member = task / count(), index = task % count(), begin = index * chunk_;
            f(*executors_[size_t(thread)], member, index, begin, std::min(chunk_, rows_ - begin));
        });
    }

private:
    const Kernels<T>& kernels_;
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

void Sums::add(const Program& program, long member, const double* batch_losses, const double* batch_weights, double penalty,
               long rows) const {
    const long heads = long(program.heads.size());
    for (long head = 0; head < heads; ++head) {
        const double weight = batch_weights[head], count = double(rows);
        losses[member * heads + head] +=
            program.sklearn ? count * batch_losses[head] / (weight > 0 ? weight : 1.0) : batch_losses[head];
        weights[member * heads + head] += program.sklearn ? count : weight;
    }
    penalties[member] += program.sklearn ? penalty * double(rows) * program.penalty_factor(batch_weights) : penalty;
}

template <class T>
Outcome train(const Program& program, const TrainJob<T>& job) {
    const FlushDenormals flush;
    check_data(program, job.data, true);
    job.optimizer.check();
    if (job.memory_from > job.first_step) throw std::invalid_argument("what the optimizer remembers begins after the first step");
    if (job.members < 1 || job.batch < 1 || job.rows_in_order < 1) throw std::invalid_argument("there is nothing to train on");
    if (job.steps > (job.rows_in_order + job.batch - 1) / job.batch)
        throw std::invalid_argument("there are more learning rates than batches");
    for (long i = 0; i < job.members * job.rows_in_order; ++i)
        if (job.order[i] < 0 || job.order[i] >= job.data.rows)
            throw std::invalid_argument("the row order names row " + std::to_string(job.order[i]) + " of " +
                                        std::to_string(job.data.rows));
    for (const Run& run : job.trainable)
        if (run.begin < 0 || run.end < run.begin || run.end > program.parameters)
            throw std::invalid_argument("a trainable run lies outside the parameters");
    return Training<T>(program, job).run();
}

template <class T>
void predict(const Program& program, long members, const T* parameters, const T* state, const Data<T>& data,
             const std::vector<T*>& outputs, int threads) {
    const FlushDenormals flush;
    check_data(program, data, false);
    const Kernels<T>& kernels = kernels_of<T>(current_set());
    auto run = [&](Executor<T>& executor, long member, long, long begin, long rows) {
        Team alone;
        executor.take_stretch(data, begin, rows, false);
        executor.forward(parameters + member * program.parameters, state + member * program.state, {}, alone);
        for (size_t i = 0; i < outputs.size(); ++i) {
            const int slot = program.outputs[i];
            const long width = program.widths[size_t(slot)];
            T* to = outputs[i] + (member * data.rows + begin) * width;
            kernels.copy(executor.value(slot), executor.stride(slot), to, width, width, 0, rows);
        }
    };
    if (data.rows > few_rows) {
        Chunks<T> chunks(program, false, members, data, threads);
        return chunks.each(run);
    }
    auto ready = std::static_pointer_cast<Ready<T>>(program.leftovers.take(&kernels));
    if (!ready) ready = std::make_shared<Ready<T>>(program, kernels);
    for (long member = 0; member < members; ++member) run(ready->executor, member, 0, 0, data.rows);
    program.leftovers.leave(&kernels, std::move(ready));
}

template <class T>
void losses(const Program& program, long members, const T* parameters, const T* state, const Data<T>& data, const Sums& sums,
            int threads) {
    const FlushDenormals flush;
    check_data(program, data, true);
    Chunks<T> chunks(program, true, members, data, threads);
    const size_t heads = program.heads.size(), parts = size_t(chunks.count());
    std::vector<double> part_losses(size_t(members) * parts * heads), part_weights(part_losses.size());
    chunks.each([&](Executor<T>& executor, long member, long index, long begin, long rows) {
        Team alone;
        const size_t part = (size_t(member) * parts + size_t(index)) * heads;
        executor.take_stretch(data, begin, rows, true);
        executor.forward(parameters + member * program.parameters, state + member * program.state, {}, alone);
        executor.losses(&part_losses[part], &part_weights[part], alone);
    });
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
               uint64_t seed, uint64_t step, T* gradient, const Sums& sums, int threads) {
    const FlushDenormals flush;
    check_data(program, data, true);
    if (data.rows < 1) throw std::invalid_argument("a gradient needs at least one row");
    const Kernels<T>& kernels = kernels_of<T>(current_set());
    const Plan plan(program, training ? Mode::training : Mode::fixed, {{0, program.parameters}}, true, data.rows,
                    kernels.lanes, sizeof(T));
    Team team(threads_for(threads, plan.products * double(data.rows)));
    Executor<T> executor(program, plan, kernels, team.size());
    std::vector<double> loss(program.heads.size()), weight(program.heads.size());
    for (long member = 0; member < members; ++member) {
        const T* own = parameters + member * program.parameters;
        T* own_state = state + member * program.state;
        T* own_gradient = gradient + member * program.parameters;
        executor.take_stretch(data, 0, data.rows, true);
        executor.forward(own, own_state, {seed, uint32_t(step), uint32_t(member)}, team);
        executor.losses(loss.data(), weight.data(), team);
        executor.backward(own, own_state, own_gradient, nullptr, team);
        const double penalty = penalties<T>(program, kernels, own, own_gradient, program.penalty_factor(weight.data()));
        sums.add(program, member, loss.data(), weight.data(), penalty, data.rows);
        executor.follow_statistics(own_state);
    }
}

#define CHAINRULE_INSTANTIATE(T)                                                                                    \
    template Outcome train(const Program&, const TrainJob<T>&);                                                     \
    template void predict(const Program&, long, const T*, const T*, const Data<T>&, const std::vector<T*>&, int);   \
    template void losses(const Program&, long, const T*, const T*, const Data<T>&, const Sums&, int);               \
    template void gradients(const Program&, long, const T*, T*, const Data<T>&, bool, uint64_t, uint64_t, T*,       \
                            const Sums&, int);
CHAINRULE_INSTANTIATE(float)
CHAINRULE_INSTANTIATE(double)

}  // namespace chainrule
