// Square blocks of numbers transposed inside the registers, by exchanging ever larger halves.
#pragma once

#include "simd/vector.h"

namespace chainrule::CHAINRULE_ISA {

// Lane l of the result is lane `index[l]` of the 2n lanes of a and b, one after the other.
template <class T>
CHAINRULE_INLINE Vector<T> pick(Vector<T> a, Vector<T> b, Integers<T> index) {
#if defined(__clang__)
    Vector<T> r;
    for (int l = 0; l < lanes<T>; ++l) r[l] = index[l] < lanes<T> ? a[index[l]] : b[index[l] - lanes<T>];
    return r;
#else
    return __builtin_shuffle(a, b, index);
#endif
}

template <class T, int step>
CHAINRULE_INLINE void exchange(Vector<T> (&row)[lanes<T>]) {
    constexpr int n = lanes<T>;
    Integers<T> low{}, high{};
    for (int l = 0; l < n; ++l) {
        low[l] = (l & step) ? n + l - step : l;
        high[l] = (l & step) ? n + l : l + step;
    }
#pragma GCC unroll 16
    for (int i = 0; i < n; ++i) {
        if (i & step) continue;
        const Vector<T> a = row[i], b = row[i + step];
        row[i] = pick<T>(a, b, low);
        row[i + step] = pick<T>(a, b, high);
    }
}

template <class T>
CHAINRULE_INLINE void transpose(Vector<T> (&row)[lanes<T>]) {
    if constexpr (lanes<T> > 1) exchange<T, 1>(row);
    if constexpr (lanes<T> > 2) exchange<T, 2>(row);
    if constexpr (lanes<T> > 4) exchange<T, 4>(row);
    if constexpr (lanes<T> > 8) exchange<T, 8>(row);
}

// to[c][r] = from[r][c] for `rows` x `columns` numbers; rows of `to` are filled up to a full vector with zeros.
template <class T>
void transpose_block_column(const T* from, long from_stride, long rows, long columns, T* to, long to_stride) {
    constexpr int n = lanes<T>;
    for (long c = 0; c < columns; c += n) {
        const int width = int(columns - c < n ? columns - c : n);
        Vector<T> block[n];
#pragma GCC unroll 16
        for (int r = 0; r < n; ++r) {
            if (r >= rows) block[r] = Vector<T>{};
            else if (width == n) block[r] = load(from + r * from_stride + c);
            else block[r] = load_partial(from + r * from_stride + c, width);
        }
        transpose<T>(block);
        if (width == n) {
#pragma GCC unroll 16
            for (int r = 0; r < n; ++r) store<T>(to + (c + r) * to_stride, block[r]);
        } else {
            for (int r = 0; r < width; ++r) store<T>(to + (c + r) * to_stride, block[r]);
        }
    }
}

}  // namespace chainrule::CHAINRULE_ISA
