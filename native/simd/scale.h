// y = scale x, a vector of units at a time.
#pragma once

#include "core/kernels.h"
#include "simd/norm.h"

namespace chainrule::CHAINRULE_ISA {

template <class T>
void scale_forward(const ScaleCall<T>& call, long row_begin, long row_end) {
    for (long c = 0; c < call.columns; c += lanes<T>) {
        const Vector<T> scale = load_units(call.scale + c, call.columns - c);
        for (long r = row_begin; r < row_end; ++r)
            store<T>(call.y + r * call.y_stride + c, load(call.x + r * call.x_stride + c) * scale);
    }
}

// In place of dL/dy.
template <class T>
void scale_backward(const ScaleCall<T>& call, long column, long column_end) {
    for (; column < column_end; column += lanes<T>) {
        const long left = call.columns - column;
        const Vector<T> scale = load_units(call.scale + column, left);
        Vector<T> gradient{};
        for (long r = 0; r < call.rows; ++r) {
            T* d = call.y + r * call.y_stride + column;
            const Vector<T> delta = load<T>(d);
            gradient += delta * load(call.x + r * call.x_stride + column);
            store<T>(d, delta * scale);
        }
        if (call.scale_gradient) store_units<T>(call.scale_gradient + column, gradient, left);
    }
}

}  // namespace chainrule::CHAINRULE_ISA
