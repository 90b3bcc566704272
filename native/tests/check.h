// The whole test framework: a condition that must hold, and every usable instruction set in turn.
#pragma once

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <string>
#include <vector>

#include "core/dispatch.h"

#define CHECK(condition, ...)                                               \
    do {                                                                    \
        if (!(condition)) {                                                 \
            std::printf("%s:%d: %s fails: ", __FILE__, __LINE__, #condition); \
            std::printf(__VA_ARGS__);                                       \
            std::printf("\n");                                              \
            std::exit(1);                                                   \
        }                                                                   \
    } while (false)

namespace chainrule {

template <class F>
void on_every_set(F&& test) {
    for (const std::string& name : usable_sets()) {
        use_set(name);
        test(name);
        std::printf("%s: passed\n", name.c_str());
    }
}

template <class T>
std::vector<T> random_numbers(size_t count, unsigned seed) {
    std::mt19937 random(seed);
    std::uniform_real_distribution<double> uniform(-1, 1);
    std::vector<T> numbers(count);
    for (T& x : numbers) x = T(uniform(random));
    return numbers;
}

}  // namespace chainrule
