// Runs one batch through a planned program: forward, losses, backward. Owns the arena, so nothing is allocated on the way,
// and nothing on the way throws. Rows come in by rows.cpp, passes.cpp calls the steps' own passes (in steps/) in their
// order, losses.cpp stands between.
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
    std::vector<const T*> inputs;  // null where there are codes
    std::vector<Target<T>> targets;
    std::vector<const int32_t*> codes = {};  // for the inputs that hold integers; may end before them
};

// Throws std::invalid_argument unless there is an array for every input and head, and every label names a class.
template <class T>
void check_data(const Program& program, const Data<T>& data, bool with_targets);

// Where a batch stands in the random stream, and which of the scheduled values are its.
struct Place {
    uint64_t seed = 0;
    uint32_t step = 0, member = 0;
    const std::vector<Scheduled>* scheduled = nullptr;
    long moment = 0;
    uint64_t first_row = 0;  // of the batch, where it is only a part of one
};

template <class T>
struct Matrix {
    T* numbers;
    long width, stride;
    T* row(long r) const { return numbers + r * stride; }
};

template <class T>
class Vitals;

template <class T>
class Executor {
public:
    Executor(const Program& program, const Plan& plan, const Kernels<T>& kernels, int threads);

    // From now on work is left undone as soon as `stop` says so (unless null): what was computed is worth nothing then.
    void heed(Stop* stop) { stop_ = stop; }
    bool stopped() const { return stop_ && stop_->now(); }
    // From now on the passes are looked at (unless null).
    void observe(Vitals<T>* vitals) { vitals_ = vitals; }

    // Takes rows of the data, by number or a stretch of them.
    void take_rows(const Data<T>& data, const int64_t* numbers, long count, Team& team);
    // Asks for rows that will be taken soon.
    void expect_rows(const Data<T>& data, const int64_t* numbers, long count) const;
    void take_stretch(const Data<T>& data, long begin, long count, bool with_targets);

    // With an updater, rows of its tables that are at rest are brought up to date before they are read.
    void forward(const T* parameters, const T* state, const Place& place, Team& team, Updater<T>* updater = nullptr);
    // Head losses and weights, summed over the batch; the gradients by what the losses read. `whole_weights`: the sums of
    // the whole batch, of which these rows are a part; null where they are all of it.
    void losses(double* loss_sums, double* weight_sums, const double* whole_weights, Team& team);
    // With an updater that is eager weights change as soon as their gradient, which then isn't stored, has been used.
    void backward(const T* parameters, const T* state, T* gradient, Updater<T>* updater, Team& team);
    // What the batch makes of the running statistics.
    void follow_statistics(T* state, Team& team);

    const T* value(int slot) const { return values_[size_t(slot)]; }
    long stride(int slot) const { return plan_.slots[size_t(slot)].stride; }

private:
    friend struct Work<T>;
    static long scratch_numbers(const Plan& plan, const Kernels<T>& kernels);
    static long arena_numbers(const Program& program, const Plan& plan, const Kernels<T>& kernels, int threads);
    void take_codes(const int32_t* codes, const int64_t* numbers, long begin, long count, size_t slot);
    void take_targets(const Data<T>& data, const int64_t* numbers, long begin, long count);
    void hand_on(const Work<T>& work);

    const Program& program_;
    const Plan& plan_;
    const Kernels<T>& kernels_;
    Stop* stop_ = nullptr;
    Vitals<T>* vitals_ = nullptr;
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

// A step of a batch at work: what its passes read and write, and who helps them.
template <class T>
struct Work {
    Executor<T>& executor;
    Team& team;
    const T *parameters, *state;
    T* gradient = nullptr;
    Updater<T>* updater = nullptr;
    Place place = {};
    size_t index = 0;  // of the step

    const Step& step() const { return executor.program_.steps[index]; }
    const StepPlan& plan() const { return executor.plan_.steps[index]; }
    const Kernels<T>& kernels() const { return executor.kernels_; }
    Stop* stop() const { return executor.stop_; }
    long rows() const { return executor.rows_; }

    Matrix<T> input(size_t k = 0) const { return value(step().inputs[k]); }
    Matrix<T> output() const { return value(step().output); }
    Matrix<T> d_input(size_t k = 0) const { return delta(step().inputs[k]); }
    Matrix<T> d_output() const { return delta(step().output); }

    // The step's first number, at this moment of training.
    double number() const {
        if (place.scheduled)
            for (const Scheduled& one : *place.scheduled)
                if (one.step == index) return one.values[place.moment];
        return step().numbers[0];
    }

    // A row of an input that holds integers.
    const int32_t* codes(long row) const { return reinterpret_cast<const int32_t*>(input().row(row)); }

    // The step's arrays, in the order of its kind's rules; null for one that there isn't.
    const T* array(size_t k) const {
        return at(step().kind->spans[k].in_state ? state : parameters, step().spans[k]);
    }
    T* d_array(size_t k) const { return at(gradient, step().spans[k]); }

    T* extra() const { return executor.extras_[index]; }
    T* scratch(int thread) const { return executor.scratch_[size_t(thread)]; }
    Matrix<T> turned() const { return {executor.turned_, rows(), executor.plan_.turned_stride}; }

private:
    template <class N>
    static N* at(N* vector, long offset) {
        return offset < 0 ? nullptr : vector + offset;
    }
    Matrix<T> value(int slot) const {
        const SlotPlan& plan = executor.plan_.slots[size_t(slot)];
        return {executor.values_[size_t(slot)], plan.width, plan.outside ? plan.width : plan.stride};
    }
    Matrix<T> delta(int slot) const {
        const SlotPlan& plan = executor.plan_.slots[size_t(slot)];
        return {executor.deltas_[size_t(slot)], plan.width, plan.stride};
    }
};

}  // namespace chainrule
