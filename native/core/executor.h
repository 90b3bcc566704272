// Runs one batch through a planned program: forward, losses, backward. Owns the arena, so nothing is allocated on the way,
// and nothing on the way throws. What it does lies in rows.cpp, forward.cpp, losses.cpp, backward.cpp, batch_norm.cpp.
#pragma once

#include <vector>

#include "core/aligned.h"
#include "core/plan.h"
#include "core/optimizer.h"
#include "core/pool.h"
#include "core/sharing.h"

namespace chainrule {

// The caller's arrays, C-contiguous: an input or target row is `width` numbers.
template <class T>
struct Target {
    const T* values = nullptr;
    const int64_t* labels = nullptr;  // classes, in place of values
    const T* weights = nullptr;       // of the rows; null: all 1
};

template <class T>
struct Data {
    long rows = 0;
    std::vector<const T*> inputs;
    std::vector<Target<T>> targets;
};

// Throws std::invalid_argument unless there is an array for every input and head, and every label names a class.
template <class T>
void check_data(const Program& program, const Data<T>& data, bool with_targets);

// Where a batch stands in the random stream.
struct Place {
    uint64_t seed = 0;
    uint32_t step = 0, member = 0;
    uint64_t first_row = 0;  // of the batch, where it is only a part of one
};

template <class T>
class Executor {
public:
    Executor(const Program& program, const Plan& plan, const Kernels<T>& kernels, int threads);

    // From now on work is left undone as soon as `stop` says so (unless null): what was computed is worth nothing then.
    void heed(Stop* stop) { stop_ = stop; }
    bool stopped() const { return stop_ && stop_->now(); }

    // Takes rows of the data, by number or a stretch of them.
    void take_rows(const Data<T>& data, const int64_t* numbers, long count, Team& team);
    // Asks for rows that will be taken soon.
    void expect_rows(const Data<T>& data, const int64_t* numbers, long count) const;
    void take_stretch(const Data<T>& data, long begin, long count, bool with_targets);

    void forward(const T* parameters, const T* state, const Place& place, Team& team);
    // Head losses and weights, summed over the batch; the gradients by what the losses read. `whole_weights`: the sums of
    // the whole batch, of which these rows are a part; null where they are all of it.
    void losses(double* loss_sums, double* weight_sums, const double* whole_weights, Team& team);
    // With an updater weights change as soon as their gradient, which then isn't stored, has been used.
    void backward(const T* parameters, const T* state, T* gradient, Updater<T>* updater, Team& team);
    // What the batch makes of the running statistics.
    void follow_statistics(T* state) const;

    const T* value(int slot) const { return values_[size_t(slot)]; }
    long stride(int slot) const { return plan_.slots[size_t(slot)].stride; }

private:
    static long scratch_numbers(const Plan& plan, const Kernels<T>& kernels);
    static long arena_numbers(const Program& program, const Plan& plan, const Kernels<T>& kernels, int threads);
    void take_targets(const Data<T>& data, const int64_t* numbers, long begin, long count);
    void forward_dense(size_t i, const T* parameters, Team& team);
    void backward_dense(size_t i, const T* parameters, T* gradient, Updater<T>* updater, Team& team);
    void change_weights(size_t i, const Product<T>& product, Updater<T>& updater, Team& team);
    void forward_norm(size_t i, const T* parameters, const T* state, Team& team);
    void backward_norm(size_t i, const T* parameters, const T* state, T* gradient, Team& team);
    void backward_turned(size_t i, const T* parameters, Team& team);
    void hand_on(size_t i, Team& team);
    void run_product(const Product<T>& product, Team& team);
    NormCall<T> norm_call(size_t i, const T* parameters, const T* state) const;

    const Program& program_;
    const Plan& plan_;
    const Kernels<T>& kernels_;
    Stop* stop_ = nullptr;
    long rows_ = 0;

    Aligned<T> arena_;
    std::vector<T*> values_, deltas_, extras_;
    T* turned_ = nullptr;
    std::vector<T*> scratch_;  // a packed panel for each thread
    struct HeadBuffers {
        T *target, *weights, *factor, *row_loss, *gradient;
        int64_t* labels;
        long stride;
        bool by_label, weighted, second;
    };
    std::vector<HeadBuffers> heads_;
};

}  // namespace chainrule
