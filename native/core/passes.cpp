// The steps of a program one after the other: from the inputs to the outputs, and from the gradient by an output back.
#include "core/vitals.h"

namespace chainrule {

template <class T>
void Executor<T>::forward(const T* parameters, const T* state, const Place& place, Team& team, Updater<T>* updater) {
    Work<T> work{*this, team, parameters, state, nullptr, updater};
    work.place = place;
    for (size_t i = 0; i < program_.steps.size(); ++i) {
        work.index = i;
        if (plan_.steps[i].forward) program_.steps[i].kind->passes<T>().forward(work);
        if (vitals_) vitals_->look_forward(work);
    }
}

template <class T>
void Executor<T>::backward(const T* parameters, const T* state, T* gradient, Updater<T>* updater, Team& team) {
    Work<T> work{*this, team, parameters, state, gradient, updater};
    for (size_t i = program_.steps.size(); i-- > 0;) {
        if (!plan_.steps[i].backward) continue;
        const StepKind& kind = *program_.steps[i].kind;
        work.index = i;
        if (vitals_) vitals_->look_back(work);
        if (kind.passes<T>().backward) kind.passes<T>().backward(work);
        if (!kind.writes_d_inputs) hand_on(work);
    }
}

// Gives the delta of a step's output, worked on in place, to its inputs.
template <class T>
void Executor<T>::hand_on(const Work<T>& work) {
    const Step& step = work.step();
    const Matrix<T> out = work.d_output();
    long column = 0;
    for (size_t k = 0; k < step.inputs.size(); ++k) {
        const Matrix<T> in = work.d_input(k);
        const T* from = out.numbers + column;
        if (step.kind->width == Width::sum_of_inputs) column += in.width;
        if (!work.plan().wanted[k] || in.numbers == from) continue;
        auto pass = work.plan().first[k] ? kernels_.copy : kernels_.add;
        share_rows(work.team, stop_, rows_, in.width, [&](long begin, long end) {
            pass(from, out.stride, in.numbers, in.stride, in.width, begin, end);
        });
    }
}

template <class T>
void Executor<T>::follow_statistics(T* state, Team& team) {
    Work<T> work{*this, team, nullptr, state};
    for (size_t i = 0; i < program_.steps.size(); ++i) {
        const auto follow = program_.steps[i].kind->passes<T>().follow;
        work.index = i;
        if (follow && plan_.steps[i].runs) follow(work, state);
    }
}

#define CHAINRULE_INSTANTIATE(T)                                                                       \
    template void Executor<T>::forward(const T*, const T*, const Place&, Team&, Updater<T>*);          \
    template void Executor<T>::backward(const T*, const T*, T*, Updater<T>*, Team&);                   \
    template void Executor<T>::follow_statistics(T*, Team&);
CHAINRULE_INSTANTIATE(float)
CHAINRULE_INSTANTIATE(double)

}  // namespace chainrule
