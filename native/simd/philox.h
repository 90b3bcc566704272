// Philox4x32-10 (Salmon et al., SC 2011), as in random.py: words from a key and a counter, with no hidden state.
#pragma once

#include "core/kernels.h"
#include "simd/vector.h"

namespace chainrule::CHAINRULE_ISA {

constexpr int philox_blocks = 16;  // computed side by side
constexpr int philox_vectors = philox_blocks / long_lanes;

// The four words of the blocks first, first + 1, ...: word w of block v * long_lanes + i is the low half of c[w][v][i].
// (The high halves hold what is left of products; nothing reads them.)
CHAINRULE_INLINE void philox(uint64_t seed, uint32_t step, uint32_t layer, uint32_t member, uint32_t first,
                             Longs (&c)[4][philox_vectors]) {
    for (int v = 0; v < philox_vectors; ++v) {
        Longs block{};
        for (int i = 0; i < long_lanes; ++i) block[i] = first + uint32_t(v * long_lanes + i);
        c[0][v] = block;
        c[1][v] = Longs{} + step;
        c[2][v] = Longs{} + layer;
        c[3][v] = Longs{} + member;
    }
    const Longs multiplier0 = Longs{} + 0xD2511F53, multiplier1 = Longs{} + 0xCD9E8D57;
    uint32_t key0 = uint32_t(seed), key1 = uint32_t(seed >> 32);
    for (int round = 0; round < 10; ++round) {
#pragma GCC unroll 8
        for (int v = 0; v < philox_vectors; ++v) {
            const Longs product0 = product_of_low_halves(multiplier0, c[0][v]);
            const Longs product1 = product_of_low_halves(multiplier1, c[2][v]);
            c[0][v] = (product1 >> 32) ^ c[1][v] ^ uint64_t(key0);
            c[1][v] = product1;
            c[2][v] = (product0 >> 32) ^ c[3][v] ^ uint64_t(key1);
            c[3][v] = product0;
        }
        key0 += 0x9E3779B9;
        key1 += 0xBB67AE85;
    }
}

// The words of the blocks in the order of the stream, two and two: (0, 1), (2, 3) of the first block, and so on.
// `high_first`: as numbers, the first word being the higher half; otherwise as they lie in memory.
template <bool high_first>
CHAINRULE_INLINE void philox_pairs(uint64_t seed, uint32_t step, uint32_t layer, uint32_t member, uint32_t first,
                                   uint64_t (&pairs)[2 * philox_blocks]) {
    constexpr int upper = high_first ? 0 : 1, lower = 1 - upper;
    Longs c[4][philox_vectors];
    philox(seed, step, layer, member, first, c);
#pragma GCC unroll 8
    for (int v = 0; v < philox_vectors; ++v) {
        const Longs front = c[upper][v] << 32 | (c[lower][v] & 0xFFFFFFFF);
        const Longs back = c[2 + upper][v] << 32 | (c[2 + lower][v] & 0xFFFFFFFF);
        for (int i = 0; i < long_lanes; ++i) {
            pairs[2 * (v * long_lanes + i)] = front[i];
            pairs[2 * (v * long_lanes + i) + 1] = back[i];
        }
    }
}

// An element is kept when its word is at least the threshold; elements count through the rows of the batch.
template <class T>
void keep_factors(const DropoutCall& call, T kept, T* out, long stride, long row, long row_end) {
    uint64_t pairs[2 * philox_blocks];
    uint32_t words[4 * philox_blocks];
    constexpr uint64_t length = 4 * philox_blocks;
    uint64_t element = (call.first_row + uint64_t(row)) * uint64_t(call.columns), have = ~uint64_t(0);
    for (; row < row_end; ++row)
        for (long c = 0; c < call.columns;) {
            const uint64_t group = element / length, place = element % length;
            if (group != have) {
                philox_pairs<false>(call.seed, call.step, call.layer, call.member, uint32_t(group * philox_blocks), pairs);
                __builtin_memcpy(words, pairs, sizeof words);
                have = group;
            }
            const long left = call.columns - c, here = long(length - place), count = left < here ? left : here;
            T* to = out + row * stride + c;
            for (long i = 0; i < count; ++i) to[i] = words[place + uint64_t(i)] >= call.threshold ? kept : T(0);
            c += count;
            element += uint64_t(count);
        }
}

// Random 64-bit keys of a stream, two words each, the first one high.
inline void random_keys(uint64_t seed, uint32_t step, uint32_t stream, uint32_t member, uint64_t begin, uint64_t end,
                        uint64_t* out) {
    uint64_t keys[2 * philox_blocks];
    constexpr uint64_t length = 2 * philox_blocks;
    for (uint64_t i = begin; i < end;) {
        philox_pairs<true>(seed, step, stream, member, uint32_t(i / length * philox_blocks), keys);
        const uint64_t place = i % length, count = end - i < length - place ? end - i : length - place;
        __builtin_memcpy(out, keys + place, count * sizeof *keys);
        out += count;
        i += count;
    }
}

}  // namespace chainrule::CHAINRULE_ISA
