#include "core/trainer.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <stdexcept>

#include "core/denormals.h"
#include "core/dispatch.h"
#include "core/parts.h"

namespace chainrule {
namespace {

// Multiplications in a step so long that a call may be stopped within it.
constexpr double long_step = 2e9;

template <class T>
class Training {
public:
    Training(const Program& program, const TrainJob<T>& job)
        : program_(program),
          job_(job),
          kernels_(kernels_of<T>(current_set())),
          parts_(program, Mode::training, program.trainable(), kernels_, std::min(job.batch, job.rows_in_order)),
          plan_(program, Mode::training, program.trainable(), true, parts_.rows(), kernels_.lanes, sizeof(T)),
          team_(Team::wanted(job.threads, plan_.products * double(plan_.rows) * double(job.members))),
          is_long_(plan_.products * double(std::min(job.batch, job.rows_in_order)) >= long_step || parts_.several()),
          eager_(job.members == 1 && job.clip_norm <= 0 && !parts_.several() && !(is_long_ && plan_.numbers >= program.parameters)),
          side_by_side_(team_.size() > 1 && job.members > 1 && !is_long_),
          gradients_(job.members * program.parameters),
          losses_(size_t(job.members) * program.heads.size()),
          weights_(losses_.size()),
          penalties_(size_t(job.members)) {
        for (long i = 0; i < job.members; ++i)
            executors_.push_back(std::make_unique<Executor<T>>(program, plan_, kernels_, side_by_side_ ? 1 : team_.size()));
        const int n_slots = job.optimizer.slots();
        for (long i = 0; i < job.members; ++i) {
            updaters_.emplace_back(program, kernels_, job.parameters + i * program.parameters,
                                   job.slots + i * n_slots * program.parameters, n_slots, eager_);
            if (!parts_.several()) updaters_.back().let_rows_rest(program, job.steps, plan_.rows);
            if (job.vitals.every > 0) vitals_.push_back(std::make_unique<Vitals<T>>(program, plan_, kernels_, job.vitals.watched));
        }
    }

    Outcome run() {
        for (long step = 0; step < job_.steps && !outcome_.stopped; ++step) {
            if (!compute(step)) break;
            change(step);
            ++outcome_.steps;
            outcome_.stopped = job_.stop && job_.stop->now();
        }
        each_member([&](long member, Team& team) { updaters_[size_t(member)].wake_all(team); });
        return outcome_;
    }

private:
    template <class F>
    void each_member(F&& f) {
        if (side_by_side_) {
            Team alone;
            team_.share(job_.members, [&](long member, int) { f(member, alone); });
        } else {
            for (long member = 0; member < job_.members; ++member) f(member, team_);
        }
    }

