#include "core/optimizer.h"

#include <algorithm>
#include <cmath>
#include <stdexcept>

namespace chainrule {
namespace {

constexpr long chunk = 16384;  // parameters that are changed, and summed, at a time

// The step of an optimizer for parameters of this rate and weight decay; `t` counts from 1.
template <class T>
UpdateCall<T> update_call(const Optimizer& o, double rate, double weight_decay, uint64_t t) {
    UpdateCall<T> call;
    call.rate = T(rate);
    call.weight_decay = T(weight_decay);
    call.momentum = T(o.momentum);
    call.epsilon = T(o.epsilon);
    call.nesterov = o.nesterov;
    switch (o.kind) {
        case Optimizer::Kind::sgd:
            call.kind = o.momentum == 0 ? Update::sgd : (o.sklearn ? Update::momentum_sklearn : Update::momentum_torch);
            call.gradient_share = T(t == 1 ? 1.0 : 1 - o.dampening);
            break;
        case Optimizer::Kind::adagrad:
            call.kind = Update::adagrad;
            call.rate = T(rate / (1 + double(t - 1) * o.rate_decay));
            break;
        case Optimizer::Kind::rmsprop:
            call.kind = Update::rmsprop;
            call.beta2 = T(o.rho);
            call.share2 = T(1 - o.rho);
            call.centered = o.centered;
            break;
        case Optimizer::Kind::adam: {
            const double correction1 = 1 - std::pow(o.beta1, double(t));
            const double correction2 = std::sqrt(1 - std::pow(o.beta2, double(t)));
            call.kind = Update::adam;
            call.beta1 = T(o.beta1);
            call.beta2 = T(o.beta2);
            call.share1 = T(1 - o.beta1);
            call.share2 = T(1 - o.beta2);
            // Epsilon stands beside the corrected root, or (scikit-learn) beside the raw one: updates.h adds it last.
            call.rate = T(o.sklearn ? rate * correction2 / correction1 : rate / correction1);
            call.root_factor = T(o.sklearn ? 1.0 : 1 / correction2);
            call.amsgrad = o.amsgrad;
            if (o.decoupled) {
                call.weight_decay = 0;
                call.shrink = T(1 - rate * weight_decay);
            }
            break;
        }
    }
    return call;
}

}  // namespace

void Optimizer::check() const {
    auto fraction = [](double x) { return x >= 0 && x < 1; };
    const bool right = momentum >= 0 && momentum <= 1 && fraction(dampening) && fraction(rho) && fraction(beta1) && fraction(beta2) &&
                       epsilon > 0 && weight_decay >= 0 && rate_decay >= 0;
    if (!right) throw std::invalid_argument("the optimizer's settings are out of range");
}

template <class T>
Updater<T>::Updater(const Program& program, const Kernels<T>& kernels, T* parameters, T* slots, int n_slots, bool eager)
    : kernels_(kernels), parameters_(parameters), whole_(program.steps.size(), -1) {
    for (int i = 0; i < n_slots; ++i) slots_[i] = slots + i * program.parameters;
    for (size_t i = 0; i < program.steps.size(); ++i) {
        const Step& step = program.steps[i];
        const StepKind& kind = *step.kind;
        for (size_t k = 0; k < kind.spans.size() && kind.spans[k].name; ++k) {
            if (kind.spans[k].in_state || step.spans[k] < 0) continue;
            const size_t before = pieces_.size();
            const long length = program.span_length(step, kind.spans[k]);
            add_span(step.spans[k], length, program);
            const bool whole = pieces_.size() == before + 1 && pieces_.back().end - pieces_.back().begin == length;
            if (!eager || !kind.is_product || k > 0 || !whole || !pieces_.back().run.trainable) continue;
            const long width = program.widths[size_t(step.output)];
            whole_[i] = long(before);
            pieces_.back().cut(band_rows(width) * width);
            sums_.resize(pieces_.back().first_sum + pieces_.back().n_sums);
        }
    }
    done_.assign(pieces_.size(), false);
    calls_.resize(factors_.size());
    for (const Piece& piece : pieces_) {
        for (size_t i = 0; piece.run.charged() && i < piece.n_sums; ++i) {
            const long begin = piece.begin + long(i) * piece.part;
            sums_[piece.first_sum + i] = kernels_.penalty(parameters_, nullptr, 1, piece.run.l1, piece.run.l2, begin,
                                                          std::min(piece.end, begin + piece.part));
        }
    }
}

template <class T>
void Updater<T>::let_rows_rest(const Program& program, long steps, long batch) {
    for (size_t i = 0; i < program.steps.size(); ++i) {
        const Step& step = program.steps[i];
        if (!step.kind->looks_up) continue;
        const long inputs = program.widths[size_t(step.inputs[0])], units = program.widths[size_t(step.output)];
        const Table table{step.spans[0], step.kind->table_rows(step, inputs, units), step.kind->table_width(step, inputs, units), inputs};
        for (Piece& piece : pieces_) {
            if (piece.begin != table.begin || piece.end != table.begin + table.rows * table.width) continue;
            if (!piece.run.trainable || piece.run.charged()) continue;  // the penalties of all rows are asked for at every step
            resting_.resize(program.steps.size());
            resting_[i] = std::make_unique<RestingRows<T>>(kernels_, table, steps, batch);
            piece.resting = resting_[i].get();
        }
    }
}

template <class T>
void Updater<T>::wake_all(Team& team) {
    for (const auto& table : resting_)
        if (table) table->wake_all(team);
}

// Cuts a span where runs begin or end.
template <class T>
void Updater<T>::add_span(long begin, long length, const Program& program) {
    for (const ParameterRun& run : program.runs) {
        Piece piece{std::max(begin, run.begin), std::min(begin + length, run.end), run, place_of_factors(run), sums_.size()};
        if (piece.begin >= piece.end) continue;
        piece.cut(chunk);
        sums_.resize(sums_.size() + piece.n_sums);
        pieces_.push_back(piece);
    }
}

template <class T>
size_t Updater<T>::place_of_factors(const ParameterRun& run) {
    const std::pair<double, double> wanted{run.rate_factor, run.decay_factor};
    const auto found = std::find(factors_.begin(), factors_.end(), wanted);
    if (found == factors_.end()) factors_.push_back(wanted);
    return size_t(std::find(factors_.begin(), factors_.end(), wanted) - factors_.begin());
}

template <class T>
void Updater<T>::begin_step(const Optimizer& optimizer, double rate, uint64_t t, double penalty_factor) {
    for (size_t i = 0; i < factors_.size(); ++i) {
        const auto [rate_factor, decay_factor] = factors_[i];
        UpdateCall<T>& call = calls_[i];
        call = update_call<T>(optimizer, rate * rate_factor, optimizer.weight_decay * decay_factor, t);
        call.penalty_factor = penalty_factor;
        call.parameters = parameters_;
        for (int slot = 0; slot < 3; ++slot) call.slots[slot] = slots_[slot];
    }
    penalty_factor_ = penalty_factor;
    penalties_added_ = false;
    done_.assign(pieces_.size(), false);
}

template <class T>
UpdateCall<T> Updater<T>::charged_call(const Piece& piece) const {
    UpdateCall<T> call = calls_[piece.factors];
    if (!penalties_added_) {
        call.l1 = piece.run.l1;
        call.l2 = piece.run.l2;
    }
    return call;
}

template <class T>
bool Updater<T>::begin_bands(size_t step) {
    if (whole_[step] < 0 || gradients_wanted_) return false;
    done_[size_t(whole_[step])] = true;
    return true;
}

template <class T>
void Updater<T>::change_band(size_t step, long index, long begin, const T* gradient, long count) {
    const Piece& piece = pieces_[size_t(whole_[step])];
    sums_[piece.first_sum + size_t(index)] = kernels_.update(charged_call(piece), begin, gradient, count);
}

template <class T>
void Updater<T>::change_rest(const T* gradient, Team& team) {
    for (size_t i = 0; i < pieces_.size(); ++i) {
        const Piece& piece = pieces_[i];
        if (!piece.run.trainable || done_[i]) continue;
        if (piece.resting) {
            piece.resting->change(calls_[piece.factors], team);
            continue;
        }
        const UpdateCall<T> call = charged_call(piece);
        team.share(long(piece.n_sums), [&](long task, int) {
            const long begin = piece.begin + task * piece.part, end = std::min(piece.end, begin + piece.part);
            double& sum = sums_[piece.first_sum + size_t(task)];
            sum = kernels_.update(call, begin, gradient + begin, end - begin);
            if (penalties_added_ && piece.run.charged())
                sum = kernels_.penalty(parameters_, nullptr, 1, piece.run.l1, piece.run.l2, begin, end);
        });
    }
}

template <class T>
void Updater<T>::add_penalties(T* gradient) {
    penalties_added_ = true;
    for (const Piece& piece : pieces_)
        if (piece.run.charged() && piece.run.trainable)
            kernels_.penalty(parameters_, gradient, penalty_factor_, piece.run.l1, piece.run.l2, piece.begin, piece.end);
}

template <class T>
double Updater<T>::squared_norm(const T* gradient) const {
    double squares = 0;
    for (const Piece& piece : pieces_) {
        if (piece.resting) {
            squares += piece.resting->squared_norm();
            continue;
        }
        for (long begin = piece.begin; begin < piece.end && piece.run.trainable; begin += chunk)
            squares += kernels_.sum_of_squares(gradient, begin, std::min(piece.end, begin + chunk));
    }
    return squares;
}

template <class T>
double Updater<T>::penalty() const {
    double sum = 0;
    for (const Piece& piece : pieces_)
        for (size_t i = 0; i < piece.n_sums; ++i) sum += sums_[piece.first_sum + i];
    return sum;
}

template class Updater<float>;
template class Updater<double>;

}  // namespace chainrule
