// What is measured while a network trains: sums along columns, and lengths of rows.
#pragma once

#include "core/kernels.h"
#include "simd/norm.h"

namespace chainrule::CHAINRULE_ISA {

// Adds the rows to each column's sums: of its numbers and of their squares, both from `origin`, or of its flat slopes.
template <class T>
void column_spread(const SpreadCall<T>& call) {
    for (long c = 0; c < call.columns; c += lanes<T>) {
        const long left = call.columns - c;
        const Vector<T> origin = load_units(call.origin + c, left);
        Vector<T> sum = load_units(call.sums + c, left), squares = load_units(call.squares + c, left);
        for (long r = 0; r < call.rows; ++r) {
            const Vector<T> d = load(call.values + r * call.stride + c) - origin;
            sum += d;
            squares += d * d;
        }
        store_units<T>(call.sums + c, sum, left);
        store_units<T>(call.squares + c, squares, left);
    }
}

template <class T>
void count_flat(const T* slopes, long stride, long rows, long columns, T least, T* counts) {
    const Vector<T> one = splat<T>(T(1)), bound = splat<T>(least);
    for (long c = 0; c < columns; c += lanes<T>) {
        Vector<T> count = load_units(counts + c, columns - c);
        for (long r = 0; r < rows; ++r) {
            const Vector<T> slope = load(slopes + r * stride + c);
            count += select<T>(magnitude<T>(slope) < bound, one, Vector<T>{});
        }
        store_units<T>(counts + c, count, columns - c);
    }
}

template <class T>
CHAINRULE_INLINE double squared_length(const T* from, long columns) {
    Vector<T> sum{};
    for (long c = 0; c < columns; c += lanes<T>) {
        const Vector<T> v = load_units(from + c, columns - c);
        sum += v * v;
    }
    return double(sum_of_lanes<T>(sum));
}

// The squared lengths of every row's own gradient of W (and b) in z = x W + b, added up.
template <class T>
double squares_of_rows(const T* x, long x_stride, long inputs, const T* d_z, long d_z_stride, long units, bool bias, long rows) {
    double sum = 0;
    for (long r = 0; r < rows; ++r)
        sum += squared_length(d_z + r * d_z_stride, units) * (squared_length(x + r * x_stride, inputs) + double(bias));
    return sum;
}

template <class T>
double squared_distance(const T* a, const T* b, long begin, long end) {
    Vector<T> sum[2] = {};
    long i = begin;
    for (; i + 2 * lanes<T> <= end; i += 2 * lanes<T>)
        for (int k = 0; k < 2; ++k) {
            const Vector<T> d = load(a + i + k * lanes<T>) - load(b + i + k * lanes<T>);
            sum[k] += d * d;
        }
    for (; i < end; i += lanes<T>) {
        const Vector<T> d = load_units(a + i, end - i) - load_units(b + i, end - i);
        sum[0] += d * d;
    }
    return double(sum_of_lanes<T>(sum[0] + sum[1]));
}

}  // namespace chainrule::CHAINRULE_ISA
