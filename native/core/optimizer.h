// How one member's parameters change in a step: an optimizer's settings, and what they are applied to.
#pragma once

#include <memory>
#include <utility>
#include <vector>

#include "core/pool.h"
#include "core/program.h"
#include "core/resting.h"

namespace chainrule {

// An optimizer's settings, named as in optimizers.py.
struct Optimizer {
    enum class Kind { sgd, adagrad, rmsprop, adam } kind = Kind::adam;
    double momentum = 0, dampening = 0, weight_decay = 0;
    double rate_decay = 0, rho = 0.99;
    double beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8;
    bool nesterov = false, centered = false, amsgrad = false, decoupled = false;
    bool sklearn = false;  // the convention; otherwise PyTorch's

    int slots() const { return kind == Kind::sgd || kind == Kind::adagrad ? 1 : 3; }
    void check() const;
};

// Applies an optimizer to the trainable parameters and keeps the value of the penalties up to date: it is
// added up while parameters change, so that nothing is read twice. Sums go over fixed pieces: they are the same for any team.
template <class T>
class Updater {
public:
    // `eager`: weights may be changed as soon as their gradient is there.
    Updater(const Program& program, const Kernels<T>& kernels, T* parameters, T* slots, int n_slots, bool eager);

    // `t` counts from 1. `penalty_factor`: of the penalties' gradient.
    void begin_step(const Optimizer& optimizer, double rate, uint64_t t, double penalty_factor);

    // From now on whole gradients are wanted: nothing is changed band by band.
    void want_gradients(bool wanted) { gradients_wanted_ = wanted; }
    // Whether the weights of a product are to be changed now, by `change_band` for each band of their rows.
    bool begin_bands(size_t step);
    void change_band(size_t step, long index, long begin, const T* gradient, long count);
    // Rows of a band: so many that their gradient stays in the cache, a multiple of every kernel's tile.
    static long band_rows(long columns) { return columns > 256 ? 24 : 24 * (6144 / (24 * columns)); }

    // From here on rows of lookups' tables rest, unless they are charged. To the job's end there are so many steps.
    void let_rows_rest(const Program& program, long steps, long batch);
    // The table of a step, or null where it is changed as a whole at every step.
    RestingRows<T>* resting(size_t step) { return resting_.empty() ? nullptr : resting_[step].get(); }
    // Every row is as the steps so far have left it.
    void wake_all(Team& team);

    // Everything that wasn't changed band by band.
    void change_rest(const T* gradient, Team& team);

    // Adds the gradient of the penalties, for clipping: it isn't added again while parameters change.
    void add_penalties(T* gradient);
    double squared_norm(const T* gradient) const;
    void scale_gradient(double factor) {
        for (UpdateCall<T>& call : calls_) call.gradient_scale = T(factor);
    }

    double penalty() const;

private:
    // A part of a step's array that lies in one run; `sums` from `first_sum` on hold the penalties of its own parts.
    struct Piece {
        long begin, end;
        ParameterRun run;
        size_t factors;  // those of its rate and decay: their place among all
        size_t first_sum, n_sums = 0;
        long part = 0;
        RestingRows<T>* resting = nullptr;
        void cut(long numbers) {
            part = numbers;
            n_sums = size_t((end - begin + part - 1) / part);
        }
    };
    void add_span(long begin, long length, const Program& program);
    size_t place_of_factors(const ParameterRun& run);
    UpdateCall<T> charged_call(const Piece& piece) const;

    const Kernels<T>& kernels_;
    T* parameters_;
    std::vector<std::pair<double, double>> factors_;  // of rate and decay; mostly only 1 and 1
    std::vector<UpdateCall<T>> calls_;                // for each of them
    double penalty_factor_ = 1;
    T* slots_[3] = {nullptr, nullptr, nullptr};
    bool penalties_added_ = false;
    bool gradients_wanted_ = false;
    std::vector<Piece> pieces_;
    std::vector<long> whole_;  // for each product the piece that is exactly its weights, or -1
    std::vector<std::unique_ptr<RestingRows<T>>> resting_;  // for each step
    std::vector<bool> done_;
    std::vector<double> sums_;
};

}  // namespace chainrule
