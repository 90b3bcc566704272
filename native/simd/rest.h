// A row of a table that was at rest makes up for the steps that it has missed: the formulas of updates.h, step by step, each
// vector of the row loaded and stored once.
#pragma once

#include "core/kernels.h"
#include "simd/updates.h"

namespace chainrule::CHAINRULE_ISA {

// each(parameter index, gradient of the first step that was missed, which has one if `first` says so, access) gives the new
// parameters.
template <class T, class F>
CHAINRULE_INLINE void over_row(const RestCall<T>& c, long row, F&& each) {
    const T scale = c.steps[c.missed[row]].gradient_scale;
    const long begin = c.begin + row * c.width;
    auto vector = [&](long i, auto at) CHAINRULE_INLINE_LAMBDA {
        const Vector<T> w = at.template get<T>(c.rule.parameters + i);
        const Vector<T> g = c.has_gradient[row] ? at.get(c.gradient + i) * scale : Vector<T>{};
        at.template put<T>(c.rule.parameters + i, each(i, w, g, at));
    };
    long i = begin;
    for (; i + lanes<T> <= begin + c.width; i += lanes<T>) vector(i, Whole{});
    if (i < begin + c.width) vector(i, Part{int(begin + c.width - i)});
}

template <class T>
void catch_up(const RestCall<T>& call, long row) {
    const RestCall<T> c = call;
    const uint32_t missed = c.missed[row];
    if (missed == c.until) return;
    const PassedStep<T>& first = c.steps[missed];
    if (c.rule.kind == Update::adam) {
        over_row<T>(c, row, [&](long i, Vector<T> w, Vector<T> g, auto at) CHAINRULE_INLINE_LAMBDA {
            Vector<T> m = at.template get<T>(c.rule.slots[0] + i), s = at.template get<T>(c.rule.slots[1] + i);
            for (uint32_t k = missed; k < c.until; ++k) {
                const PassedStep<T> step = c.steps[k];
                adam_means<T>(c.rule, g, m, s);
                w = adam_changed<T>(w, m, s, step.rate, step.root_factor, step.shrink, c.rule.epsilon);
                g = Vector<T>{};
            }
            at.template put<T>(c.rule.slots[0] + i, m);
            at.template put<T>(c.rule.slots[1] + i, s);
            return w;
        });
    } else if (c.has_gradient[row] && c.rule.kind == Update::adagrad) {  // steps without a gradient change nothing
        over_row<T>(c, row, [&](long i, Vector<T> w, Vector<T> g, auto at) CHAINRULE_INLINE_LAMBDA {
            const Vector<T> s = at.template get<T>(c.rule.slots[0] + i) + g * g;
            at.template put<T>(c.rule.slots[0] + i, s);
            return w - g * first.rate / (square_root<T>(s) + c.rule.epsilon);
        });
    } else if (c.has_gradient[row]) {
        over_row<T>(c, row, [&](long, Vector<T> w, Vector<T> g, auto) CHAINRULE_INLINE_LAMBDA { return w - g * first.rate; });
    }
    c.missed[row] = c.until;
    c.has_gradient[row] = 0;
}

}  // namespace chainrule::CHAINRULE_ISA
