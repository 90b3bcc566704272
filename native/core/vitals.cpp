#include "core/vitals.h"

#include <algorithm>
#include <cmath>

namespace chainrule {
namespace {

constexpr long stretch = 8;   // rows whose slopes are held at a time
constexpr long piece = 16384;  // parameters that are summed at a time

long widest(const Plan& plan) {
    long numbers = 0;
    for (const SlotPlan& slot : plan.slots) numbers = std::max(numbers, slot.stride);
    return numbers;
}

}  // namespace

template <class T>
Vitals<T>::Vitals(const Program& program, const Plan& plan, const Kernels<T>& kernels, const std::vector<int>& watched)
    : program_(program),
      kernels_(kernels),
      watched_(watched),
      there_(program.steps.size(), false),
      row_squares_(program.steps.size(), -1),
      sums_(widest(plan)),
      squares_(widest(plan)),
      counts_(widest(plan)),
      slopes_(stretch * widest(plan)),
      parameters_(program.parameters) {
    std::vector<bool> by_product(program.widths.size(), false);  // a ReLU that the product before it computes
    for (size_t i = 0; i < program.steps.size(); ++i) {
        const Step& step = program.steps[i];
        by_product[size_t(step.output)] = plan.steps[i].relu_inside;
        there_[i] = plan.steps[i].runs || by_product[size_t(step.inputs[0])];
    }
}

template <class T>
void Vitals<T>::begin(double* numbers, long batch) {
    numbers_ = numbers;
    batch_ = batch;
    std::fill(row_squares_.begin(), row_squares_.end(), -1);
}

template <class T>
void Vitals<T>::look_forward(const Work<T>& work) {
    const size_t step = work.index;
    const long rows = std::min(work.rows(), vital_rows);
    if (!there_[step]) return;
    if (watched_[step] & watch_values) look_at_values(step, work.output(), rows);
    if (watched_[step] & watch_slopes) look_at_slopes(work, rows);
}

template <class T>
void Vitals<T>::look_at_values(size_t step, const Matrix<T>& h, long rows) {
    std::fill_n(sums_.data(), h.stride, T(0));
    std::fill_n(squares_.data(), h.stride, T(0));
    SpreadCall<T> call;
    call.rows = rows;
    call.columns = h.width;
    call.values = h.numbers;
    call.stride = h.stride;
    call.origin = h.numbers;
    call.sums = sums_.data();
    call.squares = squares_.data();
    kernels_.column_spread(call);
    double variance = 0, size = 0;
    for (long c = 0; c < h.width; ++c) {
        const double from_origin = double(sums_.data()[c]) / double(rows), mean = double(h.numbers[c]) + from_origin;
        const double own = std::max(double(squares_.data()[c]) / double(rows) - from_origin * from_origin, 0.0);
        variance += own;
        size += own + mean * mean;
    }
    number(step, Vital::spread) = std::sqrt(variance / double(h.width));
    number(step, Vital::size) = std::sqrt(size / double(h.width));
}

template <class T>
void Vitals<T>::look_at_slopes(const Work<T>& work, long rows) {
    const Step& step = work.step();
    const Matrix<T> h = work.output(), from = derivative_reads_output(step.function) ? h : work.input();
    std::fill_n(counts_.data(), h.stride, T(0));
    for (long row = 0; row < rows; row += stretch) {
        const long count = std::min(stretch, rows - row);
        std::fill_n(slopes_.data(), count * h.stride, T(1));
        const ActivationCall<T> call{step.function, T(step.numbers[0]), h.width, from.row(row), from.stride, slopes_.data(), h.stride};
        kernels_.activate_backward(call, 0, count);
        kernels_.count_flat(slopes_.data(), h.stride, count, h.width, T(least_slope), counts_.data());
    }
    double flat = 0, dead = 0;
    for (long c = 0; c < h.width; ++c) {
        flat += double(counts_.data()[c]);
        dead += counts_.data()[c] == T(rows);
    }
    number(work.index, Vital::flat) = flat / double(rows * h.width);
    number(work.index, Vital::dead) = dead / double(h.width);
}

template <class T>
void Vitals<T>::look_back(const Work<T>& work) {
    if (!(watched_[work.index] & watch_rows) || !work.plan().writes_gradient || !work.step().kind->is_product) return;
    const Matrix<T> x = work.input(), d_z = work.d_output();
    const long rows = std::min(work.rows(), vital_rows);
    const bool bias = work.step().spans[1] >= 0;
    row_squares_[work.index] =
        kernels_.squares_of_rows(x.numbers, x.stride, x.width, d_z.numbers, d_z.stride, d_z.width, bias, rows) / double(rows);
}

// f(begin, length, is_table) for the parameters of a step.
template <class T>
template <class F>
void Vitals<T>::each_span(size_t step, F&& f) const {
    const Step& own = program_.steps[step];
    for (size_t k = 0; k < own.kind->spans.size() && own.kind->spans[k].name; ++k)
        if (!own.kind->spans[k].in_state && own.spans[k] >= 0) f(own.spans[k], program_.span_length(own, own.kind->spans[k]), k == 0);
}

template <class T>
void Vitals<T>::look_at_gradient(const T* gradient, Updater<T>& updater) {
    for (size_t i = 0; i < program_.steps.size(); ++i) {
        if (!(watched_[i] & watch_parameters)) continue;
        double squares = 0;
        each_span(i, [&](long begin, long length, bool table) {
            if (table && updater.resting(i)) {
                squares += updater.resting(i)->squared_norm();
                return;
            }
            for (long at = begin; at < begin + length; at += piece)
                squares += kernels_.sum_of_squares(gradient, at, std::min(begin + length, at + piece));
        });
        number(i, Vital::gradient) = std::sqrt(squares);
        if (row_squares_[i] < 0 || squares == 0) continue;
        const double n = double(batch_);
        number(i, Vital::noise) = std::sqrt(std::max(n * row_squares_[i] - squares / n, 0.0) / squares);
    }
}

template <class T>
void Vitals<T>::remember(const T* parameters) {
    std::copy_n(parameters, program_.parameters, parameters_.data());
}

template <class T>
void Vitals<T>::look_at_update(const T* parameters) {
    for (size_t i = 0; i < program_.steps.size(); ++i) {
        if (!(watched_[i] & watch_parameters)) continue;
        double before = 0, change = 0;
        each_span(i, [&](long begin, long length, bool) {
            for (long at = begin; at < begin + length; at += piece) {
                const long end = std::min(begin + length, at + piece);
                before += kernels_.sum_of_squares(parameters_.data(), at, end);
                change += kernels_.squared_distance(parameters, parameters_.data(), at, end);
            }
        });
        if (before > 0) number(i, Vital::update) = std::sqrt(change / before);
    }
}

template class Vitals<float>;
template class Vitals<double>;

}  // namespace chainrule
