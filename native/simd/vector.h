// One vector register of numbers, written with compiler vector types so that every kernel is a single
// template: only this file knows which instruction set it is compiled for.
#pragma once

#include <cstddef>
#include <cstdint>
#include <type_traits>

#if defined(__AVX__) || defined(__SSE2__)
#include <immintrin.h>
#elif defined(__aarch64__)
#include <arm_neon.h>
#endif

#define CHAINRULE_INLINE __attribute__((always_inline)) inline
#define CHAINRULE_INLINE_LAMBDA __attribute__((always_inline))

namespace chainrule::CHAINRULE_ISA {

constexpr int vector_bytes = CHAINRULE_VECTOR_BYTES;

template <class T>
constexpr int lanes = vector_bytes / int(sizeof(T));

template <class T>
struct Types;

template <>
struct Types<float> {
    typedef float Vector __attribute__((vector_size(vector_bytes)));
    typedef int32_t Integers __attribute__((vector_size(vector_bytes)));
};

template <>
struct Types<double> {
    typedef double Vector __attribute__((vector_size(vector_bytes)));
    typedef int64_t Integers __attribute__((vector_size(vector_bytes)));
};

template <class T>
using Vector = typename Types<T>::Vector;

template <class T>
using Integers = typename Types<T>::Integers;

template <class T>
CHAINRULE_INLINE Vector<T> load(const T* from) {
    Vector<T> v;
    __builtin_memcpy(&v, from, sizeof v);
    return v;
}

template <class T>
CHAINRULE_INLINE void store(T* to, Vector<T> v) {
    __builtin_memcpy(to, &v, sizeof v);
}

template <class T>
CHAINRULE_INLINE Vector<T> splat(T x) {
    return x - Vector<T>{};  // the one broadcast that every compiler turns into one instruction
}

// The first `count` (less than a full vector) numbers; the other lanes are zero.
template <class T>
CHAINRULE_INLINE Vector<T> load_partial(const T* from, int count) {
#if defined(__AVX512F__)
    if constexpr (std::is_same_v<T, float>) {
        return _mm512_maskz_loadu_ps(__mmask16((1u << count) - 1), from);
    } else {
        return _mm512_maskz_loadu_pd(__mmask8((1u << count) - 1), from);
    }
#else
    T lane[lanes<T>] = {};
    for (int i = 0; i < lanes<T> && i < count; ++i) lane[i] = from[i];
    return load(lane);
#endif
}

template <class T>
CHAINRULE_INLINE void store_partial(T* to, Vector<T> v, int count) {
#if defined(__AVX512F__)
    if constexpr (std::is_same_v<T, float>) {
        _mm512_mask_storeu_ps(to, __mmask16((1u << count) - 1), v);
    } else {
        _mm512_mask_storeu_pd(to, __mmask8((1u << count) - 1), v);
    }
#else
    for (int i = 0; i < lanes<T> && i < count; ++i) to[i] = v[i];
#endif
}

template <class T>
CHAINRULE_INLINE Vector<T> square_root(Vector<T> v) {
#if defined(__AVX512F__)
    // The masked form: GCC 12 warns about its own header for the plain one.
    if constexpr (std::is_same_v<T, float>) return _mm512_maskz_sqrt_ps(0xffff, v);
    else return _mm512_maskz_sqrt_pd(0xff, v);
#elif defined(__AVX__)
    if constexpr (std::is_same_v<T, float>) return _mm256_sqrt_ps(v);
    else return _mm256_sqrt_pd(v);
#elif defined(__SSE2__)
    if constexpr (std::is_same_v<T, float>) return _mm_sqrt_ps(v);
    else return _mm_sqrt_pd(v);
#elif defined(__aarch64__)
    if constexpr (std::is_same_v<T, float>) return (Vector<T>)vsqrtq_f32((float32x4_t)v);
    else return (Vector<T>)vsqrtq_f64((float64x2_t)v);
#else
    for (int i = 0; i < lanes<T>; ++i) v[i] = sizeof(T) == 4 ? __builtin_sqrtf(v[i]) : __builtin_sqrt(v[i]);
    return v;
#endif
}

// Lane by lane `condition ? a : b`; the condition is what a comparison of two vectors gives.
template <class T>
CHAINRULE_INLINE Vector<T> select(Integers<T> condition, Vector<T> a, Vector<T> b) {
    return condition ? a : b;
}

// a > b ? a : b, so b where one of them is NaN; GCC makes two instructions of the plain form.
template <class T>
CHAINRULE_INLINE Vector<T> maximum(Vector<T> a, Vector<T> b) {
#if defined(__AVX512F__)
    if constexpr (std::is_same_v<T, float>) return _mm512_maskz_max_ps(0xffff, a, b);
    else return _mm512_maskz_max_pd(0xff, a, b);
#else
    return a > b ? a : b;
#endif
}

template <class T>
CHAINRULE_INLINE Vector<T> magnitude(Vector<T> v) {
    return (Vector<T>)((Integers<T>)v & ~(Integers<T>)splat<T>(T(-0.0)));
}

typedef uint64_t Longs __attribute__((vector_size(vector_bytes)));
constexpr int long_lanes = vector_bytes / 8;

// Lane by lane the whole product of the lower 32 bits.
CHAINRULE_INLINE Longs product_of_low_halves(Longs a, Longs b) {
#if defined(__AVX512F__)
    return (Longs)_mm512_maskz_mul_epu32(0xff, (__m512i)a, (__m512i)b);
#elif defined(__AVX2__)
    return (Longs)_mm256_mul_epu32((__m256i)a, (__m256i)b);
#elif defined(__SSE2__)
    return (Longs)_mm_mul_epu32((__m128i)a, (__m128i)b);
#else
    return (a & 0xFFFFFFFF) * (b & 0xFFFFFFFF);
#endif
}

template <class T>
CHAINRULE_INLINE T sum_of_lanes(Vector<T> v) {
    T part[lanes<T>];
    store(part, v);
    for (int half = lanes<T> / 2; half > 0; half /= 2)
        for (int i = 0; i < half; ++i) part[i] += part[i + half];
    return part[0];
}

}  // namespace chainrule::CHAINRULE_ISA
