#include "core/resting.h"

#include <algorithm>

namespace chainrule {

template <class T>
RestingRows<T>::RestingRows(const Kernels<T>& kernels, const Table& table, T* gradient, long steps, long batch)
    : kernels_(kernels),
      table_(table),
      gradient_(gradient),
      steps_(size_t(steps)),
      missed_(size_t(table.rows)),
      has_gradient_(size_t(table.rows)),
      read_(size_t(table.columns)) {
    for (std::vector<int32_t>& rows : read_) rows.reserve(size_t(batch));
    call_.steps = steps_.data();
    call_.begin = table.begin;
    call_.width = table.width;
    call_.gradient = gradient;
    call_.missed = missed_.data();
    call_.has_gradient = has_gradient_.data();
}

template <class T>
void RestingRows<T>::add(long column, long row, const T* gradient) {
    T* sum = gradient_ + table_.begin + row * table_.width;
    if (has_gradient_[size_t(row)]) return kernels_.add(gradient, 0, sum, 0, table_.width, 0, 1);
    has_gradient_[size_t(row)] = 1;
    read_[size_t(column)].push_back(int32_t(row));
    kernels_.copy(gradient, 0, sum, 0, table_.width, 0, 1);
}

template <class T>
void RestingRows<T>::pass(const UpdateCall<T>& step) {
    steps_[call_.until++] = {step.rate, step.root_factor, step.shrink, step.gradient_scale};
    call_.rule = step;
    for (std::vector<int32_t>& rows : read_) rows.clear();
}

template <class T>
void RestingRows<T>::wake_all(Team& team) {
    constexpr long stretch = 64;
    team.share((table_.rows + stretch - 1) / stretch, [&](long task, int) {
        for (long row = task * stretch; row < std::min(table_.rows, (task + 1) * stretch); ++row) wake(row);
    });
}

template <class T>
double RestingRows<T>::squared_norm() const {
    double squares = 0;
    for (const std::vector<int32_t>& rows : read_)
        for (const long row : rows) {
            const long begin = table_.begin + row * table_.width;
            squares += kernels_.sum_of_squares(gradient_, begin, begin + table_.width);
        }
    return squares;
}

template class RestingRows<float>;
template class RestingRows<double>;

}  // namespace chainrule
