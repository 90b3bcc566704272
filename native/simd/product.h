// Matrix products: out = A · B, finished on the way out. Tiles of rows x vectors stay in registers while the
// whole depth is summed, in order, so that a number does not depend on how the work was divided.
#pragma once

#include "core/kernels.h"
#include "simd/transpose.h"

namespace chainrule::CHAINRULE_ISA {

// Rows of a tile that is two vectors wide; one that is a single vector wide has twice as many, so that there are
// always enough independent sums to keep the multipliers busy.
#if defined(__AVX512F__)
constexpr int tile_rows = 8;
#elif defined(__AVX2__) || defined(__aarch64__)
constexpr int tile_rows = 6;
#else
constexpr int tile_rows = 4;
#endif
constexpr int tile_vectors = 2;
constexpr int wide_panels = 4;  // that a single row takes at once, for the same reason

template <int vectors>
constexpr int rows_of_tile = vectors == 1 ? 2 * tile_rows : tile_rows;

template <class T>
constexpr long panel_columns = tile_vectors * lanes<T>;

// One tile: `b` points at its panel, `row` and `column` say where it lies in the whole.
template <class T, int rows, int vectors, bool a_transposed>
__attribute__((noinline)) void tile(const Product<T>& p, const T* b, long b_stride, long row, long column) {
    constexpr int n = lanes<T>;
    Vector<T> start[vectors];
#pragma GCC unroll 8
    for (int v = 0; v < vectors; ++v) {
        const long from = column + v * n, left = p.columns - from;
        start[v] = !p.bias ? Vector<T>{} : (left >= n ? load(p.bias + from) : load_partial(p.bias + from, int(left)));
    }
    Vector<T> sum[rows][vectors];
#pragma GCC unroll 16
    for (int r = 0; r < rows; ++r)
#pragma GCC unroll 8
        for (int v = 0; v < vectors; ++v) sum[r][v] = start[v];

    const long a_stride = p.a_stride;
    const T* a = p.a + (a_transposed ? row : row * a_stride);
    const T* b_end = b + p.depth * b_stride;
#pragma GCC unroll 4
    for (; b != b_end; b += b_stride) {
        Vector<T> right[vectors];
#pragma GCC unroll 8
        for (int v = 0; v < vectors; ++v) right[v] = load(b + v * n);
#pragma GCC unroll 16
        for (int r = 0; r < rows; ++r) {
            const Vector<T> left = splat<T>(a_transposed ? a[r] : a[r * a_stride]);
#pragma GCC unroll 8
            for (int v = 0; v < vectors; ++v) sum[r][v] += left * right[v];
        }
        a += a_transposed ? a_stride : 1;
    }

    if (p.accumulate) {
#pragma GCC unroll 16
        for (int r = 0; r < rows; ++r)
#pragma GCC unroll 8
            for (int v = 0; v < vectors; ++v)
                sum[r][v] += load<T>(p.out + (row + r) * p.out_stride + column + v * n);
    }
    if (p.relu) {
#pragma GCC unroll 16
        for (int r = 0; r < rows; ++r)
#pragma GCC unroll 8
            for (int v = 0; v < vectors; ++v) sum[r][v] = maximum<T>(Vector<T>{}, sum[r][v]);
    }
    if (p.relu_mask) {
#pragma GCC unroll 16
        for (int r = 0; r < rows; ++r)
#pragma GCC unroll 8
            for (int v = 0; v < vectors; ++v) {
                const Vector<T> h = load(p.relu_mask + (row + r) * p.relu_mask_stride + column + v * n);
                sum[r][v] = h > T(0) ? sum[r][v] : Vector<T>{};
            }
    }

    const long valid = p.columns - column;
    if (!p.out_is_padded && valid < vectors * n) {
#pragma GCC unroll 16
        for (int r = 0; r < rows; ++r)
#pragma GCC unroll 8
            for (int v = 0; v < vectors; ++v) {
                T* to = p.out + (row + r) * p.out_stride + column + v * n;
                const long left = valid - v * n;
                if (left >= n) store<T>(to, sum[r][v]);
                else if (left > 0) store_partial<T>(to, sum[r][v], int(left));
            }
        return;
    }
#pragma GCC unroll 16
    for (int r = 0; r < rows; ++r)
#pragma GCC unroll 8
        for (int v = 0; v < vectors; ++v)
            store<T>(p.out + (row + r) * p.out_stride + column + v * n, sum[r][v]);
}

template <class T, int rows, int vectors, bool a_transposed>
CHAINRULE_INLINE void last_rows(const Product<T>& p, const T* b, long b_stride, long row, long column, long left) {
    if constexpr (rows > 0) {
        if (left == rows) tile<T, rows, vectors, a_transposed>(p, b, b_stride, row, column);
        else last_rows<T, rows - 1, vectors, a_transposed>(p, b, b_stride, row, column, left);
    }
}

template <class T, int vectors, bool a_transposed>
void panel(const Product<T>& p, const T* b, long b_stride, long column, long row, long row_end) {
    constexpr int rows = rows_of_tile<vectors>;
    for (; row + rows <= row_end; row += rows) tile<T, rows, vectors, a_transposed>(p, b, b_stride, row, column);
    last_rows<T, rows - 1, vectors, a_transposed>(p, b, b_stride, row, column, row_end - row);
}

template <class T>
void copy_panel(const T* from, long from_stride, long depth, long columns, T* to, long to_stride) {
    constexpr int n = lanes<T>;
    for (long p = 0; p < depth; ++p)
        for (long c = 0; c < to_stride; c += n) {
            const T* source = from + p * from_stride + c;
            const long left = columns - c;
            store<T>(to + p * to_stride + c, left >= n ? load(source) : load_partial(source, int(left > 0 ? left : 0)));
        }
}

template <class T>
void transpose_panel(const T* from, long from_stride, long depth, long columns, T* to, long to_stride) {
    constexpr int n = lanes<T>;
    for (long c = 0; c < to_stride; c += n) {
        const long rows = columns - c < n ? columns - c : n;
        transpose_block_column<T>(from + c * from_stride, from_stride, rows, depth, to + c, to_stride);
    }
}

template <class T>
long product_panels(const Product<T>& p) {
    return (p.columns + panel_columns<T> - 1) / panel_columns<T>;
}

// Panels [panel_begin, panel_end) of the rows [row_begin, row_end). `scratch` holds one packed panel.
template <class T, bool a_transposed>
void product_part(const Product<T>& p, long panel_begin, long panel_end, long row_begin, long row_end, T* scratch) {
    constexpr int n = lanes<T>;
    const bool single = row_end - row_begin == 1 && (p.b_form == BForm::padded || p.b_form == BForm::unpadded);
    for (long j = panel_begin; j < panel_end; ++j) {
        const long column = j * panel_columns<T>, left = p.columns - column;
        if (single && panel_end - j >= wide_panels && left >= wide_panels * panel_columns<T>) {
            tile<T, 1, wide_panels * tile_vectors, a_transposed>(p, p.b + column, p.b_stride, row_begin, column);
            j += wide_panels - 1;
            continue;
        }
        const bool one_vector = left <= n;
        const long width = one_vector ? n : panel_columns<T>;
        const T* b = scratch;
        long b_stride = width;
        if (p.b_form == BForm::transposed) {
            transpose_panel<T>(p.b + column * p.b_stride, p.b_stride, p.depth, left, scratch, width);
        } else if (p.b_form == BForm::packed || (p.b_form == BForm::unpadded && left < width)) {
            copy_panel<T>(p.b + column, p.b_stride, p.depth, left, scratch, width);
        } else {
            b = p.b + column;
            b_stride = p.b_stride;
        }
        if (one_vector) panel<T, 1, a_transposed>(p, b, b_stride, column, row_begin, row_end);
        else panel<T, 2, a_transposed>(p, b, b_stride, column, row_begin, row_end);
    }
}

template <class T>
void product(const Product<T>& p, long panel_begin, long panel_end, long row_begin, long row_end, T* scratch) {
    if (p.a_transposed) product_part<T, true>(p, panel_begin, panel_end, row_begin, row_end, scratch);
    else product_part<T, false>(p, panel_begin, panel_end, row_begin, row_end, scratch);
}

}  // namespace chainrule::CHAINRULE_ISA
