// Piecewise-linear functions of numbers: two rows of running sums for each number, whatever the number of knots.
#pragma once

#include "core/kernels.h"
#include "simd/norm.h"

namespace chainrule::CHAINRULE_ISA {

// V_0 = 0, V_b+1 = V_b + W_b, input by input.
template <class T>
void pieces_sums(const PiecesCall<T>& call, long input, long input_end) {
    for (; input < input_end; ++input) {
        const long knot = call.first_knot[input], bins = call.first_bin[input + 1] - call.first_bin[input];
        const T* weights = call.weights + call.first_bin[input] * call.units;
        for (long c = 0; c < call.units && bins > 0; c += lanes<T>) {
            Vector<T> sum{};
            store<T>(call.sums + knot * call.sums_stride + c, sum);
            for (long b = 0; b < bins; ++b) {
                sum += load_units(weights + b * call.units + c, call.units - c);
                store<T>(call.sums + (knot + b + 1) * call.sums_stride + c, sum);
            }
        }
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

template <class T, int vectors>
CHAINRULE_INLINE void pieces_gradient_of(const PiecesCall<T>& call, long input, long column) {
    const long knot = call.first_knot[input], bins = call.first_bin[input + 1] - call.first_bin[input];
    T* sums = call.sums + column;
    for (long b = 0; b <= bins; ++b)
        for (int v = 0; v < vectors; ++v) store<T>(sums + (knot + b) * call.sums_stride + v * lanes<T>, Vector<T>{});
    for (long row = 0; row < call.rows; ++row) {
        const long below = call.below[row * call.inputs + input];
        const T share = call.share[row * call.inputs + input], rest = 1 - share;
        T* low = sums + below * call.sums_stride;
        T* high = low + call.sums_stride;
#pragma GCC unroll 8
        for (int v = 0; v < vectors; ++v) {
            const Vector<T> delta = load(call.z + row * call.z_stride + column + v * lanes<T>);
            store<T>(low + v * lanes<T>, load<T>(low + v * lanes<T>) + delta * rest);
            store<T>(high + v * lanes<T>, load<T>(high + v * lanes<T>) + delta * share);
        }
    }
    Vector<T> above[vectors] = {};
    for (long b = bins; b-- > 0;)
        for (int v = 0; v < vectors; ++v) {
            above[v] += load<T>(sums + (knot + b + 1) * call.sums_stride + v * lanes<T>);
            const long c = column + v * lanes<T>;
            store_units<T>(call.d_weights + (call.first_bin[input] + b) * call.units + c, above[v], call.units - c);
        }
}

// dL/dV first, each row of a batch in two of its rows; dL/dW_b is the sum of those above: W_b is in every V behind it.
template <class T>
void pieces_gradient(const PiecesCall<T>& call, long input, long input_end) {
    for (; input < input_end; ++input) {
        if (call.first_bin[input + 1] == call.first_bin[input]) continue;
        long c = 0;
        for (; c + 4 * lanes<T> <= call.units; c += 4 * lanes<T>) pieces_gradient_of<T, 4>(call, input, c);
        for (; c < call.units; c += lanes<T>) pieces_gradient_of<T, 1>(call, input, c);
    }
}

}  // namespace chainrule::CHAINRULE_ISA