    // Losses and gradients of every member. False if a loss isn't finite or the call was stopped: then nothing was changed.
    bool compute(long step) {
        const long begin = step * job_.batch, count = rows_of(step);
        const size_t heads = program_.heads.size();
        each_member([&](long member, Team& team) {
            Executor<T>& executor = *executors_[size_t(member)];
            const T* parameters = job_.parameters + member * program_.parameters;
            const T* state = job_.state + member * program_.state;
            T* gradient = gradients_.data() + member * program_.parameters;
            const Place place{job_.seed, uint32_t(job_.first_step + uint64_t(step)), uint32_t(member), &job_.scheduled, step};
            double* losses = losses_.data() + size_t(member) * heads;
            double* weights = weights_.data() + size_t(member) * heads;
            executor.heed(is_long_ ? job_.stop : nullptr);
            look(member, step);
            const int64_t* rows = job_.order + member * job_.rows_in_order + begin;
            if (parts_.several()) {
                const std::vector<double> sums = weights_of(job_.data, rows, count);
                std::copy(sums.begin(), sums.end(), weights);
                auto take = [&](long first, long taken) { executor.take_rows(job_.data, rows + first, taken, team); };
                parts_.run(executor, count, take, parameters, state, place, weights, losses, gradient, team);
                if (!stopped()) begin_update(member, step);
                return;
            }
            executor.take_rows(job_.data, rows, count, team);
            if (step + 1 < job_.steps)
                executor.expect_rows(job_.data, rows + count, rows_of(step + 1));
            executor.forward(parameters, state, place, team, &updaters_[size_t(member)]);
            executor.losses(losses, weights, nullptr, team);
            if (stopped() || !begin_update(member, step)) return;
            if (eager_) executor.heed(nullptr);  // what has begun to change is changed as a whole
            executor.backward(parameters, state, gradient, &updaters_[size_t(member)], team);
        });
        if (stopped()) {
            outcome_.stopped = true;
            return false;
        }
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

    // False if the member's loss isn't finite.
    bool begin_update(long member, long step) {
        const size_t heads = program_.heads.size();
        Updater<T>& updater = updaters_[size_t(member)];
        double sum = penalties_[size_t(member)] = updater.penalty();
        for (size_t head = 0; head < heads; ++head) sum += losses_[size_t(member) * heads + head];
        if (!std::isfinite(sum)) return false;
        const double factor = program_.penalty_factor(weights_.data() + size_t(member) * heads);
        const uint64_t t = job_.first_step - job_.memory_from + uint64_t(step) + 1;
        Optimizer optimizer = job_.optimizer;
        if (job_.weight_decays) optimizer.weight_decay = job_.weight_decays[step];
        updater.begin_step(optimizer, job_.rates[step], t, factor);
        return true;
    }

    // At a step that is sampled the member's passes are looked at, and the gradient is stored as a whole.
    void look(long member, long step) {
        if (job_.vitals.every <= 0) return;
        const long sample = job_.vitals.sample(job_.first_step, step), size = long(program_.steps.size()) * n_vitals;
        Vitals<T>* vitals = sample < 0 ? nullptr : vitals_[size_t(member)].get();
        executors_[size_t(member)]->observe(vitals);
        updaters_[size_t(member)].want_gradients(vitals != nullptr);
        if (vitals) vitals->begin(job_.vitals.numbers + (sample * job_.members + member) * size, rows_of(step));
    }

    void change(long step) {
        each_member([&](long member, Team& team) {
            executors_[size_t(member)]->follow_statistics(job_.state + member * program_.state, team);
            Updater<T>& updater = updaters_[size_t(member)];
            T* gradient = gradients_.data() + member * program_.parameters;
            T* parameters = job_.parameters + member * program_.parameters;
            Vitals<T>* vitals = job_.vitals.sample(job_.first_step, step) < 0 ? nullptr : vitals_[size_t(member)].get();
            if (vitals) {
                vitals->look_at_gradient(gradient, updater);
                updater.wake_all(team);
                vitals->remember(parameters);
            }
            if (job_.clip_norm > 0) {
                updater.add_penalties(gradient);
                const double norm = std::sqrt(updater.squared_norm(gradient));
                if (norm > job_.clip_norm) updater.scale_gradient(job_.clip_norm / norm);
            }
            updater.change_rest(gradient, team);
            if (!vitals) return;
            updater.wake_all(team);
            vitals->look_at_update(parameters);
        });
        const size_t heads = program_.heads.size();
        if (const long sample = job_.vitals.sample(job_.first_step, step); sample >= 0) {
            std::copy(losses_.begin(), losses_.end(), job_.vitals.losses + sample * long(losses_.size()));
            std::copy(weights_.begin(), weights_.end(), job_.vitals.weights + sample * long(weights_.size()));
        }
        for (size_t member = 0; member < penalties_.size(); ++member)
            job_.sums.add(program_, long(member), losses_.data() + member * heads, weights_.data() + member * heads,
                          penalties_[member], rows_of(step));
    }

    // Within a step.
    bool stopped() const { return is_long_ && job_.stop && job_.stop->said(); }

    long rows_of(long step) const { return std::min(job_.batch, job_.rows_in_order - step * job_.batch); }

    const Program& program_;
    const TrainJob<T>& job_;
    const Kernels<T>& kernels_;
    Parts<T> parts_;
    Plan plan_;
    Team team_;
    const bool is_long_;
    // A member on its own changes its weights on the way back; several wait until all losses are known, parts until they
    // are added up, and a long step until it can't be stopped any more, unless its gradient takes more memory than its batch.
    const bool eager_;
    const bool side_by_side_;
    Aligned<T> gradients_;
    std::vector<std::unique_ptr<Executor<T>>> executors_;
    std::vector<Updater<T>> updaters_;
    std::vector<std::unique_ptr<Vitals<T>>> vitals_;  // of each member, where any step is sampled
    std::vector<double> losses_, weights_, penalties_;  // of the step at hand
    Outcome outcome_;
};

}  // namespace

template <class T>
Outcome train(const Program& program, const TrainJob<T>& job) {
    const FlushDenormals flush;
    check_data(program, job.data, true);
    job.optimizer.check();
    if (job.memory_from > job.first_step) throw std::invalid_argument("what the optimizer remembers begins after the first step");
    if (job.members < 1 || job.batch < 1 || job.rows_in_order < 1) throw std::invalid_argument("there is nothing to train on");
    if (job.steps > (job.rows_in_order - 1) / job.batch + 1)
        throw std::invalid_argument("there are more learning rates than batches");
    program.check(job.scheduled, job.steps);
    if (job.vitals.every > 0 && job.vitals.watched.size() != program.steps.size())
        throw std::invalid_argument("there must be a number for each step of the program that says what is watched");
    for (long i = 0; job.weight_decays && i < job.steps; ++i)
        if (!(job.weight_decays[i] >= 0)) throw std::invalid_argument("a weight decay is negative");
    for (long i = 0; i < job.members * job.rows_in_order; ++i)
        if (job.order[i] < 0 || job.order[i] >= job.data.rows)
            throw std::invalid_argument("the row order names row " + std::to_string(job.order[i]) + " of " +
                                        std::to_string(job.data.rows));
    return Training<T>(program, job).run();
}

template Outcome train(const Program&, const TrainJob<float>&);
template Outcome train(const Program&, const TrainJob<double>&);

}  // namespace chainrule
