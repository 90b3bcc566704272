// Rows at rest. A batch reads a few rows of a lookup's table, and the others have no gradient; what a step does to them
// (Adam's means fall, weights go on and decay) waits until they are read again, or until the job ends. Then a row makes up for the
// steps that it has missed, each as it would have been done at its time, to the bit, while its numbers are in the cache.
#pragma once

#include <vector>

#include "core/aligned.h"
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
    // To the job's end there are at most so many steps, and rows of a batch.
    RestingRows(const Kernels<T>& kernels, const Table& table, long steps, long batch);

    // Asks for a row that will be woken soon, so many rows later.
    static constexpr long ahead = 2;
    void expect(long row) const;
    // Before a batch reads a row: it is as the steps so far have left it.
    void wake(long row);
    // Adds to the gradient of a row that the batch has read. Columns may be worked on side by side.
    void add(long column, long row, const T* gradient);
    // Of the gradient of the step at hand.
    double squared_norm() const;
    // The step at hand: rows that the batch has read change, the others rest.
    void change(const UpdateCall<T>& step, Team& team);
    void wake_all(Team& team);

private:
    T* gradient(long column, long place) { return gradients_.data() + (column * batch_ + place) * table_.width; }

    const Kernels<T>& kernels_;
    Table table_;
    long batch_;
    bool idle_ = true;  // the steps so far do nothing to a row without a gradient
    std::vector<UpdateCall<T>> steps_;
    std::vector<uint32_t> done_;              // of each row the steps that it has done
    std::vector<int32_t> place_;              // and where its gradient is, -1 where the batch hasn't read it
    std::vector<std::vector<int32_t>> read_;  // by each column of the batch at hand, every row once
    Aligned<T> gradients_, none_;
};

}  // namespace chainrule
