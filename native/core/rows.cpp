// Rows in: the data checked, and a batch of it brought into the arena.
#include "core/executor.h"

#include <cstring>
#include <stdexcept>
#include <string>

namespace chainrule {

template <class T>
void check_data(const Program& program, const Data<T>& data, bool with_targets) {
    if (data.inputs.size() != program.inputs.size())
        throw std::invalid_argument("the program and the data differ in their inputs");
    for (size_t i = 0; i < program.inputs.size(); ++i) {
        const bool has_codes = i < data.codes.size() && data.codes[i];
        if (has_codes != program.holds_codes(program.inputs[i]) || (!has_codes && !data.inputs[i] && data.rows > 0))
            throw std::invalid_argument("input " + std::to_string(i) + " has no array of its type");
    }
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

template <class T>
void Executor<T>::take_rows(const Data<T>& data, const int64_t* numbers, long count, Team& team) {
    rows_ = count;
    for (size_t i = 0; i < program_.inputs.size(); ++i) {
        const size_t slot = size_t(program_.inputs[i]);
        if (!values_[slot]) continue;
        if (plan_.slots[slot].codes) {
            take_codes(data.codes[i], numbers, 0, count, slot);
            continue;
        }
        const long width = plan_.slots[slot].width, stride = plan_.slots[slot].stride;
        share_rows(team, stop_, count, width, [&](long begin, long end) {
            kernels_.gather(data.inputs[i], width, numbers + begin, end - begin, values_[slot] + begin * stride, stride);
        });
    }
    take_targets(data, numbers, 0, count);
}

template <class T>
void Executor<T>::expect_rows(const Data<T>& data, const int64_t* numbers, long count) const {
    constexpr long line = 64, largest = 1 << 17;  // more than this would drive out what is needed first
    for (size_t i = 0; i < program_.inputs.size(); ++i) {
        const SlotPlan& slot = plan_.slots[size_t(program_.inputs[i])];
        const long bytes = slot.width * long(slot.codes ? sizeof(int32_t) : sizeof(T));
        if (bytes * count > largest) continue;
        const void* rows = slot.codes ? static_cast<const void*>(data.codes[i]) : data.inputs[i];
        for (long r = 0; r < count; ++r) {
            const char* row = static_cast<const char*>(rows) + numbers[r] * bytes;
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
        if (plan_.slots[slot].codes) {
            if (values_[slot]) take_codes(data.codes[i], nullptr, begin, count, slot);
            continue;
        }
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

// Integers stay integers: four bytes each, in rows as far apart as those of numbers.
template <class T>
void Executor<T>::take_codes(const int32_t* codes, const int64_t* numbers, long begin, long count, size_t slot) {
    const long width = plan_.slots[slot].width, stride = plan_.slots[slot].stride;
    for (long r = 0; r < count; ++r)
        std::memcpy(values_[slot] + r * stride, codes + (numbers ? numbers[r] : begin + r) * width, size_t(width) * sizeof(int32_t));
}

template <class T>
void Executor<T>::take_targets(const Data<T>& data, const int64_t* numbers, long begin, long count) {
    for (size_t i = 0; i < heads_.size(); ++i) {
        const Head& head = program_.heads[i];
        const Target<T>& target = data.targets[i];
        HeadBuffers& buffers = heads_[i];
        const long width = program_.widths[size_t(head.slot)];
        const double smoothing = head.smoothing();
        const T kept = T(1 - smoothing), spread = T(smoothing / head.spread_over(width));
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
            // Checked when the call began; should somebody change them meanwhile, numbers are wrong, memory is not.
            const int64_t given = target.labels[numbers ? numbers[r] : begin + r];
            const int64_t label = given < 0 || given >= width ? 0 : given;
            buffers.labels[r] = label;
            if (!expand) continue;
            for (long c = 0; c < width; ++c) to[c] = (c == label ? kept : T(0)) + spread;
        }
    }
}

template void Executor<float>::take_rows(const Data<float>&, const int64_t*, long, Team&);
template void Executor<double>::take_rows(const Data<double>&, const int64_t*, long, Team&);
template void Executor<float>::expect_rows(const Data<float>&, const int64_t*, long) const;
template void Executor<double>::expect_rows(const Data<double>&, const int64_t*, long) const;
template void Executor<float>::take_stretch(const Data<float>&, long, long, bool);
template void Executor<double>::take_stretch(const Data<double>&, long, long, bool);

}  // namespace chainrule
