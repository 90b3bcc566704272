// The random row order of random.py: row numbers sorted by a random 64-bit key.
#pragma once

#include <cstdint>

namespace chainrule {

// Throws std::invalid_argument if there are more rows than the stream has keys for.
void permutation(int64_t n, uint64_t seed, uint32_t epoch, uint32_t stream, uint32_t member, int64_t* order);

}  // namespace chainrule
