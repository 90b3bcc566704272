#include "core/parts.h"

#include <algorithm>

namespace chainrule {

// All rows where they act on each other, or where the gradient of a part would take more memory than the parts save.
template <class T>
long Parts<T>::rows_of(const Program& program, Mode mode, const std::vector<Run>& trainable, const Kernels<T>& kernels,
                       long batch) {
    constexpr long cache = 1 << 22;  // bytes
    constexpr long least = 2048;     // so that what is done once for each part is little beside its rows
    if (batch <= least) return batch;
    const Plan plan(program, mode, trainable, true, 24, kernels.lanes, sizeof(T));
    for (size_t i = 0; i < program.steps.size(); ++i)
        if (program.steps[i].kind->couples_rows && mode == Mode::training && plan.steps[i].runs) return batch;
    const long fitting = cache / std::max(plan.row_numbers * long(sizeof(T)), 1L) / 24 * 24;
    const long rows = std::max(fitting, least);
    return rows < batch && (batch - rows) * plan.row_numbers >= 2 * program.parameters ? rows : batch;
}

template <class T>
Parts<T>::Parts(const Program& program, Mode mode, const std::vector<Run>& trainable, const Kernels<T>& kernels, long batch)
    : kernels_(kernels),
      batch_(batch),
      rows_(rows_of(program, mode, trainable, kernels, batch)),
      size_(program.parameters),
      heads_(program.heads.size()),
      gradient_(rows_ < batch ? size_ : 0) {}

template <class T>
void Parts<T>::add_to(T* gradient, Team& team) {
    constexpr long piece = 16384;
    team.share((size_ + piece - 1) / piece, [&](long task, int) {
        const long from = task * piece, count = std::min(piece, size_ - from);
        kernels_.add(gradient_.data() + from, count, gradient + from, count, count, 0, 1);
    });
}

template <class T>
std::vector<double> weights_of(const Data<T>& data, const int64_t* numbers, long count) {
    std::vector<double> sums;
    for (const Target<T>& target : data.targets) {
        double sum = target.weights ? 0 : double(count);
        for (long row = 0; target.weights && row < count; ++row) sum += double(target.weights[numbers ? numbers[row] : row]);
        sums.push_back(sum);
    }
    return sums;
}

template class Parts<float>;
template class Parts<double>;
template std::vector<double> weights_of(const Data<float>&, const int64_t*, long);
template std::vector<double> weights_of(const Data<double>&, const int64_t*, long);

}  // namespace chainrule
