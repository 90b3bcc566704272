// Activation functions and their vector-Jacobian products, as in activations.py, over the rows of a matrix.
#pragma once

#include "core/kernels.h"
#include "simd/functions.h"
#include "simd/transpose.h"

namespace chainrule::CHAINRULE_ISA {

template <class T>
struct Sigmoid {
    static CHAINRULE_INLINE Vector<T> value(Vector<T> z, T) { return sigmoid<T>(z); }
    static CHAINRULE_INLINE Vector<T> derivative(Vector<T> h, T) { return h * (T(1) - h); }
};

template <class T>
struct Tanh {
    static CHAINRULE_INLINE Vector<T> value(Vector<T> z, T) { return tanh<T>(z); }
    static CHAINRULE_INLINE Vector<T> derivative(Vector<T> h, T) { return T(1) - h * h; }
};

template <class T>
struct Relu {
    static CHAINRULE_INLINE Vector<T> value(Vector<T> z, T) { return maximum<T>(Vector<T>{}, z); }
    static CHAINRULE_INLINE Vector<T> derivative(Vector<T> h, T) { return h > T(0) ? splat<T>(T(1)) : Vector<T>{}; }
};

template <class T>
struct LeakyRelu {
    static CHAINRULE_INLINE Vector<T> value(Vector<T> z, T slope) { return z > T(0) ? z : z * slope; }
    static CHAINRULE_INLINE Vector<T> derivative(Vector<T> z, T slope) {
        return z > T(0) ? splat<T>(T(1)) : splat<T>(slope);
    }
};

template <class T>
struct Elu {
    static CHAINRULE_INLINE Vector<T> value(Vector<T> z, T alpha) {
        return z > T(0) ? z : expm1<T>(z > T(0) ? Vector<T>{} : z) * alpha;
    }
    static CHAINRULE_INLINE Vector<T> derivative(Vector<T> z, T alpha) {
        return z > T(0) ? splat<T>(T(1)) : exp_of_negative<T>(z > T(0) ? Vector<T>{} : z) * alpha;
    }
};

template <class T>
struct Selu {
    static constexpr T alpha = T(1.6732632423543772848), scale = T(1.0507009873554804934);
    static CHAINRULE_INLINE Vector<T> value(Vector<T> z, T) { return Elu<T>::value(z, alpha) * scale; }
    static CHAINRULE_INLINE Vector<T> derivative(Vector<T> z, T) { return Elu<T>::derivative(z, alpha) * scale; }
};

template <class T>
struct Gelu {
    static CHAINRULE_INLINE Vector<T> value(Vector<T> z, T) { return z * normal_distribution<T>(z); }
    static CHAINRULE_INLINE Vector<T> derivative(Vector<T> z, T) {
        constexpr T density_at_zero = T(0.39894228040143267794);
        return normal_distribution<T>(z) + z * exp_of_negative<T>(z * z * T(-0.5)) * density_at_zero;
    }
};

template <class T>
struct GeluTanh {
    static constexpr T root = T(0.79788456080286535588), cubic = T(0.044715);
    static CHAINRULE_INLINE Vector<T> inner(Vector<T> z) { return (z + z * z * z * cubic) * root; }
    static CHAINRULE_INLINE Vector<T> value(Vector<T> z, T) { return z * T(0.5) * (tanh<T>(inner(z)) + T(1)); }
    static CHAINRULE_INLINE Vector<T> derivative(Vector<T> z, T) {
        const Vector<T> t = tanh<T>(inner(z)), slope = (z * z * (3 * cubic) + T(1)) * root;
        return (t + T(1) + z * (T(1) - t * t) * slope) * T(0.5);
    }
};

template <class T>
struct Silu {
    static CHAINRULE_INLINE Vector<T> value(Vector<T> z, T) { return z * sigmoid<T>(z); }
    static CHAINRULE_INLINE Vector<T> derivative(Vector<T> z, T) {
        const Vector<T> s = sigmoid<T>(z);
        return s * (z * (T(1) - s) + T(1));
    }
};

template <class T>
struct Mish {
    static CHAINRULE_INLINE Vector<T> value(Vector<T> z, T) { return z * tanh_of_softplus<T>(z); }
    static CHAINRULE_INLINE Vector<T> derivative(Vector<T> z, T) {
        const Vector<T> t = tanh_of_softplus<T>(z);
        return t + z * sigmoid<T>(z) * (T(1) - t * t);
    }
};

template <class T>
struct Softplus {
    static CHAINRULE_INLINE Vector<T> value(Vector<T> z, T) { return softplus<T>(z); }
    static CHAINRULE_INLINE Vector<T> derivative(Vector<T> z, T) { return sigmoid<T>(z); }
};

template <class T>
struct Exponential {
    static CHAINRULE_INLINE Vector<T> value(Vector<T> z, T) { return exp<T>(z); }
    static CHAINRULE_INLINE Vector<T> derivative(Vector<T> h, T) { return h; }
};

template <class T>
struct Threshold {
    static CHAINRULE_INLINE Vector<T> value(Vector<T> z, T) { return z >= T(0) ? splat<T>(T(1)) : Vector<T>{}; }
    static CHAINRULE_INLINE Vector<T> derivative(Vector<T> z, T) { return z * T(0); }
};

template <class T, template <class> class F>
void map_rows(const ActivationCall<T>& call, long row, long row_end) {
    for (; row < row_end; ++row)
        for (long c = 0; c < call.columns; c += lanes<T>) {
            const Vector<T> z = load(call.in + row * call.in_stride + c);
            store<T>(call.out + row * call.out_stride + c, F<T>::value(z, call.parameter));
        }
}

template <class T, template <class> class F>
void map_rows_backward(const ActivationCall<T>& call, long row, long row_end) {
    for (; row < row_end; ++row)
        for (long c = 0; c < call.columns; c += lanes<T>) {
            const Vector<T> kept = load(call.in + row * call.in_stride + c);
            T* d = call.out + row * call.out_stride + c;
            store<T>(d, load<T>(d) * F<T>::derivative(kept, call.parameter));
        }
}

// Sums or maxima along each of up to one vector of rows: one accumulator a row, turned round at the end.
template <class T>
CHAINRULE_INLINE Vector<T> sums_of_rows(Vector<T> (&part)[lanes<T>]) {
    transpose<T>(part);
    Vector<T> sum = part[0];
    for (int i = 1; i < lanes<T>; ++i) sum += part[i];
    return sum;
}

template <class T>
CHAINRULE_INLINE Vector<T> maxima_of_rows(Vector<T> (&part)[lanes<T>]) {
    transpose<T>(part);
    Vector<T> top = part[0];
    for (int i = 1; i < lanes<T>; ++i) top = maximum<T>(part[i], top);
    return top;
}

// A vector of a row that may end inside it: the lanes beyond the end become `beyond`.
template <class T>
CHAINRULE_INLINE Vector<T> within_row(Vector<T> v, long left, T beyond) {
    if (left >= lanes<T>) return v;
    Integers<T> lane{};
    for (int l = 0; l < lanes<T>; ++l) lane[l] = l;
    return lane < typename Format<T>::Integer(left) ? v : splat<T>(beyond);
}

// out = exp(z - max z) row by row, for `count` rows (at most one vector of them); max and sum come back in lanes.
template <class T>
CHAINRULE_INLINE void exponentials_of_rows(const T* z, long z_stride, T* out, long out_stride, long columns, int count,
                                           Vector<T>& top, Vector<T>& sum) {
    constexpr int n = lanes<T>;
    const T lowest = T(-__builtin_inf());
    Vector<T> part[n];
    for (int r = 0; r < n; ++r) {
        const T* row = z + (r < count ? r : 0) * z_stride;
        Vector<T> m = within_row<T>(load(row), columns, lowest);
        for (long c = n; c < columns; c += n) {
            const Vector<T> v = within_row<T>(load(row + c), columns - c, lowest);
            m = maximum<T>(m, v);
        }
        part[r] = m;
    }
    top = maxima_of_rows<T>(part);
    for (int r = 0; r < n; ++r) {
        part[r] = Vector<T>{};
        if (r >= count) continue;
        const T row_top = top[r];
        for (long c = 0; c < columns; c += n) {
            const Vector<T> v = within_row<T>(load(z + r * z_stride + c), columns - c, lowest);
            const Vector<T> e = exp_of_negative<T>(v - row_top);
            store<T>(out + r * out_stride + c, e);
            part[r] += e;
        }
    }
    sum = sums_of_rows<T>(part);
}

template <class T>
void softmax_rows(const ActivationCall<T>& call, long row, long row_end) {
    constexpr int n = lanes<T>;
    for (; row < row_end; row += n) {
        const int count = int(row_end - row < n ? row_end - row : n);
        T* out = call.out + row * call.out_stride;
        Vector<T> top, sum;
        exponentials_of_rows<T>(call.in + row * call.in_stride, call.in_stride, out, call.out_stride, call.columns,
                                count, top, sum);
        for (int r = 0; r < count; ++r)
            for (long c = 0; c < call.columns; c += n) {
                T* h = out + r * call.out_stride + c;
                store<T>(h, load<T>(h) / splat<T>(sum[r]));
            }
    }
}

// dL/dz_j = h_j (dL/dh_j - sum_i dL/dh_i h_i)
template <class T>
void softmax_rows_backward(const ActivationCall<T>& call, long row, long row_end) {
    constexpr int n = lanes<T>;
    for (; row < row_end; ++row) {
        const T* h = call.in + row * call.in_stride;
        T* d = call.out + row * call.out_stride;
        Vector<T> part{};
        for (long c = 0; c < call.columns; c += n)
            part += within_row<T>(load<T>(d + c), call.columns - c, T(0)) * within_row<T>(load(h + c), call.columns - c, T(0));
        const T dot = sum_of_lanes<T>(part);
        for (long c = 0; c < call.columns; c += n) store<T>(d + c, load(h + c) * (load<T>(d + c) - dot));
    }
}

template <class T>
void activate(const ActivationCall<T>& call, long row_begin, long row_end) {
    switch (call.kind) {
        case Activation::linear: return;
        case Activation::sigmoid: return map_rows<T, Sigmoid>(call, row_begin, row_end);
        case Activation::tanh: return map_rows<T, Tanh>(call, row_begin, row_end);
        case Activation::relu: return map_rows<T, Relu>(call, row_begin, row_end);
        case Activation::leaky_relu: return map_rows<T, LeakyRelu>(call, row_begin, row_end);
        case Activation::elu: return map_rows<T, Elu>(call, row_begin, row_end);
        case Activation::selu: return map_rows<T, Selu>(call, row_begin, row_end);
        case Activation::gelu: return map_rows<T, Gelu>(call, row_begin, row_end);
        case Activation::gelu_tanh: return map_rows<T, GeluTanh>(call, row_begin, row_end);
        case Activation::silu: return map_rows<T, Silu>(call, row_begin, row_end);
        case Activation::mish: return map_rows<T, Mish>(call, row_begin, row_end);
        case Activation::softplus: return map_rows<T, Softplus>(call, row_begin, row_end);
        case Activation::exponential: return map_rows<T, Exponential>(call, row_begin, row_end);
        case Activation::threshold: return map_rows<T, Threshold>(call, row_begin, row_end);
        case Activation::softmax: return softmax_rows<T>(call, row_begin, row_end);
    }
}

template <class T>
void activate_backward(const ActivationCall<T>& call, long row_begin, long row_end) {
    switch (call.kind) {
        case Activation::linear: return;
        case Activation::sigmoid: return map_rows_backward<T, Sigmoid>(call, row_begin, row_end);
        case Activation::tanh: return map_rows_backward<T, Tanh>(call, row_begin, row_end);
        case Activation::relu: return map_rows_backward<T, Relu>(call, row_begin, row_end);
        case Activation::leaky_relu: return map_rows_backward<T, LeakyRelu>(call, row_begin, row_end);
        case Activation::elu: return map_rows_backward<T, Elu>(call, row_begin, row_end);
        case Activation::selu: return map_rows_backward<T, Selu>(call, row_begin, row_end);
        case Activation::gelu: return map_rows_backward<T, Gelu>(call, row_begin, row_end);
        case Activation::gelu_tanh: return map_rows_backward<T, GeluTanh>(call, row_begin, row_end);
        case Activation::silu: return map_rows_backward<T, Silu>(call, row_begin, row_end);
        case Activation::mish: return map_rows_backward<T, Mish>(call, row_begin, row_end);
        case Activation::softplus: return map_rows_backward<T, Softplus>(call, row_begin, row_end);
        case Activation::exponential: return map_rows_backward<T, Exponential>(call, row_begin, row_end);
        case Activation::threshold: return map_rows_backward<T, Threshold>(call, row_begin, row_end);
        case Activation::softmax: return softmax_rows_backward<T>(call, row_begin, row_end);
    }
}

}  // namespace chainrule::CHAINRULE_ISA
