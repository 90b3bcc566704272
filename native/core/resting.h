// Rows at rest. A batch reads a few rows of a lookup's table, and the others have no gradient; what a step does to them
// (Adam's means fall, weights go on) waits until they are read again, or until the job ends. Then a row makes up for the
// steps that it has missed, each as it would have been done at its time, to the bit, while its numbers are in registers.
#pragma once

#include <vector>

#include "core/kernels.h"
#include "core/pool.h"

namespace chainrule {

// An array of parameters: rows one after the other, in which each of the columns of a batch has its own.
struct Table {
    long begin = 0, rows = 0, width = 0, columns = 0;
};

template <class T>
class RestingRows {
public:
    RestingRows(const Kernels<T>& kernels, const Table& table, T* gradient, long steps, long batch);

    // Before a batch reads rows: the one with this number is as the steps so far have left it.
    void wake(long row) { kernels_.catch_up(call_, row); }
    // Adds to the gradient of a row that the batch has read. Columns may be worked on side by side.
    void add(long column, long row, const T* gradient);
    // The step at hand has come to its end; it was this one.
    void pass(const UpdateCall<T>& step);
    void wake_all(Team& team);
    // Of the gradient of the step at hand.
    double squared_norm() const;

private:
    const Kernels<T>& kernels_;
    Table table_;
    T* gradient_;
    std::vector<PassedStep<T>> steps_;
    std::vector<uint32_t> missed_;
    std::vector<uint8_t> has_gradient_;
    std::vector<std::vector<int32_t>> read_;  // by each column of the batch at hand, every row once
    RestCall<T> call_;
};

}  // namespace chainrule
