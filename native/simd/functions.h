// exp, log and their relatives, a vector at a time. NaN stays NaN; infinities give the limits.
#pragma once

#include "simd/vector.h"

namespace chainrule::CHAINRULE_ISA {

template <class T>
CHAINRULE_INLINE Vector<T> polynomial(Vector<T> x, const double* coefficients, int count) {
    Vector<T> y = splat<T>(T(coefficients[count - 1]));
#pragma GCC unroll 20
    for (int i = count - 2; i >= 0; --i) y = y * x + T(coefficients[i]);
    return y;
}

template <class T, int n>
CHAINRULE_INLINE Vector<T> polynomial(Vector<T> x, const double (&coefficients)[n]) {
    return polynomial<T>(x, coefficients, n);
}

// The layout of a floating-point number, and ln 2 as a short number plus the rest.
template <class T>
struct Format;

template <>
struct Format<float> {
    using Integer = int32_t;
    static constexpr int mantissa = 23, bias = 127;
    static constexpr float round = 12582912.0f;  // 1.5 * 2^23: adding it leaves the nearest integer in the low bits
    static constexpr float ln2_high = 0.693359375f, ln2_low = -2.12194440e-4f;
    static constexpr float exp_low = -104.0f, exp_high = 89.0f;
    static constexpr float smallest_normal = 1.17549435e-38f;
};

template <>
struct Format<double> {
    using Integer = int64_t;
    static constexpr int mantissa = 52, bias = 1023;
    static constexpr double round = 6755399441055744.0;
    static constexpr double ln2_high = 6.93147180369123816490e-01, ln2_low = 1.90821492927058770002e-10;
    static constexpr double exp_low = -746.0, exp_high = 710.0;
    static constexpr double smallest_normal = 2.2250738585072014e-308;
};

// x = n ln 2 + r with |r| <= ln 2 / 2; `n` comes as an integer too.
template <class T>
struct Reduced {
    Vector<T> n, r;
    Integers<T> n_bits;
};

template <class T>
CHAINRULE_INLINE Reduced<T> reduce_by_ln2(Vector<T> x) {
    using F = Format<T>;
    const Vector<T> shifted = x * T(1.44269504088896340736) + F::round;
    const Vector<T> n = shifted - F::round;
    const Vector<T> r = (x - n * F::ln2_high) - n * F::ln2_low;
    return {n, r, (Integers<T>)shifted - (Integers<T>)splat<T>(F::round)};
}

template <class T>
CHAINRULE_INLINE Vector<T> power_of_two(Integers<T> n) {
    return (Vector<T>)((n + Format<T>::bias) << Format<T>::mantissa);
}

// (exp(r) - 1 - r) / r^2 near zero: the series 1/2! + r/3! + ...
template <class T>
CHAINRULE_INLINE Vector<T> exp_series(Vector<T> r) {
    static constexpr double c[] = {1.0 / 2,           1.0 / 6,            1.0 / 24,           1.0 / 120,
                                   1.0 / 720,         1.0 / 5040,         1.0 / 40320,        1.0 / 362880,
                                   1.0 / 3628800,     1.0 / 39916800,     1.0 / 479001600,    1.0 / 6227020800};
    return polynomial<T>(r, c, sizeof(T) == 4 ? 6 : 12);
}

template <class T>
CHAINRULE_INLINE Vector<T> clamp(Vector<T> x, T low, T high) {
    const Vector<T> lo = splat<T>(low), hi = splat<T>(high);
    x = x < lo ? lo : x;
    return x > hi ? hi : x;
}

template <class T>
CHAINRULE_INLINE Vector<T> exp(Vector<T> x) {
    const Reduced<T> k = reduce_by_ln2<T>(clamp<T>(x, Format<T>::exp_low, Format<T>::exp_high));
    const Vector<T> y = (exp_series<T>(k.r) * k.r * k.r + k.r) + T(1);
    const Integers<T> half = k.n_bits >> 1;  // two factors, since 2^n itself may not be a normal number
    return y * power_of_two<T>(half) * power_of_two<T>(k.n_bits - half);
}

// exp(x) for x <= 0, flushed to zero below the normal numbers: one factor less.
template <class T>
CHAINRULE_INLINE Vector<T> exp_of_negative(Vector<T> x) {
    constexpr T low = sizeof(T) == 4 ? T(-87.0) : T(-708.0);
    const Reduced<T> k = reduce_by_ln2<T>(x < low ? splat<T>(low) : x);
    const Vector<T> y = (exp_series<T>(k.r) * k.r * k.r + k.r) + T(1);
    const Vector<T> scaled = y * power_of_two<T>(k.n_bits);
    return x < low ? Vector<T>{} : scaled;
}

// exp(x) - 1, accurate near zero; large x is cut where the result is about 2^(bias - 1).
template <class T>
CHAINRULE_INLINE Vector<T> expm1(Vector<T> x) {
    constexpr T high = sizeof(T) == 4 ? T(87.0) : T(709.0), low = sizeof(T) == 4 ? T(-50.0) : T(-100.0);
    const Reduced<T> k = reduce_by_ln2<T>(clamp<T>(x, low, high));
    const Vector<T> y = exp_series<T>(k.r) * k.r * k.r + k.r;
    const Vector<T> scale = power_of_two<T>(k.n_bits);
    return y * scale + (scale - T(1));
}

// Natural logarithm of numbers that are not negative.
template <class T>
CHAINRULE_INLINE Vector<T> log(Vector<T> x) {
    using F = Format<T>;
    using Integer = typename F::Integer;
    static constexpr double c[] = {1.0 / 3,  1.0 / 5,  1.0 / 7,  1.0 / 9,  1.0 / 11,
                                   1.0 / 13, 1.0 / 15, 1.0 / 17, 1.0 / 19, 1.0 / 21};
    constexpr T lift = sizeof(T) == 4 ? T(16777216.0) : T(18014398509481984.0);  // 2^24, 2^54
    const Integers<T> tiny = x < F::smallest_normal;
    const Vector<T> normal = tiny ? x * lift : x;
    const Integers<T> bits = (Integers<T>)normal;
    // The exponent is chosen so that the mantissa m lies in [1/sqrt 2, sqrt 2).
    constexpr Integer root_half = sizeof(T) == 4 ? Integer(0x3f3504f3) : Integer(0x3fe6a09e667f3bcd);
    const Integers<T> exponent = (bits - root_half) >> F::mantissa;
    const Vector<T> m = (Vector<T>)(bits - (exponent << F::mantissa));
    const Vector<T> lifted = tiny ? splat<T>(T(F::mantissa + (sizeof(T) == 4 ? 1 : 2))) : Vector<T>{};
    const Vector<T> n = __builtin_convertvector(exponent, Vector<T>) - lifted;
    const Vector<T> f = m - T(1), s = f / (f + T(2)), z = s * s;
    const Vector<T> rest = polynomial<T>(z, c, sizeof(T) == 4 ? 5 : 10) * z;  // log m = 2 s (1 + rest)
    // 2 s = f - s f, so that the leading term is exact.
    const Vector<T> log_m = f - s * (f - (rest + rest));
    const Vector<T> y = n * F::ln2_high + (log_m + n * F::ln2_low);
    const Vector<T> infinity = splat<T>(T(__builtin_inf()));
    Vector<T> result = x == T(0) ? -infinity : y;
    result = x == infinity ? infinity : result;
    return x >= T(0) ? result : splat<T>(T(__builtin_nan("")));
}

// log(1 + u) for u in [0, 1].
template <class T>
CHAINRULE_INLINE Vector<T> log1p_of_fraction(Vector<T> u) {
    const Vector<T> w = u + T(1), error = u - (w - T(1));
    return log<T>(w) + error / w;
}

template <class T>
CHAINRULE_INLINE Vector<T> sigmoid(Vector<T> x) {
    const Vector<T> e = exp_of_negative<T>(-magnitude<T>(x));
    return (x < T(0) ? e : splat<T>(T(1))) / (e + T(1));
}

template <class T>
CHAINRULE_INLINE Vector<T> tanh(Vector<T> x) {
    const Vector<T> t = expm1<T>(magnitude<T>(x) * T(2));
    const Vector<T> y = t / (t + T(2));
    const Integers<T> sign = (Integers<T>)splat<T>(T(-0.0));
    return (Vector<T>)((Integers<T>)y | ((Integers<T>)x & sign));
}

// log(1 + exp(x)).
template <class T>
CHAINRULE_INLINE Vector<T> softplus(Vector<T> x) {
    const Vector<T> positive = x < T(0) ? Vector<T>{} : x;
    return positive + log1p_of_fraction<T>(exp_of_negative<T>(-magnitude<T>(x)));
}

// tanh(log(1 + exp(x))) = n (n + 2) / (n (n + 2) + 2) with n = exp(x).
template <class T>
CHAINRULE_INLINE Vector<T> tanh_of_softplus(Vector<T> x) {
    constexpr T high = T(40.0);
    const Vector<T> n = exp<T>(x > high ? splat<T>(high) : x), m = n * (n + T(2));
    return m / (m + T(2));
}

// The distribution function of the normal distribution, (1 + erf(x / sqrt 2)) / 2. Chebyshev fits: erf(u) / u in
// u^2 for |u| <= 1; beyond, exp(u^2) erfc(u) in t = (u - 3) / (u + 3), which also keeps the small left tail accurate.
template <class T>
CHAINRULE_INLINE Vector<T> normal_distribution(Vector<T> x) {
    constexpr bool is_float = sizeof(T) == 4;
    static constexpr double erf_float[] = {1.1283791658483509,    -0.37612626666720331,   0.11283594715160218,
                                           -0.026854212010626412, 0.0051890874234339740,  -0.00080168642871658695,
                                           7.8758750626854883e-5};
    static constexpr double erf_double[] = {
        1.1283791670955126,    -0.37612638903183540,   0.11283791670945006,     -0.026866170643237770,
        0.0052239776071164227, -0.00085483259753896921, 0.00012055294904839708, -1.4924736907419660e-5,
        1.6447424703317362e-6, -1.6208483801871706e-7, 1.3720064546777686e-8,   -7.7958988270021422e-10};
    static constexpr double tail_float[] = {0.17900115119260013,   -0.32623356020085839,   0.24560379950803304,
                                            -0.15011590934137448,  0.071665912410695446,   -0.024393431046365880,
                                            0.0042678255631698813, 0.00071887397051925320, -0.00058279970885291178};
    static constexpr double tail_double[] = {
        0.17900115118138995,     -0.32623356004303723,   0.24560380171233091,    -0.15011593650077581,
        0.071665837197973308,    -0.024392499318790735,  0.0042691363330778686,  0.00070774644356119724,
        -0.00059706195318153520, 4.5255201405795360e-5,  6.4056577940516657e-5,  -1.2859347351455289e-5,
        -7.9776965796440729e-6,  2.1124428949403866e-6,  1.2459620847174092e-6,  -2.6915157592850125e-7,
        -2.0355575642200859e-7};
    const Vector<T> u = x * T(0.70710678118654752440), size = magnitude<T>(u);
    const Vector<T> square = u * u;
    const Vector<T> near = polynomial<T>(square, is_float ? erf_float : erf_double, is_float ? 7 : 12) * u;
    const Vector<T> far_size = size > T(6) ? splat<T>(T(6)) : size;
    const Vector<T> t = (far_size - T(3)) / (far_size + T(3));
    const Vector<T> tail = polynomial<T>(t, is_float ? tail_float : tail_double, is_float ? 9 : 17);
    const Vector<T> half = exp_of_negative<T>(x * x * T(-0.5)) * tail * T(0.5);
    const Vector<T> far = x < T(0) ? half : T(1) - half;
    return size <= T(1) ? near * T(0.5) + T(0.5) : far;
}

}  // namespace chainrule::CHAINRULE_ISA
