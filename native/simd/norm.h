// Batch normalization: y = scale (x - mean) / sqrt(variance + epsilon) + shift, a vector of units at a time.
#pragma once

#include "core/kernels.h"
#include "simd/vector.h"

namespace chainrule::CHAINRULE_ISA {

template <class T>
CHAINRULE_INLINE Vector<T> load_units(const T* from, long left) {
    return left >= lanes<T> ? load(from) : load_partial(from, int(left));
}

template <class T>
CHAINRULE_INLINE void store_units(T* to, Vector<T> v, long left) {
    if (left >= lanes<T>) store<T>(to, v);
    else store_partial<T>(to, v, int(left));
}

// Mean and biased variance of each unit over the rows.
template <class T>
void norm_statistics(const NormCall<T>& call, long column, long column_end) {
    const T n = T(call.rows);
    for (; column < column_end; column += lanes<T>) {
        Vector<T> sum{}, squares{};
        for (long r = 0; r < call.rows; ++r) sum += load(call.x + r * call.x_stride + column);
        const Vector<T> mean = sum / n;
        for (long r = 0; r < call.rows; ++r) {
            const Vector<T> d = load(call.x + r * call.x_stride + column) - mean;
            squares += d * d;
        }
        store_units<T>(call.mean + column, mean, call.columns - column);
        store_units<T>(call.variance + column, squares / n, call.columns - column);
    }
}

template <class T>
void norm_forward(const NormCall<T>& call, long row_begin, long row_end) {
    for (long c = 0; c < call.columns; c += lanes<T>) {
        const long left = call.columns - c;
        const Vector<T> mean = load_units(call.mean + c, left), shift = load_units(call.shift + c, left);
        const Vector<T> std = square_root<T>(load_units(call.variance + c, left) + call.epsilon);
        const Vector<T> factor = load_units(call.scale + c, left) / std;
        for (long r = row_begin; r < row_end; ++r)
            store<T>(call.y + r * call.y_stride + c, (load(call.x + r * call.x_stride + c) - mean) * factor + shift);
    }
}

// dL/dx = (d - mean(d) - x_hat mean(d x_hat)) / std with d = dL/dy scale. In place of dL/dy.
template <class T>
void norm_backward(const NormCall<T>& call, long column, long column_end) {
    for (; column < column_end; column += lanes<T>) {
        const long left = call.columns - column;
        const Vector<T> mean = load_units(call.mean + column, left);
        const Vector<T> std = square_root<T>(load_units(call.variance + column, left) + call.epsilon);
        const Vector<T> inverse = T(1) / std;
        Vector<T> shift_gradient{}, scale_gradient{};
        for (long r = 0; r < call.rows; ++r) {
            const Vector<T> d = load<T>(call.y + r * call.y_stride + column);
            const Vector<T> x_hat = (load(call.x + r * call.x_stride + column) - mean) * inverse;
            shift_gradient += d;
            scale_gradient += d * x_hat;
        }
        if (call.scale_gradient) {
            store_units<T>(call.scale_gradient + column, scale_gradient, left);
            store_units<T>(call.shift_gradient + column, shift_gradient, left);
        }
        const Vector<T> factor = load_units(call.scale + column, left) * inverse;
        Vector<T> mean_d{}, mean_d_x{};
        if (!call.fixed_statistics) {
            mean_d = shift_gradient / T(call.rows);
            mean_d_x = scale_gradient / T(call.rows);
        }
        for (long r = 0; r < call.rows; ++r) {
            T* d = call.y + r * call.y_stride + column;
            const Vector<T> x_hat = (load(call.x + r * call.x_stride + column) - mean) * inverse;
            store<T>(d, (load<T>(d) - mean_d - x_hat * mean_d_x) * factor);
        }
    }
}

}  // namespace chainrule::CHAINRULE_ISA
