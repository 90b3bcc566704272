#include "core/executor.h"

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <string>

namespace chainrule {
namespace {

constexpr double shared_work = 2e6;     // multiplications: below this a product isn't worth sharing out
constexpr long shared_numbers = 16384;  // the same for passes over numbers
constexpr long packed_from = 64;        // rows from which packing W panel by panel costs less than it saves
constexpr long row_multiple = 24;       // of every kernel's tile

long rounded(long n, long multiple) { return (n + multiple - 1) / multiple * multiple; }

}  // namespace

template <class T>
void check_data(const Program& program, const Data<T>& data, bool with_targets) {
    if (data.inputs.size() != program.inputs.size())
        throw std::invalid_argument("the program and the data differ in their inputs");
    if (!with_targets) return;
    if (data.targets.size() != program.heads.size())
        throw std::invalid_argument("the program and the data differ in their heads");
    for (size_t i = 0; i < program.heads.size(); ++i) {
        const Head& head = program.heads[i];
        const Target<T>& target = data.targets[i];
        const int64_t classes = program.widths[size_t(head.slot)];
        if (target.labels && !head.takes_classes())
            throw std::invalid_argument("only a cross-entropy takes labels as targets");
        for (long row = 0; target.labels && row < data.rows; ++row)
            if (target.labels[row] < 0 || target.labels[row] >= classes)
                throw std::invalid_argument("row " + std::to_string(row) + " has the label " +
                                            std::to_string(target.labels[row]) + "; it must be from 0 to " +
                                            std::to_string(classes - 1));
    }
}

template void check_data(const Program&, const Data<float>&, bool);
template void check_data(const Program&, const Data<double>&, bool);

// One packed panel, or the gradient of a band of weights.
template <class T>
long Executor<T>::scratch_numbers(const Plan& plan, const Kernels<T>& kernels) {
    return rounded(plan.largest_panel * std::max(kernels.panel_columns, 24L) + 6144, 16);
}

template <class T>
long Executor<T>::arena_numbers(const Program& program, const Plan& plan, const Kernels<T>& kernels, int threads) {
    const long line = 64 / long(sizeof(T)), rows = rounded(plan.rows, line);
    const long panel = scratch_numbers(plan, kernels);
    long numbers = rounded(plan.numbers, line) + threads * rounded(panel, line);
    for (const Head& head : program.heads) {
        const long stride = plan.stride_of(program.widths[size_t(head.slot)]);
        numbers += 2 * rounded(plan.rows * stride, line) + 3 * rows + rows * long(sizeof(int64_t) / sizeof(T));
    }
    return numbers;
}

template <class T>
Executor<T>::Executor(const Program& program, const Plan& plan, const Kernels<T>& kernels, int threads)
    : program_(program), plan_(plan), kernels_(kernels), arena_(arena_numbers(program, plan, kernels, threads)) {
    const long line = 64 / long(sizeof(T)), rows = rounded(plan.rows, line);
    const long panel = scratch_numbers(plan, kernels);
    T* const begin = arena_.data();
    T* next = begin + rounded(plan.numbers, line);
    auto take = [&](long count) {
        T* taken = next;
        next += rounded(count, line);
        return taken;
    };
    auto at = [&](long offset) { return offset < 0 ? nullptr : begin + offset; };
    for (const SlotPlan& slot : plan.slots) {
        values_.push_back(at(slot.value));
        deltas_.push_back(at(slot.delta));
    }
    for (const StepPlan& step : plan.steps) extras_.push_back(at(step.extra));
    turned_ = at(plan.turned);
    for (int thread = 0; thread < threads; ++thread) scratch_.push_back(take(panel));
    std::vector<bool> seen(plan.slots.size(), false);
    for (const Head& head : program.heads) {
        HeadBuffers buffers{};
        buffers.stride = plan.stride_of(program.widths[size_t(head.slot)]);
        buffers.target = take(plan.rows * buffers.stride);
        T* spare = take(plan.rows * buffers.stride);
        buffers.weights = take(rows);
        buffers.factor = take(rows);
        buffers.row_loss = take(rows);
        buffers.labels = reinterpret_cast<int64_t*>(take(rows * long(sizeof(int64_t) / sizeof(T))));
        T* delta = deltas_[size_t(head.slot)];
        buffers.second = seen[size_t(head.slot)];
        buffers.gradient = delta && !buffers.second ? delta : spare;
        seen[size_t(head.slot)] = true;
        heads_.push_back(buffers);
    }
}

template <class T>
void Executor<T>::take_rows(const Data<T>& data, const int64_t* numbers, long count, Team& team) {
    rows_ = count;
    for (size_t i = 0; i < program_.inputs.size(); ++i) {
        const size_t slot = size_t(program_.inputs[i]);
        if (!values_[slot]) continue;
        const long width = plan_.slots[slot].width, stride = plan_.slots[slot].stride;
        over_rows(width, team, [&](long begin, long end) {
            kernels_.gather(data.inputs[i], width, numbers + begin, end - begin, values_[slot] + begin * stride, stride);
        });
    }
    take_targets(data, numbers, 0, count);
}

template <class T>
void Executor<T>::expect_rows(const Data<T>& data, const int64_t* numbers, long count) const {
    constexpr long line = 64, largest = 1 << 17;  // more than this would drive out what is needed first
    for (size_t i = 0; i < program_.inputs.size(); ++i) {
        const long bytes = plan_.slots[size_t(program_.inputs[i])].width * long(sizeof(T));
        if (bytes * count > largest) continue;
        for (long r = 0; r < count; ++r) {
            const char* row = reinterpret_cast<const char*>(data.inputs[i]) + numbers[r] * bytes;
            for (long at = 0; at < bytes; at += line) __builtin_prefetch(row + at, 0, 2);
        }
    }
}

template <class T>
void Executor<T>::take_stretch(const Data<T>& data, long begin, long count, bool with_targets) {
    rows_ = count;
    for (size_t i = 0; i < program_.inputs.size(); ++i) {
        const size_t slot = size_t(program_.inputs[i]);
        const long width = plan_.slots[slot].width;
        const T* from = data.inputs[i] + begin * width;
        if (plan_.slots[slot].outside) {
            values_[slot] = const_cast<T*>(from);  // only read
            continue;
        }
        if (!values_[slot]) continue;
        kernels_.copy(from, width, values_[slot], plan_.slots[slot].stride, width, 0, count);
    }
    if (with_targets) take_targets(data, nullptr, begin, count);
}

template <class T>
void Executor<T>::take_targets(const Data<T>& data, const int64_t* numbers, long begin, long count) {
    for (size_t i = 0; i < heads_.size(); ++i) {
        const Head& head = program_.heads[i];
        const Target<T>& target = data.targets[i];
        HeadBuffers& buffers = heads_[i];
        const long width = program_.widths[size_t(head.slot)];
        const double smoothing = head.takes_classes() ? head.parameter : 0.0;
        const T kept = T(1 - smoothing), spread = T(smoothing / double(width));
        const bool expand = target.labels && (head.loss != Loss::cross_entropy_fused || smoothing != 0);
        buffers.by_label = target.labels && !expand;
        buffers.weighted = target.weights != nullptr;
        if (buffers.weighted)
            for (long r = 0; r < count; ++r) buffers.weights[r] = target.weights[numbers ? numbers[r] : begin + r];
        if (!target.labels) {
            if (numbers) kernels_.gather(target.values, width, numbers, count, buffers.target, buffers.stride);
            else kernels_.copy(target.values + begin * width, width, buffers.target, buffers.stride, width, 0, count);
        }
        for (long r = 0; r < count && (target.labels || smoothing != 0); ++r) {
            T* to = buffers.target + r * buffers.stride;
            if (!target.labels) {
                for (long c = 0; c < width; ++c) to[c] = kept * to[c] + spread;
                continue;
            }
            const int64_t label = target.labels[numbers ? numbers[r] : begin + r];
            buffers.labels[r] = label;
            if (!expand) continue;
            for (long c = 0; c < width; ++c) to[c] = (c == label ? kept : T(0)) + spread;
        }
    }
}

// each(row_begin, row_end) over stretches of rows, shared out where there is enough to do.
template <class T>
template <class F>
void Executor<T>::over_rows(long numbers_in_row, Team& team, F&& each) {
    if (team.size() == 1 || rows_ * numbers_in_row < shared_numbers) return each(0L, rows_);
    const long stretch = std::max(rounded(rows_ / (2 * team.size()) + 1, 16), 16L);
    team.share((rows_ + stretch - 1) / stretch,
               [&](long task, int) { each(task * stretch, std::min(rows_, (task + 1) * stretch)); });
}

template <class T>
void Executor<T>::run_product(const Product<T>& product, Team& team) {
    const long panels = (product.columns + kernels_.panel_columns - 1) / kernels_.panel_columns;
    const double work = double(product.rows) * double(product.columns) * double(product.depth);
    if (team.size() == 1 || work < shared_work)
        return kernels_.product(product, 0, panels, 0, product.rows, scratch_[0]);
    const long wanted = 4L * team.size();
    const long groups = panels >= wanted ? 1 : (wanted + panels - 1) / panels;
    const long rows = rounded((product.rows + groups - 1) / groups, row_multiple);
    const long row_groups = (product.rows + rows - 1) / rows;
    team.share(panels * row_groups, [&](long task, int thread) {
        const long panel = task / row_groups, row = task % row_groups * rows;
        kernels_.product(product, panel, panel + 1, row, std::min(product.rows, row + rows), scratch_[size_t(thread)]);
    });
}

template <class T>
void Executor<T>::forward(const T* parameters, const T* state, const Place& place, Team& team) {
    for (size_t i = 0; i < program_.steps.size(); ++i) {
        if (!plan_.steps[i].runs) continue;
        const Step& step = program_.steps[i];
        const size_t in = size_t(step.inputs[0]), out = size_t(step.output);
        const long width = plan_.slots[out].width, stride = plan_.slots[out].stride;
        if (values_[in] == values_[out] && step.kind != StepKind::activation && step.kind != StepKind::batch_norm) continue;
        switch (step.kind) {
            case StepKind::dense: forward_dense(i, parameters, team); break;
            case StepKind::batch_norm: forward_norm(i, parameters, state, team); break;
            case StepKind::activation: {
                const ActivationCall<T> call{step.activation, T(step.parameter), width, values_[in],
                                             plan_.slots[in].stride, values_[out], stride};
                over_rows(8 * width, team, [&](long begin, long end) { kernels_.activate(call, begin, end); });
                break;
            }
            case StepKind::dropout: {
                const double scaled = step.parameter * 4294967296.0;
                const DropoutCall call{place.seed, place.step, uint32_t(i), place.member, uint32_t(scaled), width};
                const T kept = T(1 / (1 - step.parameter));
                over_rows(8 * width, team, [&](long begin, long end) {
                    kernels_.keep_factors(call, kept, extras_[i], stride, begin, end);
                    kernels_.multiply(values_[in], extras_[i], values_[out], stride, width, begin, end);
                });
                break;
            }
            case StepKind::add:
            case StepKind::concatenate: {
                long column = 0;
                for (size_t k = 0; k < step.inputs.size(); ++k) {
                    const size_t from = size_t(step.inputs[k]);
                    const bool sum = step.kind == StepKind::add && k > 0;
                    const SlotPlan& source = plan_.slots[from];
                    over_rows(source.width, team, [&](long begin, long end) {
                        auto pass = sum ? kernels_.add : kernels_.copy;
                        pass(values_[from], source.stride, values_[out] + column, stride, source.width, begin, end);
                    });
                    if (step.kind == StepKind::concatenate) column += source.width;
                }
                break;
            }
            case StepKind::flatten: break;
        }
    }
}

template <class T>
void Executor<T>::forward_dense(size_t i, const T* parameters, Team& team) {
    const Step& step = program_.steps[i];
    const SlotPlan &in = plan_.slots[size_t(step.inputs[0])], &out = plan_.slots[size_t(step.output)];
    Product<T> p;
    p.rows = rows_;
    p.columns = out.width;
    p.depth = in.width;
    p.a = values_[size_t(step.inputs[0])];
    p.a_stride = in.stride;
    if (in.outside) p.a_stride = in.width;
    p.b = parameters + step.weights;
    p.b_stride = out.width;
    p.b_form = rows_ >= packed_from ? BForm::packed : BForm::unpadded;
    p.out = values_[size_t(step.output)];
    p.out_stride = out.stride;
    p.bias = step.bias < 0 ? nullptr : parameters + step.bias;
    p.relu = plan_.steps[i].relu_inside;
    run_product(p, team);
}

template <class T>
NormCall<T> Executor<T>::norm_call(size_t i, const T* parameters, const T* state) const {
    const Step& step = program_.steps[i];
    const size_t in = size_t(step.inputs[0]);
    NormCall<T> call;
    call.rows = rows_;
    call.columns = plan_.slots[in].width;
    call.epsilon = T(step.epsilon);
    call.x = values_[in];
    call.x_stride = plan_.slots[in].stride;
    call.scale = parameters + step.scale;
    call.shift = parameters + step.shift;
    if (extras_[i]) {
        call.mean = extras_[i];
        call.variance = extras_[i] + rounded(call.columns, 16);
    } else {
        call.mean = const_cast<T*>(state + step.mean);  // only read
        call.variance = const_cast<T*>(state + step.variance);
        call.fixed_statistics = true;
    }
    return call;
}

template <class T>
void Executor<T>::forward_norm(size_t i, const T* parameters, const T* state, Team& team) {
    NormCall<T> call = norm_call(i, parameters, state);
    const size_t out = size_t(program_.steps[i].output);
    call.y = values_[out];
    call.y_stride = plan_.slots[out].stride;
    if (!call.fixed_statistics) {
        const long stretch = 4 * kernels_.lanes;
        if (rows_ * call.columns < shared_numbers) kernels_.norm_statistics(call, 0, call.columns);
        else
            team.share((call.columns + stretch - 1) / stretch, [&](long task, int) {
                kernels_.norm_statistics(call, task * stretch, std::min(call.columns, (task + 1) * stretch));
            });
    }
    over_rows(call.columns, team, [&](long begin, long end) { kernels_.norm_forward(call, begin, end); });
}

template <class T>
void Executor<T>::losses(double* loss_sums, double* weight_sums, Team& team) {
    for (size_t i = 0; i < heads_.size(); ++i) {
        const Head& head = program_.heads[i];
        HeadBuffers& buffers = heads_[i];
        const SlotPlan& slot = plan_.slots[size_t(head.slot)];
        double weights = double(rows_);
        if (buffers.weighted) {
            weights = 0;
            for (long r = 0; r < rows_; ++r) weights += double(buffers.weights[r]);
        }
        const double factor = head.weight / program_.divisor(weights);
        if (buffers.weighted)
            for (long r = 0; r < rows_; ++r) buffers.factor[r] = T(factor * double(buffers.weights[r]));
        else
            std::fill_n(buffers.factor, rows_, T(factor));
        LossCall<T> call;
        call.kind = head.loss;
        call.parameter = T(head.parameter);
        call.columns = slot.width;
        call.output = values_[size_t(head.slot)];
        call.output_stride = slot.stride;
        call.target = buffers.target;
        call.target_stride = buffers.stride;
        call.labels = buffers.by_label ? buffers.labels : nullptr;
        call.row_factor = buffers.factor;
        call.row_loss = buffers.row_loss;
        call.gradient = buffers.gradient;
        call.gradient_stride = buffers.stride;
        over_rows(8 * slot.width, team, [&](long begin, long end) { kernels_.loss(call, begin, end); });
        double sum = 0;
        for (long r = 0; r < rows_; ++r)
            sum += buffers.weighted ? double(buffers.row_loss[r]) * double(buffers.weights[r]) : double(buffers.row_loss[r]);
        loss_sums[i] = sum;
        weight_sums[i] = weights;
        T* delta = deltas_[size_t(head.slot)];
        if (buffers.second && delta)
            kernels_.add(buffers.gradient, buffers.stride, delta, slot.stride, slot.width, 0, rows_);
    }
}

template <class T>
bool Executor<T>::finite_losses(const double* loss_sums) const {
    double sum = 0;
    for (size_t i = 0; i < heads_.size(); ++i) sum += loss_sums[i];
    return std::isfinite(sum);
}

template <class T>
void Executor<T>::backward(const T* parameters, const T* state, T* gradient, Updater<T>* updater, Team& team) {
    for (size_t i = program_.steps.size(); i-- > 0;) {
        const StepPlan& plan = plan_.steps[i];
        if (!plan.backward) continue;
        const Step& step = program_.steps[i];
        const size_t in = size_t(step.inputs[0]), out = size_t(step.output);
        const SlotPlan& slot = plan_.slots[out];
        switch (step.kind) {
            case StepKind::dense: backward_dense(i, parameters, gradient, updater, team); break;
            case StepKind::batch_norm: backward_norm(i, parameters, state, gradient, team); break;
            case StepKind::activation: {
                if (plan.derivative_done || step.activation == Activation::linear) break;
                ActivationCall<T> call{step.activation, T(step.parameter), slot.width, values_[in],
                                       plan_.slots[in].stride, deltas_[out], slot.stride};
                if (derivative_reads_output(step.activation)) {
                    call.in = values_[out];
                    call.in_stride = slot.stride;
                }
                over_rows(8 * slot.width, team, [&](long begin, long end) { kernels_.activate_backward(call, begin, end); });
                break;
            }
            case StepKind::dropout:
                if (extras_[i])
                    over_rows(slot.width, team, [&](long begin, long end) {
                        kernels_.multiply(deltas_[out], extras_[i], deltas_[out], slot.stride, slot.width, begin, end);
                    });
                break;
            default: break;
        }
        if (step.kind != StepKind::dense) hand_on(i, team);
    }
}

// Gives the delta of a step's output, worked on in place, to its inputs.
template <class T>
void Executor<T>::hand_on(size_t i, Team& team) {
    const Step& step = program_.steps[i];
    const SlotPlan& out = plan_.slots[size_t(step.output)];
    long column = 0;
    for (size_t k = 0; k < step.inputs.size(); ++k) {
        const size_t in = size_t(step.inputs[k]);
        const T* from = deltas_[size_t(step.output)] + column;
        if (step.kind == StepKind::concatenate) column += plan_.slots[in].width;
        if (!plan_.steps[i].wanted[k] || deltas_[in] == from) continue;
        auto pass = plan_.steps[i].first[k] ? kernels_.copy : kernels_.add;
        over_rows(plan_.slots[in].width, team, [&](long begin, long end) {
            pass(from, out.stride, deltas_[in], plan_.slots[in].stride, plan_.slots[in].width, begin, end);
        });
    }
}

template <class T>
void Executor<T>::backward_dense(size_t i, const T* parameters, T* gradient, Updater<T>* updater, Team& team) {
    const Step& step = program_.steps[i];
    const StepPlan& plan = plan_.steps[i];
    const size_t input = size_t(step.inputs[0]), output = size_t(step.output);
    const SlotPlan &in = plan_.slots[input], &out = plan_.slots[output];
    const T* delta = deltas_[output];
    if (plan.wanted[0] && plan.delta_turned) {
        backward_turned(i, parameters, team);
    } else if (plan.wanted[0]) {
        Product<T> p;  // dL/dx = dL/dz W^T
        p.rows = rows_;
        p.columns = in.width;
        p.depth = out.width;
        p.a = delta;
        p.a_stride = out.stride;
        p.b = parameters + step.weights;
        p.b_stride = out.width;
        p.b_form = BForm::transposed;
        p.out = deltas_[input];
        p.out_stride = in.stride;
        p.accumulate = !plan.first[0];
        if (plan.relu_mask) {
            p.relu_mask = values_[input];
            p.relu_mask_stride = in.stride;
        }
        run_product(p, team);
    }
    if (!plan.writes_gradient) return;
    if (step.bias >= 0) {
        const long stretch = 16 * kernels_.lanes;
        if (rows_ * out.width < shared_numbers)
            kernels_.column_sums(delta, out.stride, rows_, 0, out.width, gradient + step.bias);
        else
            team.share((out.width + stretch - 1) / stretch, [&](long task, int) {
                kernels_.column_sums(delta, out.stride, rows_, task * stretch, std::min(out.width, (task + 1) * stretch),
                                     gradient + step.bias);
            });
    }
    Product<T> p;  // dL/dW = x^T dL/dz
    p.rows = in.width;
    p.columns = out.width;
    p.depth = rows_;
    p.a = values_[input];
    p.a_stride = in.stride;
    p.a_transposed = true;
    p.b = delta;
    p.b_stride = out.stride;
    p.out = gradient + step.weights;
    p.out_stride = out.width;
    p.out_is_padded = false;
    if (updater && updater->begin_bands(i)) change_weights(i, p, *updater, team);
    else run_product(p, team);
}

// (dL/dx)^T = W (dL/dz)^T, turned back at the end.
template <class T>
void Executor<T>::backward_turned(size_t i, const T* parameters, Team& team) {
    const Step& step = program_.steps[i];
    const size_t input = size_t(step.inputs[0]), output = size_t(step.output);
    const SlotPlan &in = plan_.slots[input], &out = plan_.slots[output];
    Product<T> p;
    p.rows = in.width;
    p.columns = rows_;
    p.depth = out.width;
    p.a = parameters + step.weights;
    p.a_stride = out.width;
    p.b = deltas_[output];
    p.b_stride = out.stride;
    p.b_form = BForm::transposed;
    p.out = turned_;
    p.out_stride = plan_.turned_stride;
    run_product(p, team);
    kernels_.transpose(turned_, plan_.turned_stride, in.width, rows_, deltas_[input], in.stride,
                       plan_.steps[i].relu_mask ? values_[input] : nullptr);
}

// The gradient of a band of rows goes into the cache and from there into the optimizer.
template <class T>
void Executor<T>::change_weights(size_t i, const Product<T>& product, Updater<T>& updater, Team& team) {
    const long columns = product.columns, band = Updater<T>::band_rows(columns);
    const long panels = (columns + kernels_.panel_columns - 1) / kernels_.panel_columns;
    auto change = [&](long task, int thread) {
        const long row = task * band;
        Product<T> part = product;
        part.rows = std::min(band, product.rows - row);
        part.a += row;
        part.out = scratch_[size_t(thread)];
        kernels_.product(part, 0, panels, 0, part.rows, nullptr);
        updater.change_band(i, task, program_.steps[i].weights + row * columns, part.out, part.rows * columns);
    };
    const long bands = (product.rows + band - 1) / band;
    const double work = double(product.rows) * double(columns) * double(product.depth);
    if (work >= shared_work) return team.share(bands, change);
    for (long task = 0; task < bands; ++task) change(task, 0);
}

template <class T>
void Executor<T>::backward_norm(size_t i, const T* parameters, const T* state, T* gradient, Team& team) {
    const Step& step = program_.steps[i];
    NormCall<T> call = norm_call(i, parameters, state);
    call.y = deltas_[size_t(step.output)];
    call.y_stride = plan_.slots[size_t(step.output)].stride;
    if (plan_.steps[i].writes_gradient) {
        call.scale_gradient = gradient + step.scale;
        call.shift_gradient = gradient + step.shift;
    }
    const long stretch = 4 * kernels_.lanes;
    if (rows_ * call.columns < shared_numbers) kernels_.norm_backward(call, 0, call.columns);
    else
        team.share((call.columns + stretch - 1) / stretch, [&](long task, int) {
            kernels_.norm_backward(call, task * stretch, std::min(call.columns, (task + 1) * stretch));
        });
}

template <class T>
void Executor<T>::follow_statistics(T* state) const {
    for (size_t i = 0; i < program_.steps.size(); ++i) {
        const Step& step = program_.steps[i];
        if (step.kind != StepKind::batch_norm || !plan_.steps[i].runs || !extras_[i]) continue;
        const long width = plan_.slots[size_t(step.output)].width;
        const T *mean = extras_[i], *variance = mean + rounded(width, 16);
        const T share = T(step.momentum), rest = T(1 - step.momentum);
        const T unbiased = T(double(rows_) / double(std::max(rows_ - 1, 1L)));
        for (long c = 0; c < width; ++c) {
            state[step.mean + c] = rest * state[step.mean + c] + share * mean[c];
            state[step.variance + c] = rest * state[step.variance + c] + share * (variance[c] * unbiased);
        }
    }
}

template class Executor<float>;
template class Executor<double>;

}  // namespace chainrule
