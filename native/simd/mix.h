// y = x1 + mix (x2 - x1), a vector of units at a time.
#pragma once

#include "core/kernels.h"
#include "simd/norm.h"

namespace chainrule::CHAINRULE_ISA {

template <class T>
void mix_forward(const MixCall<T>& call, long row_begin, long row_end) {
    for (long c = 0; c < call.columns; c += lanes<T>) {
        const Vector<T> mix = load_units(call.mix + c, call.columns - c);
        for (long r = row_begin; r < row_end; ++r) {
            const Vector<T> first = load(call.x[0] + r * call.x_stride[0] + c), second = load(call.x[1] + r * call.x_stride[1] + c);
            store<T>(call.y + r * call.y_stride + c, first + mix * (second - first));
        }
    }
}

// The gradients by the inputs and by the mixes, each where it is wanted.
template <class T>
void mix_backward(const MixCall<T>& call, long column, long column_end) {
    for (; column < column_end; column += lanes<T>) {
        const long left = call.columns - column;
        const Vector<T> mix = load_units(call.mix + column, left);
        Vector<T> gradient{};
        for (long r = 0; r < call.rows; ++r) {
            const Vector<T> delta = load(call.y + r * call.y_stride + column), second = delta * mix;
            gradient += delta * (load(call.x[1] + r * call.x_stride[1] + column) - load(call.x[0] + r * call.x_stride[0] + column));
            const Vector<T> parts[2] = {delta - second, second};
            for (int k = 0; k < 2; ++k) {
                if (!call.d_x[k]) continue;
                T* to = call.d_x[k] + r * call.d_stride[k] + column;
                store<T>(to, call.adds[k] ? load<T>(to) + parts[k] : parts[k]);
            }
        }
        if (call.mix_gradient) store_units<T>(call.mix_gradient + column, gradient, left);
    }
}

}  // namespace chainrule::CHAINRULE_ISA
