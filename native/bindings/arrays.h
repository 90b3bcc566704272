// NumPy arrays as the core takes them: checked for type, size and layout, with messages that name the array.
#pragma once

#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>

#include <stdexcept>
#include <string>

#include "core/evaluator.h"
#include "core/trainer.h"

namespace chainrule {

namespace nb = nanobind;

using Readable = nb::ndarray<nb::ro, nb::device::cpu>;
using Writable = nb::ndarray<nb::device::cpu>;

template <class A>
inline std::string shape_text(const A& array) {
    std::string text = "(";
    for (size_t i = 0; i < array.ndim(); ++i) text += (i ? ", " : "") + std::to_string(array.shape(i));
    return text + ")";
}

template <class A>
inline bool contiguous(const A& array) {
    if (array.size() == 0) return true;
    int64_t expected = 1;
    for (size_t i = array.ndim(); i-- > 0;) {
        if (array.shape(i) != 1 && array.stride(i) != expected) return false;
        expected *= int64_t(array.shape(i));
    }
    return true;
}

// The numbers of an array that must hold `count` of them, `rows` in the first axis unless that is negative.
template <class T, class A>
auto* numbers_of(const A& array, const std::string& name, int64_t count, int64_t rows = -1) {
    if (array.dtype() != nb::dtype<T>()) throw std::invalid_argument(name + " has the wrong type of numbers");
    if (!contiguous(array)) throw std::invalid_argument(name + " isn't C-contiguous");
    if (reinterpret_cast<uintptr_t>(array.data()) % alignof(T) != 0)
        throw std::invalid_argument(name + " doesn't begin where its type of numbers may");
    const bool fits = int64_t(array.size()) == count && (rows < 0 || (array.ndim() > 0 && int64_t(array.shape(0)) == rows));
    if (!fits)
        throw std::invalid_argument(name + " has the shape " + shape_text(array) + "; " + std::to_string(count) +
                                    " numbers" + (rows < 0 ? "" : " in " + std::to_string(rows) + " rows") + " were expected");
    using Pointer = std::conditional_t<std::is_same_v<A, Writable>, T, const T>;
    return static_cast<Pointer*>(array.data());
}

void init_program(nb::module_& m);
void init_running(nb::class_<Program>& program);
void init_machine(nb::module_& m);

}  // namespace chainrule
