#include "core/optimizer.h"

#include <algorithm>
#include <cmath>
#include <stdexcept>

namespace chainrule {
namespace {

constexpr long chunk = 16384;  // parameters that are changed, and summed, at a time

}  // namespace

void Optimizer::check() const {
    auto fraction = [](double x) { return x >= 0 && x < 1; };
    const bool right = momentum >= 0 && momentum <= 1 && fraction(dampening) && fraction(rho) && fraction(beta1) && fraction(beta2) &&
                       epsilon > 0 && weight_decay >= 0 && rate_decay >= 0;
    if (!right) throw std::invalid_argument("the optimizer's settings are out of range");
}

template <class T>
UpdateCall<T> update_call(const Optimizer& o, double rate, uint64_t t) {
    UpdateCall<T> call;
    call.rate = T(rate);
    call.weight_decay = T(o.weight_decay);
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
            call.rate = T(o.sklearn ? rate * correction2 / correction1 : rate / correction1);
            call.root_factor = T(o.sklearn ? 1.0 : 1 / correction2);
            call.amsgrad = o.amsgrad;
            if (o.decoupled) {
                call.weight_decay = 0;
                call.shrink = T(1 - rate * o.weight_decay);
            }
            break;
        }
    }
    return call;
}

template <class T>
Updater<T>::Updater(const Program& program, const std::vector<Run>& trainable, const Kernels<T>& kernels, T* parameters,
                    T* slots, int n_slots, bool eager)
    : kernels_(kernels), parameters_(parameters), whole_(program.steps.size(), -1) {
    for (int i = 0; i < n_slots; ++i) slots_[i] = slots + i * program.parameters;
    for (size_t i = 0; i < program.steps.size(); ++i) {
        const Step& step = program.steps[i];
        const long width = program.widths[size_t(step.output)];
        if (step.kind == StepKind::dense) {
            const size_t before = pieces_.size();
            const long length = width * program.widths[size_t(step.inputs[0])];
            add_span(step.weights, length, program, trainable);
            const bool one = pieces_.size() == before + 1;
            if (eager && one && pieces_.back().trainable && pieces_.back().end - pieces_.back().begin == length) {
                whole_[i] = long(before);
                pieces_.back().cut(band_rows(width) * width);
                sums_.resize(pieces_.back().first_sum + pieces_.back().n_sums);
            }
            if (step.bias >= 0) add_span(step.bias, width, program, trainable);
        }
        if (step.kind == StepKind::batch_norm) {
            add_span(step.scale, width, program, trainable);
            add_span(step.shift, width, program, trainable);
        }
    }
    done_.assign(pieces_.size(), false);
    for (const Piece& piece : pieces_) {
        for (size_t i = 0; piece.charged() && i < piece.n_sums; ++i) {
            const long begin = piece.begin + long(i) * piece.part;
            sums_[piece.first_sum + i] =
                kernels_.penalty(parameters_, nullptr, 1, piece.l1, piece.l2, begin, std::min(piece.end, begin + piece.part));
        }
    }
}

// Cuts a span where penalties or trainable runs begin or end.
template <class T>
void Updater<T>::add_span(long begin, long length, const Program& program, const std::vector<Run>& trainable) {
    std::vector<long> cuts = {begin, begin + length};
    auto cut = [&](long at) {
        if (at > begin && at < begin + length) cuts.push_back(at);
    };
    for (const PenaltyRun& run : program.penalties) cut(run.begin), cut(run.end);
    for (const Run& run : trainable) cut(run.begin), cut(run.end);
    std::sort(cuts.begin(), cuts.end());
    for (size_t i = 0; i + 1 < cuts.size(); ++i) {
        if (cuts[i] == cuts[i + 1]) continue;
        Piece piece{cuts[i], cuts[i + 1], 0, 0, false, sums_.size()};
        piece.cut(chunk);
        for (const PenaltyRun& run : program.penalties)
            if (run.begin <= piece.begin && piece.end <= run.end) piece.l1 += run.l1, piece.l2 += run.l2;
        for (const Run& run : trainable) piece.trainable = piece.trainable || (run.begin <= piece.begin && piece.end <= run.end);
        sums_.resize(sums_.size() + piece.n_sums);
        pieces_.push_back(piece);
    }
}

template <class T>
void Updater<T>::begin_step(const UpdateCall<T>& call, double penalty_factor) {
    call_ = call;
    call_.penalty_factor = penalty_factor;
    call_.parameters = parameters_;
    for (int i = 0; i < 3; ++i) call_.slots[i] = slots_[i];
    penalties_added_ = false;
    done_.assign(pieces_.size(), false);
}

template <class T>
UpdateCall<T> Updater<T>::charged_call(const Piece& piece) const {
    UpdateCall<T> call = call_;
    if (!penalties_added_) {
        call.l1 = piece.l1;
        call.l2 = piece.l2;
    }
    return call;
}

template <class T>
bool Updater<T>::begin_bands(size_t step) {
    if (whole_[step] < 0) return false;
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
        if (!piece.trainable || done_[i]) continue;
        const UpdateCall<T> call = charged_call(piece);
        team.share(long(piece.n_sums), [&](long task, int) {
            const long begin = piece.begin + task * piece.part, end = std::min(piece.end, begin + piece.part);
            double& sum = sums_[piece.first_sum + size_t(task)];
            sum = kernels_.update(call, begin, gradient + begin, end - begin);
            if (penalties_added_ && piece.charged())
                sum = kernels_.penalty(parameters_, nullptr, 1, piece.l1, piece.l2, begin, end);
        });
    }
}

template <class T>
void Updater<T>::add_penalties(T* gradient) {
    penalties_added_ = true;
    for (const Piece& piece : pieces_)
        if (piece.charged() && piece.trainable)
            kernels_.penalty(parameters_, gradient, call_.penalty_factor, piece.l1, piece.l2, piece.begin, piece.end);
}

template <class T>
double Updater<T>::squared_norm(const T* gradient) const {
    double squares = 0;
    for (const Piece& piece : pieces_)
        for (long begin = piece.begin; begin < piece.end && piece.trainable; begin += chunk)
            squares += kernels_.sum_of_squares(gradient, begin, std::min(piece.end, begin + chunk));
    return squares;
}

template <class T>
double Updater<T>::penalty() const {
    double sum = 0;
    for (const Piece& piece : pieces_)
        for (size_t i = 0; i < piece.n_sums; ++i) sum += sums_[piece.first_sum + i];
    return sum;
}

template UpdateCall<float> update_call(const Optimizer&, double, uint64_t);
template UpdateCall<double> update_call(const Optimizer&, double, uint64_t);
template class Updater<float>;
template class Updater<double>;

}  // namespace chainrule
