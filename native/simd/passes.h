// Plain passes over vectors and matrices: sums, products, penalties.
#pragma once

#include "core/kernels.h"
#include "simd/norm.h"
#include "simd/transpose.h"

namespace chainrule::CHAINRULE_ISA {

template <class T>
void column_sums(const T* matrix, long stride, long rows, long column, long column_end, T* out) {
    for (; column < column_end; column += lanes<T>) {
        // Four interleaved sums, since one would wait for its own additions.
        Vector<T> sum[4] = {};
        long r = 0;
        for (; r + 4 <= rows; r += 4)
#pragma GCC unroll 4
            for (int i = 0; i < 4; ++i) sum[i] += load(matrix + (r + i) * stride + column);
        for (; r < rows; ++r) sum[0] += load(matrix + r * stride + column);
        store_units<T>(out + column, (sum[0] + sum[1]) + (sum[2] + sum[3]), column_end - column);
    }
}

template <class T>
void gather(const T* from, long width, const int64_t* rows, long count, T* to, long to_stride) {
    for (long i = 0; i < count; ++i) {
        const T* source = from + rows[i] * width;
        for (long c = 0; c < width; c += lanes<T>) store<T>(to + i * to_stride + c, load_units(source + c, width - c));
    }
}

template <class T>
void copy(const T* from, long from_stride, T* to, long to_stride, long columns, long row, long row_end) {
    for (; row < row_end; ++row)
        for (long c = 0; c < columns; c += lanes<T>)
            store_units<T>(to + row * to_stride + c, load_units(from + row * from_stride + c, columns - c), columns - c);
}

template <class T>
void add(const T* from, long from_stride, T* to, long to_stride, long columns, long row, long row_end) {
    for (; row < row_end; ++row)
        for (long c = 0; c < columns; c += lanes<T>) {
            T* sum = to + row * to_stride + c;
            const long left = columns - c;
            store_units<T>(sum, load_units<T>(sum, left) + load_units(from + row * from_stride + c, left), left);
        }
}

// Writes whole vectors: rows of `to` are padded.
template <class T>
void transpose_masked(const T* from, long from_stride, long rows, long columns, T* to, long to_stride, const T* mask) {
    constexpr int n = lanes<T>;
    for (long r = 0; r < rows; r += n)
        for (long c = 0; c < columns; c += n) {
            Vector<T> block[n];
#pragma GCC unroll 16
            for (int i = 0; i < n; ++i) block[i] = r + i < rows ? load(from + (r + i) * from_stride + c) : Vector<T>{};
            transpose<T>(block);
#pragma GCC unroll 16
            for (int i = 0; i < n; ++i) {
                if (c + i >= columns) break;
                const long at = (c + i) * to_stride + r;
                store<T>(to + at, mask ? (load(mask + at) > T(0) ? block[i] : Vector<T>{}) : block[i]);
            }
        }
}

template <class T>
void multiply(const T* a, const T* b, T* out, long stride, long columns, long row, long row_end) {
    for (; row < row_end; ++row)
        for (long c = 0; c < columns; c += lanes<T>) {
            const long at = row * stride + c;
            store<T>(out + at, load(a + at) * load(b + at));
        }
}

template <class T>
double sum_of_squares(const T* values, long begin, long end) {
    Vector<T> sum[2] = {};
    long i = begin;
    for (; i + 2 * lanes<T> <= end; i += 2 * lanes<T>)
        for (int k = 0; k < 2; ++k) {
            const Vector<T> v = load(values + i + k * lanes<T>);
            sum[k] += v * v;
        }
    for (; i < end; i += lanes<T>) {
        const Vector<T> v = load_units(values + i, end - i);
        sum[0] += v * v;
    }
    return double(sum_of_lanes<T>(sum[0] + sum[1]));
}

// l2 sum(W^2) + l1 sum|W|, and factor (2 l2 W + l1 sign(W)) added to the gradient (unless that is null).
template <class T>
double penalty(const T* parameters, T* gradient, double factor, double l1, double l2, long begin, long end) {
    Vector<T> squares{}, sizes{};
    const T slope = T(2 * l2 * factor), step = T(l1 * factor);
    for (long i = begin; i < end; i += lanes<T>) {
        const long left = end - i;
        const Vector<T> w = load_units(parameters + i, left);
        squares += w * w;
        sizes += magnitude<T>(w);
        if (!gradient) continue;
        const Vector<T> sign = w > T(0) ? splat<T>(step) : (w < T(0) ? splat<T>(-step) : w * T(0));
        store_units<T>(gradient + i, load_units<T>(gradient + i, left) + w * slope + sign, left);
    }
    return l2 * double(sum_of_lanes<T>(squares)) + l1 * double(sum_of_lanes<T>(sizes));
}

}  // namespace chainrule::CHAINRULE_ISA
