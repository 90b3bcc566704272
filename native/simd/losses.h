// Losses and their gradients, as in losses.py: each row's loss is summed over its outputs.
#pragma once

#include "simd/activations.h"

namespace chainrule::CHAINRULE_ISA {

// Every loss gives, for outputs h (or z where it is fused) and targets y, its value and its derivative by h (or z).
template <class T>
struct SquaredError {
    static CHAINRULE_INLINE Vector<T> value(Vector<T> h, Vector<T> y, T) { return (h - y) * (h - y); }
    static CHAINRULE_INLINE Vector<T> derivative(Vector<T> h, Vector<T> y, T) { return (h - y) * T(2); }
};

template <class T>
struct HalfSquaredError {
    static CHAINRULE_INLINE Vector<T> value(Vector<T> h, Vector<T> y, T) { return (h - y) * (h - y) * T(0.5); }
    static CHAINRULE_INLINE Vector<T> derivative(Vector<T> h, Vector<T> y, T) { return h - y; }
};

template <class T>
struct AbsoluteError {
    static CHAINRULE_INLINE Vector<T> value(Vector<T> h, Vector<T> y, T) { return magnitude<T>(h - y); }
    static CHAINRULE_INLINE Vector<T> derivative(Vector<T> h, Vector<T> y, T) {
        const Vector<T> e = h - y, one = splat<T>(T(1));
        return e > T(0) ? one : (e < T(0) ? -one : e);
    }
};

template <class T>
struct Huber {
    static CHAINRULE_INLINE Vector<T> value(Vector<T> h, Vector<T> y, T delta) {
        const Vector<T> size = magnitude<T>(h - y), near = size > delta ? splat<T>(delta) : size;
        return near * (size - near * T(0.5));
    }
    static CHAINRULE_INLINE Vector<T> derivative(Vector<T> h, Vector<T> y, T delta) {
        return clamp<T>(h - y, -delta, delta);
    }
};

template <class T>
struct Quantile {
    static CHAINRULE_INLINE Vector<T> value(Vector<T> h, Vector<T> y, T level) {
        const Vector<T> e = y - h, above = e * level, below = e * (level - T(1));
        return above > below ? above : below;
    }
    static CHAINRULE_INLINE Vector<T> derivative(Vector<T> h, Vector<T> y, T level) {
        const Vector<T> e = y - h;
        return e > T(0) ? splat<T>(-level) : (e < T(0) ? splat<T>(T(1) - level) : e);
    }
};

// x log y and x / y, 0 where x is 0.
template <class T>
CHAINRULE_INLINE Vector<T> x_log_y(Vector<T> x, Vector<T> y) {
    return x == T(0) ? Vector<T>{} : x * log<T>(y);
}

template <class T>
CHAINRULE_INLINE Vector<T> ratio(Vector<T> x, Vector<T> y) {
    return x == T(0) ? Vector<T>{} : x / y;
}

template <class T>
struct Poisson {
    static CHAINRULE_INLINE Vector<T> value(Vector<T> h, Vector<T> y, T) { return h - x_log_y<T>(y, h); }
    static CHAINRULE_INLINE Vector<T> derivative(Vector<T> h, Vector<T> y, T) { return T(1) - ratio<T>(y, h); }
};

template <class T>
struct PoissonFused {
    static CHAINRULE_INLINE Vector<T> value(Vector<T> z, Vector<T> y, T) { return exp<T>(z) - y * z; }
    static CHAINRULE_INLINE Vector<T> derivative(Vector<T> z, Vector<T> y, T) { return exp<T>(z) - y; }
};

// What makes the Poisson loss 0 where h = y.
template <class T>
CHAINRULE_INLINE Vector<T> deviance_constant(Vector<T> y) {
    return x_log_y<T>(y, y) - y;
}

template <class T>
struct PoissonDeviance : Poisson<T> {
    static CHAINRULE_INLINE Vector<T> value(Vector<T> h, Vector<T> y, T parameter) {
        return Poisson<T>::value(h, y, parameter) + deviance_constant<T>(y);
    }
};

template <class T>
struct PoissonDevianceFused : PoissonFused<T> {
    static CHAINRULE_INLINE Vector<T> value(Vector<T> z, Vector<T> y, T parameter) {
        return PoissonFused<T>::value(z, y, parameter) + deviance_constant<T>(y);
    }
};

template <class T>
struct BinaryCrossEntropy {
    static CHAINRULE_INLINE Vector<T> value(Vector<T> h, Vector<T> y, T) {
        return -(x_log_y<T>(y, h) + x_log_y<T>(T(1) - y, T(1) - h));
    }
    static CHAINRULE_INLINE Vector<T> derivative(Vector<T> h, Vector<T> y, T) {
        return ratio<T>(T(1) - y, T(1) - h) - ratio<T>(y, h);
    }
};

template <class T>
struct BinaryCrossEntropyFused {
    static CHAINRULE_INLINE Vector<T> value(Vector<T> z, Vector<T> y, T) { return softplus<T>(z) - y * z; }
    static CHAINRULE_INLINE Vector<T> derivative(Vector<T> z, Vector<T> y, T) { return sigmoid<T>(z) - y; }
};

template <class T>
struct CrossEntropy {
    static CHAINRULE_INLINE Vector<T> value(Vector<T> h, Vector<T> y, T) { return -x_log_y<T>(y, h); }
    static CHAINRULE_INLINE Vector<T> derivative(Vector<T> h, Vector<T> y, T) { return -ratio<T>(y, h); }
};

template <class T>
CHAINRULE_INLINE void store_row_values(T* to, Vector<T> v, int count) {
    if (count == lanes<T>) store<T>(to, v);
    else store_partial<T>(to, v, count);
}

template <class T, template <class> class L>
void loss_rows(const LossCall<T>& call, long row, long row_end) {
    constexpr int n = lanes<T>;
    for (; row < row_end; row += n) {
        const int count = int(row_end - row < n ? row_end - row : n);
        Vector<T> part[n];
        for (int r = 0; r < n; ++r) {
            part[r] = Vector<T>{};
            if (r >= count) continue;
            const T* output = call.output + (row + r) * call.output_stride;
            const T* target = call.target + (row + r) * call.target_stride;
            const T factor = call.row_factor[row + r];
            for (long c = 0; c < call.columns; c += n) {
                const Vector<T> h = load(output + c), y = load(target + c);
                part[r] += within_row<T>(L<T>::value(h, y, call.parameter), call.columns - c, T(0));
                if (call.gradient)
                    store<T>(call.gradient + (row + r) * call.gradient_stride + c,
                             L<T>::derivative(h, y, call.parameter) * factor);
            }
        }
        store_row_values<T>(call.row_loss + row, sums_of_rows<T>(part), count);
    }
}

// Softmax and cross-entropy from z: L = log(sum_k exp(z_k)) - sum_j y_j z_j, shifted by the row's largest z.
// The gradient's place holds the exponentials on the way.
template <class T>
void softmax_cross_entropy_rows(const LossCall<T>& call, long row, long row_end) {
    constexpr int n = lanes<T>;
    for (; row < row_end; row += n) {
        const int count = int(row_end - row < n ? row_end - row : n);
        const T* z = call.output + row * call.output_stride;
        T* d = call.gradient + row * call.gradient_stride;
        Vector<T> top, sum;
        exponentials_of_rows<T>(z, call.output_stride, d, call.gradient_stride, call.columns, count, top, sum);
        const Vector<T> log_sum = log<T>(sum);
        T row_top[n], row_sum[n], loss[n];
        store<T>(row_top, top);
        store<T>(row_sum, sum);
        store<T>(loss, log_sum);
        for (int r = 0; r < count; ++r) {
            const T factor = call.row_factor[row + r];
            const Vector<T> to_probability = splat<T>(T(1) / row_sum[r]);
            const T* row_z = z + r * call.output_stride;
            T* row_d = d + r * call.gradient_stride;
            if (call.labels) {
                const int64_t label = call.labels[row + r];
                for (long c = 0; c < call.columns; c += n)
                    store<T>(row_d + c, load<T>(row_d + c) * to_probability * factor);
                row_d[label] -= factor;
                loss[r] -= row_z[label] - row_top[r];
                continue;
            }
            const T* row_y = call.target + (row + r) * call.target_stride;
            Vector<T> part{};
            for (long c = 0; c < call.columns; c += n) {
                const Vector<T> y = load(row_y + c);
                part += within_row<T>(y * (load(row_z + c) - row_top[r]), call.columns - c, T(0));
                store<T>(row_d + c, (load<T>(row_d + c) * to_probability - y) * factor);
            }
            loss[r] -= sum_of_lanes<T>(part);
        }
        for (int r = 0; r < count; ++r) call.row_loss[row + r] = loss[r];
    }
}

template <class T>
void loss(const LossCall<T>& call, long row_begin, long row_end) {
    switch (call.kind) {
        case Loss::squared_error: return loss_rows<T, SquaredError>(call, row_begin, row_end);
        case Loss::half_squared_error: return loss_rows<T, HalfSquaredError>(call, row_begin, row_end);
        case Loss::absolute_error: return loss_rows<T, AbsoluteError>(call, row_begin, row_end);
        case Loss::huber: return loss_rows<T, Huber>(call, row_begin, row_end);
        case Loss::quantile: return loss_rows<T, Quantile>(call, row_begin, row_end);
        case Loss::poisson: return loss_rows<T, Poisson>(call, row_begin, row_end);
        case Loss::poisson_fused: return loss_rows<T, PoissonFused>(call, row_begin, row_end);
        case Loss::poisson_deviance: return loss_rows<T, PoissonDeviance>(call, row_begin, row_end);
        case Loss::poisson_deviance_fused: return loss_rows<T, PoissonDevianceFused>(call, row_begin, row_end);
        case Loss::binary_cross_entropy: return loss_rows<T, BinaryCrossEntropy>(call, row_begin, row_end);
        case Loss::binary_cross_entropy_fused: return loss_rows<T, BinaryCrossEntropyFused>(call, row_begin, row_end);
        case Loss::cross_entropy: return loss_rows<T, CrossEntropy>(call, row_begin, row_end);
        case Loss::cross_entropy_fused: return softmax_cross_entropy_rows<T>(call, row_begin, row_end);
    }
}

}  // namespace chainrule::CHAINRULE_ISA
