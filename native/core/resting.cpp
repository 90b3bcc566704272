#include "core/resting.h"

#include <algorithm>

#include "core/prefetch.h"

namespace chainrule {

template <class T>
RestingRows<T>::RestingRows(const Kernels<T>& kernels, const Table& table, long steps, long batch)
    : kernels_(kernels),
      table_(table),
      batch_(batch),
      done_(size_t(table.rows)),
      place_(size_t(table.rows), -1),
      read_(size_t(table.columns)),
      gradients_(table.columns * batch * table.width),
      none_(table.width) {
    steps_.reserve(size_t(steps));
    for (std::vector<int32_t>& rows : read_) rows.reserve(size_t(batch));
}

template <class T>
void RestingRows<T>::expect(long row) const {
    if (steps_.empty() || idle_) return;
    const UpdateCall<T>& call = steps_.back();
    const long begin = table_.begin + row * table_.width;
    ask_for(call.parameters + begin, table_.width);
    for (const T* slot : call.slots)
        if (slot && (slot != call.slots[2] || call.amsgrad || call.centered)) ask_for(slot + begin, table_.width);
}

template <class T>
void RestingRows<T>::wake(long row) {
    uint32_t& done = done_[size_t(row)];
    const long missed = long(steps_.size()) - done;
    if (missed > 0 && !idle_) kernels_.catch_up(steps_.data() + done, missed, table_.begin + row * table_.width, none_.data(), table_.width);
    done = uint32_t(steps_.size());
}

template <class T>
void RestingRows<T>::add(long column, long row, const T* gradient) {
    int32_t& place = place_[size_t(row)];
    std::vector<int32_t>& read = read_[size_t(column)];
    const bool first = place < 0;
    if (first) {
        place = int32_t(read.size());
        read.push_back(int32_t(row));
    }
    auto pass = first ? kernels_.copy : kernels_.add;
    pass(gradient, 0, this->gradient(column, place), 0, table_.width, 0, 1);
}

template <class T>
double RestingRows<T>::squared_norm() const {
    double squares = 0;
    for (long k = 0; k < table_.columns; ++k) {
        const long begin = k * batch_ * table_.width, count = long(read_[size_t(k)].size());
        squares += kernels_.sum_of_squares(gradients_.data(), begin, begin + count * table_.width);
    }
    return squares;
}

template <class T>
void RestingRows<T>::change(const UpdateCall<T>& step, Team& team) {
    steps_.push_back(step);
    idle_ = idle_ && (step.kind == Update::sgd || step.kind == Update::adagrad) && step.weight_decay == 0;
    team.share(table_.columns, [&](long k, int) {
        std::vector<int32_t>& read = read_[size_t(k)];
        for (size_t i = 0; i < read.size(); ++i) {
            if (i + size_t(ahead) < read.size()) expect(read[i + size_t(ahead)]);
            kernels_.update(step, table_.begin + read[i] * table_.width, gradient(k, long(i)), table_.width);
            done_[size_t(read[i])] = uint32_t(steps_.size());
            place_[size_t(read[i])] = -1;
        }
        read.clear();
    });
}

template <class T>
void RestingRows<T>::wake_all(Team& team) {
    constexpr long stretch = 64;
    team.share((table_.rows + stretch - 1) / stretch, [&](long task, int) {
        for (long row = task * stretch; row < std::min(table_.rows, (task + 1) * stretch); ++row) wake(row);
    });
}

template class RestingRows<float>;
template class RestingRows<double>;

}  // namespace chainrule
