// Which instruction set runs: the best that the processor has, or a lower one that CHAINRULE_ISA asks for.
#pragma once

#include <string>
#include <vector>

#include "core/kernels.h"

namespace chainrule {

// The sets that were compiled in, best first.
const std::vector<KernelSet>& compiled_sets();

// The names of those that this processor runs, best first.
std::vector<std::string> usable_sets();

// The set in use: chosen at the first call. Throws std::invalid_argument if CHAINRULE_ISA names none that runs here.
const KernelSet& current_set();

// Takes another set from now on, for tests.
void use_set(const std::string& name);

template <class T>
const Kernels<T>& kernels_of(const KernelSet& set) {
    if constexpr (sizeof(T) == 4) return *set.float32;
    else return *set.float64;
}

}  // namespace chainrule
