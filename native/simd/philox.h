// Philox4x32-10 (Salmon et al., SC 2011), as in random.py: words from a key and a counter, with no hidden state.
#pragma once

#include "core/kernels.h"
#include "simd/vector.h"

namespace chainrule::CHAINRULE_ISA {

constexpr int philox_blocks = 16;  // computed side by side, so that the compiler uses vectors

// The four words of the blocks first, first + 1, ..., in the order of the stream.
inline void philox(uint64_t seed, uint32_t step, uint32_t layer, uint32_t member, uint32_t first,
                   uint32_t (&words)[4 * philox_blocks]) {
    uint32_t c0[philox_blocks], c1[philox_blocks], c2[philox_blocks], c3[philox_blocks];
    for (int i = 0; i < philox_blocks; ++i) {
        c0[i] = first + uint32_t(i);
        c1[i] = step;
        c2[i] = layer;
        c3[i] = member;
    }
    uint32_t key0 = uint32_t(seed), key1 = uint32_t(seed >> 32);
    for (int round = 0; round < 10; ++round) {
        for (int i = 0; i < philox_blocks; ++i) {
            const uint64_t product0 = uint64_t(0xD2511F53) * c0[i], product1 = uint64_t(0xCD9E8D57) * c2[i];
            c0[i] = uint32_t(product1 >> 32) ^ c1[i] ^ key0;
            c1[i] = uint32_t(product1);
            c2[i] = uint32_t(product0 >> 32) ^ c3[i] ^ key1;
            c3[i] = uint32_t(product0);
        }
        key0 += 0x9E3779B9;
        key1 += 0xBB67AE85;
    }
    for (int i = 0; i < philox_blocks; ++i) {
        words[4 * i] = c0[i];
        words[4 * i + 1] = c1[i];
        words[4 * i + 2] = c2[i];
        words[4 * i + 3] = c3[i];
    }
}

// An element is kept when its word is at least the threshold; elements count through the rows of the batch.
template <class T>
void keep_factors(const DropoutCall& call, T kept, T* out, long stride, long row, long row_end) {
    uint32_t words[4 * philox_blocks];
    constexpr uint64_t length = 4 * philox_blocks;
    uint64_t element = uint64_t(row) * uint64_t(call.columns), have = ~uint64_t(0);
    for (; row < row_end; ++row)
        for (long c = 0; c < call.columns;) {
            const uint64_t group = element / length, place = element % length;
            if (group != have) {
                philox(call.seed, call.step, call.layer, call.member, uint32_t(group * philox_blocks), words);
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
    uint32_t words[4 * philox_blocks];
    constexpr uint64_t length = 2 * philox_blocks;
    for (uint64_t i = begin; i < end;) {
        philox(seed, step, stream, member, uint32_t(i / length * philox_blocks), words);
        for (uint64_t place = i % length; place < length && i < end; ++place, ++i)
            *out++ = uint64_t(words[2 * place]) << 32 | words[2 * place + 1];
    }
}

}  // namespace chainrule::CHAINRULE_ISA
