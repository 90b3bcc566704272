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

template <class T, class F>
CHAINRULE_INLINE void over_run(long i, long end, F&& each) {
    for (; i + lanes<T> <= end; i += lanes<T>) each(i, Whole{});
    if (i < end) each(i, Part{int(end - i)});
}

template <class T, class Access>
CHAINRULE_INLINE Vector<T> effective_gradient(const UpdateCall<T>& c, Access at, long i, Vector<T> w) {
    return at.get(c.gradient + i) * c.gradient_scale + w * c.weight_decay;
}

template <class T>
void update_sgd(const UpdateCall<T>& call, long begin, long end) {
    const UpdateCall<T> c = call;
    over_run<T>(begin, end, [&](long i, auto at) CHAINRULE_INLINE_LAMBDA {
        const Vector<T> w = at.template get<T>(c.parameters + i), g = effective_gradient<T>(c, at, i, w);
        at.template put<T>(c.parameters + i, w - g * c.rate);
    });
}

template <class T, bool sklearn>
void update_momentum(const UpdateCall<T>& call, long begin, long end) {
    const UpdateCall<T> c = call;
    over_run<T>(begin, end, [&](long i, auto at) CHAINRULE_INLINE_LAMBDA {
        const Vector<T> w = at.template get<T>(c.parameters + i), g = effective_gradient<T>(c, at, i, w);
        const Vector<T> share = sklearn ? g * -c.rate : g * c.gradient_share;
        const Vector<T> v = at.template get<T>(c.slots[0] + i) * c.momentum + share;
        at.template put<T>(c.slots[0] + i, v);
        const Vector<T> ahead = c.nesterov ? v * c.momentum + (sklearn ? share : g) : v;
        at.template put<T>(c.parameters + i, sklearn ? w + ahead : w - ahead * c.rate);
    });
}

template <class T>
void update_adagrad(const UpdateCall<T>& call, long begin, long end) {
    const UpdateCall<T> c = call;
    over_run<T>(begin, end, [&](long i, auto at) CHAINRULE_INLINE_LAMBDA {
        const Vector<T> w = at.template get<T>(c.parameters + i), g = effective_gradient<T>(c, at, i, w);
        const Vector<T> s = at.template get<T>(c.slots[0] + i) + g * g;
        at.template put<T>(c.slots[0] + i, s);
        at.template put<T>(c.parameters + i, w - g * c.rate / (square_root<T>(s) + c.epsilon));
    });
}

template <class T>
void update_rmsprop(const UpdateCall<T>& call, long begin, long end) {
    const UpdateCall<T> c = call;
    over_run<T>(begin, end, [&](long i, auto at) CHAINRULE_INLINE_LAMBDA {
        const Vector<T> w = at.template get<T>(c.parameters + i), g = effective_gradient<T>(c, at, i, w);
        const Vector<T> s = at.template get<T>(c.slots[0] + i) * c.beta2 + g * g * (1 - c.beta2);
        at.template put<T>(c.slots[0] + i, s);
        Vector<T> variance = s;
        if (c.centered) {
            const Vector<T> m = at.template get<T>(c.slots[2] + i) * c.beta2 + g * (1 - c.beta2);
            at.template put<T>(c.slots[2] + i, m);
            variance = s - m * m;
        }
        Vector<T> scaled = g / (square_root<T>(variance) + c.epsilon);
        if (c.momentum != 0) {
            scaled += at.template get<T>(c.slots[1] + i) * c.momentum;
            at.template put<T>(c.slots[1] + i, scaled);
        }
        at.template put<T>(c.parameters + i, w - scaled * c.rate);
    });
}

template <class T>
void update_adam(const UpdateCall<T>& call, long begin, long end) {
    const UpdateCall<T> c = call;
    over_run<T>(begin, end, [&](long i, auto at) CHAINRULE_INLINE_LAMBDA {
        const Vector<T> w = at.template get<T>(c.parameters + i) * c.shrink, g = effective_gradient<T>(c, at, i, w);
        const Vector<T> m = at.template get<T>(c.slots[0] + i) * c.beta1 + g * (1 - c.beta1);
        const Vector<T> s = at.template get<T>(c.slots[1] + i) * c.beta2 + g * g * (1 - c.beta2);
        at.template put<T>(c.slots[0] + i, m);
        at.template put<T>(c.slots[1] + i, s);
        Vector<T> under_root = s;
        if (c.amsgrad) {
            const Vector<T> largest = at.template get<T>(c.slots[2] + i);
            under_root = largest > s ? largest : s;
            at.template put<T>(c.slots[2] + i, under_root);
        }
        const Vector<T> root = square_root<T>(under_root) * c.root_factor + c.epsilon;
        at.template put<T>(c.parameters + i, w - m * c.rate / root);
    });
}

template <class T>
void update(const UpdateCall<T>& call, long begin, long end) {
    switch (call.kind) {
        case Update::sgd: return update_sgd<T>(call, begin, end);
        case Update::momentum_torch: return update_momentum<T, false>(call, begin, end);
        case Update::momentum_sklearn: return update_momentum<T, true>(call, begin, end);
        case Update::adagrad: return update_adagrad<T>(call, begin, end);
        case Update::rmsprop: return update_rmsprop<T>(call, begin, end);
        case Update::adam: return update_adam<T>(call, begin, end);
    }
}

}  // namespace chainrule::CHAINRULE_ISA
