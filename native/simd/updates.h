// Optimizers: how a gradient changes the parameters, one fused pass for each, as in optimizers.py.
#pragma once

#include "core/kernels.h"
#include "simd/vector.h"

namespace chainrule::CHAINRULE_ISA {

// Whole vectors, and the end of a run that may be shorter, through the same code.
struct Whole {
    template <class T>
    CHAINRULE_INLINE Vector<T> get(const T* from) const { return load(from); }
    template <class T>
    CHAINRULE_INLINE void put(T* to, Vector<T> v) const { store<T>(to, v); }
};

struct Part {
    int count;
    template <class T>
    CHAINRULE_INLINE Vector<T> get(const T* from) const { return load_partial(from, count); }
    template <class T>
    CHAINRULE_INLINE void put(T* to, Vector<T> v) const { store_partial<T>(to, v, count); }
};

// each(parameter index, its gradient, access) gives the new parameters, which are stored and charged.
template <class T, class F>
CHAINRULE_INLINE double over_run(const UpdateCall<T>& c, long begin, const T* gradient, long count, F&& each) {
    const bool charged = c.l1 != 0 || c.l2 != 0;
    const T slope = T(2 * c.l2 * c.penalty_factor), step = T(c.l1 * c.penalty_factor);
    Vector<T> squares{}, sizes{};
    auto vector = [&](long place, auto at) CHAINRULE_INLINE_LAMBDA {
        const long i = begin + place;
        const Vector<T> w = at.template get<T>(c.parameters + i);
        Vector<T> g = at.get(gradient + place) * c.gradient_scale;
        if (charged) {
            g += w * slope;
            if (step != 0) g += w > T(0) ? splat<T>(step) : (w < T(0) ? splat<T>(-step) : Vector<T>{});
        }
        g += w * c.weight_decay;
        const Vector<T> changed = each(i, w, g, at);
        at.template put<T>(c.parameters + i, changed);
        if (charged) {
            squares += changed * changed;
            sizes += magnitude<T>(changed);
        }
    };
    long i = 0;
    for (; i + lanes<T> <= count; i += lanes<T>) vector(i, Whole{});
    if (i < count) vector(i, Part{int(count - i)});
    if (!charged) return 0;
    return c.l2 * double(sum_of_lanes<T>(squares)) + c.l1 * double(sum_of_lanes<T>(sizes));
}

template <class T>
double update_sgd(const UpdateCall<T>& call, long begin, const T* gradient, long count) {
    const UpdateCall<T> c = call;
    return over_run<T>(c, begin, gradient, count, [&](long, Vector<T> w, Vector<T> g, auto) CHAINRULE_INLINE_LAMBDA {
        return w - g * c.rate;
    });
}

template <class T, bool sklearn>
double update_momentum(const UpdateCall<T>& call, long begin, const T* gradient, long count) {
    const UpdateCall<T> c = call;
    return over_run<T>(c, begin, gradient, count, [&](long i, Vector<T> w, Vector<T> g, auto at) CHAINRULE_INLINE_LAMBDA {
        const Vector<T> share = sklearn ? g * -c.rate : g * c.gradient_share;
        const Vector<T> v = at.template get<T>(c.slots[0] + i) * c.momentum + share;
        at.template put<T>(c.slots[0] + i, v);
        const Vector<T> ahead = c.nesterov ? v * c.momentum + (sklearn ? share : g) : v;
        return sklearn ? w + ahead : w - ahead * c.rate;
    });
}

template <class T>
double update_adagrad(const UpdateCall<T>& call, long begin, const T* gradient, long count) {
    const UpdateCall<T> c = call;
    return over_run<T>(c, begin, gradient, count, [&](long i, Vector<T> w, Vector<T> g, auto at) CHAINRULE_INLINE_LAMBDA {
        const Vector<T> s = at.template get<T>(c.slots[0] + i) + g * g;
        at.template put<T>(c.slots[0] + i, s);
        return w - g * c.rate / (square_root<T>(s) + c.epsilon);
    });
}

template <class T>
double update_rmsprop(const UpdateCall<T>& call, long begin, const T* gradient, long count) {
    const UpdateCall<T> c = call;
    return over_run<T>(c, begin, gradient, count, [&](long i, Vector<T> w, Vector<T> g, auto at) CHAINRULE_INLINE_LAMBDA {
        const Vector<T> s = at.template get<T>(c.slots[0] + i) * c.beta2 + g * g * c.share2;
        at.template put<T>(c.slots[0] + i, s);
        Vector<T> variance = s;
        if (c.centered) {
            const Vector<T> m = at.template get<T>(c.slots[2] + i) * c.beta2 + g * c.share2;
            at.template put<T>(c.slots[2] + i, m);
            variance = s - m * m;
        }
        Vector<T> scaled = g / (square_root<T>(variance) + c.epsilon);
        if (c.momentum != 0) {
            scaled += at.template get<T>(c.slots[1] + i) * c.momentum;
            at.template put<T>(c.slots[1] + i, scaled);
        }
        return w - scaled * c.rate;
    });
}

template <class T>
double update_adam(const UpdateCall<T>& call, long begin, const T* gradient, long count) {
    const UpdateCall<T> c = call;
    return over_run<T>(c, begin, gradient, count, [&](long i, Vector<T> w, Vector<T> g, auto at) CHAINRULE_INLINE_LAMBDA {
        const Vector<T> m = at.template get<T>(c.slots[0] + i) * c.beta1 + g * c.share1;
        const Vector<T> s = at.template get<T>(c.slots[1] + i) * c.beta2 + g * g * c.share2;
        at.template put<T>(c.slots[0] + i, m);
        at.template put<T>(c.slots[1] + i, s);
        Vector<T> under_root = s;
        if (c.amsgrad) {
            const Vector<T> largest = at.template get<T>(c.slots[2] + i);
            under_root = maximum<T>(largest, s);
            at.template put<T>(c.slots[2] + i, under_root);
        }
        return w * c.shrink - m * c.rate / (square_root<T>(under_root) * c.root_factor + c.epsilon);
    });
}

template <class T>
double update(const UpdateCall<T>& call, long begin, const T* gradient, long count) {
    switch (call.kind) {
        case Update::sgd: return update_sgd<T>(call, begin, gradient, count);
        case Update::momentum_torch: return update_momentum<T, false>(call, begin, gradient, count);
        case Update::momentum_sklearn: return update_momentum<T, true>(call, begin, gradient, count);
        case Update::adagrad: return update_adagrad<T>(call, begin, gradient, count);
        case Update::rmsprop: return update_rmsprop<T>(call, begin, gradient, count);
        case Update::adam: return update_adam<T>(call, begin, gradient, count);
    }
    return 0;
}

template <class T>
void catch_up(const UpdateCall<T>* steps, long missed, long begin, const T* none, long count) {
    for (long k = 0; k < missed; ++k) update<T>(steps[k], begin, none, count);
}

}  // namespace chainrule::CHAINRULE_ISA
