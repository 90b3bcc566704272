// Piecewise-linear functions of numbers: two rows of running sums for each number, whatever the number of knots.
#pragma once

#include "core/kernels.h"
#include "simd/norm.h"

namespace chainrule::CHAINRULE_ISA {

// V_0 = 0, V_b+1 = V_b + W_b, input by input.
template <class T, int vectors>
CHAINRULE_INLINE void pieces_sums_of(const PiecesCall<T>& call, long input, long column) {
    const long bins = call.first_bin[input + 1] - call.first_bin[input];
    const T* weights = call.weights + call.first_bin[input] * call.units + column;
    T* sums = call.sums + call.first_knot[input] * call.sums_stride + column;
    Vector<T> sum[vectors] = {};
    for (long b = 0; b <= bins; ++b)
#pragma GCC unroll 4
        for (int v = 0; v < vectors; ++v) {
            const long c = v * lanes<T>;
            store<T>(sums + b * call.sums_stride + c, sum[v]);
            if (b < bins) sum[v] += load_units(weights + b * call.units + c, call.units - column - c);
        }
}

template <class T>
void pieces_sums(const PiecesCall<T>& call, long input, long input_end) {
    for (; input < input_end; ++input) {
        if (call.first_bin[input + 1] == call.first_bin[input]) continue;
        long c = 0;
        for (; c + 4 * lanes<T> <= call.units; c += 4 * lanes<T>) pieces_sums_of<T, 4>(call, input, c);
        for (; c < call.units; c += lanes<T>) pieces_sums_of<T, 1>(call, input, c);
    }
}

template <class T, int vectors>
CHAINRULE_INLINE void pieces_of_row(const PiecesCall<T>& call, long row, long column) {
    Vector<T> sum[vectors] = {};
    for (long i = 0; i < call.inputs; ++i) {
        const long below = call.below[row * call.inputs + i];
        if (below < 0) continue;
        const T share = call.share[row * call.inputs + i], rest = 1 - share;
        const T* low = call.sums + below * call.sums_stride + column;
        const T* high = low + call.sums_stride;
#pragma GCC unroll 16
        for (int v = 0; v < vectors; ++v)
            sum[v] += load(low + v * lanes<T>) * rest + load(high + v * lanes<T>) * share;
    }
#pragma GCC unroll 16
    for (int v = 0; v < vectors; ++v) store<T>(call.z + row * call.z_stride + column + v * lanes<T>, sum[v]);
}

template <class T>
void pieces_forward(const PiecesCall<T>& call, long row_begin, long row_end) {
    constexpr int most = vector_bytes == 64 ? 16 : 8;
    for (long row = row_begin; row < row_end; ++row) {
        long c = 0;
        for (; c + most * lanes<T> <= call.units; c += most * lanes<T>) pieces_of_row<T, most>(call, row, c);
        for (; c + 4 * lanes<T> <= call.units; c += 4 * lanes<T>) pieces_of_row<T, 4>(call, row, c);
        for (; c < call.units; c += lanes<T>) pieces_of_row<T, 1>(call, row, c);
    }
}

// dL/dx = slope of the bin times dL/dz W; 0 outside of the knots.
template <class T>
void pieces_backward(const PiecesCall<T>& call, long row, long row_end) {
    for (; row < row_end; ++row)
        for (long i = 0; i < call.inputs; ++i) {
            T* d_x = call.d_x + row * call.d_x_stride + i;
            const long below = call.below[row * call.inputs + i];
            const T x = call.x[row * call.x_stride + i];
            T slope = 0;
            if (below >= 0 && x >= call.knots[below] && x < call.knots[below + 1]) {
                const T* weights = call.weights + (call.first_bin[i] + below - call.first_knot[i]) * call.units;
                Vector<T> sum{};
                for (long c = 0; c < call.units; c += lanes<T>)
                    sum += load_units(call.z + row * call.z_stride + c, call.units - c) * load_units(weights + c, call.units - c);
                slope = sum_of_lanes<T>(sum) / (call.knots[below + 1] - call.knots[below]);
            }
            *d_x = call.add_d_x ? *d_x + slope : slope;
        }
}

// The rows of the batch, those of the first bin first; `ends` says for each bin where its own end.
template <class T>
CHAINRULE_INLINE void sort_by_bin(const PiecesCall<T>& call, long input, long bins, int32_t* order, int32_t* ends) {
    const int32_t* below = call.below + input;
    const long first = call.first_knot[input];
    for (long b = 0; b <= bins; ++b) ends[b] = 0;
    for (long row = 0; row < call.rows; ++row) ++ends[below[row * call.inputs] - first + 1];
    for (long b = 0; b < bins; ++b) ends[b + 1] += ends[b];  // where the rows of b begin, as yet
    for (long row = 0; row < call.rows; ++row) order[ends[below[row * call.inputs] - first]++] = int32_t(row);
}

template <class T, int vectors>
CHAINRULE_INLINE void pieces_gradient_of(const PiecesCall<T>& call, long input, long bins, const int32_t* order, const int32_t* ends, long column) {
    Vector<T> above[vectors] = {};  // the deltas of the bins above
    for (long b = bins; b-- > 0;) {
        Vector<T> inside[vectors] = {}, own[vectors] = {};
        for (long i = b == 0 ? 0 : ends[b - 1]; i < ends[b]; ++i) {
            const T share = call.share[order[i] * call.inputs + input];
            const T* deltas = call.z + order[i] * call.z_stride + column;
#pragma GCC unroll 8
            for (int v = 0; v < vectors; ++v) {
                const Vector<T> delta = load(deltas + v * lanes<T>);
                inside[v] += delta * share;
                own[v] += delta;
            }
        }
        T* gradient = call.d_weights + (call.first_bin[input] + b) * call.units + column;
#pragma GCC unroll 8
        for (int v = 0; v < vectors; ++v) {
            store_units<T>(gradient + v * lanes<T>, above[v] + inside[v], call.units - column - v * lanes<T>);
            above[v] += own[v];
        }
    }
}

// dL/dW_b: all of a delta whose number lies above the bin, and the number's share of it where that lies inside.
template <class T>
void pieces_gradient(const PiecesCall<T>& call, long input, long input_end) {
    for (; input < input_end; ++input) {
        const long bins = call.first_bin[input + 1] - call.first_bin[input];
        if (bins == 0) continue;
        int32_t *order = call.order + input * call.rows, *ends = call.ends + call.first_knot[input];
        sort_by_bin(call, input, bins, order, ends);
        constexpr int most = vector_bytes == 64 ? 8 : 4;
        long c = 0;
        for (; c + most * lanes<T> <= call.units; c += most * lanes<T>)
            pieces_gradient_of<T, most>(call, input, bins, order, ends, c);
        for (; c < call.units; c += lanes<T>) pieces_gradient_of<T, 1>(call, input, bins, order, ends, c);
    }
}

}  // namespace chainrule::CHAINRULE_ISA
