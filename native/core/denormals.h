// While the core computes, numbers too small to be normal count as zero: a moment that decays for ever ends among them,
// where some processors are a hundred times slower. Code of others that it calls finds things as they were.
#pragma once

#include <cstdint>

#if defined(__SSE2__)
#include <xmmintrin.h>
#endif

namespace chainrule {

class DenormalMode {
public:
    DenormalMode(const DenormalMode&) = delete;
    DenormalMode& operator=(const DenormalMode&) = delete;

protected:
#if defined(__SSE2__)
    explicit DenormalMode(bool flush) : before_(_mm_getcsr()) {
        constexpr unsigned bits = 0x8040;  // flush to zero, denormals are zero
        _mm_setcsr(flush ? before_ | bits : before_ & ~bits);
    }
    ~DenormalMode() { _mm_setcsr(before_); }

private:
    unsigned before_;
#elif defined(__aarch64__)
    explicit DenormalMode(bool flush) {
        constexpr uint64_t bit = uint64_t(1) << 24;
        asm volatile("mrs %0, fpcr" : "=r"(before_));
        asm volatile("msr fpcr, %0" : : "r"(flush ? before_ | bit : before_ & ~bit));
    }
    ~DenormalMode() { asm volatile("msr fpcr, %0" : : "r"(before_)); }

private:
    uint64_t before_;
#else
    explicit DenormalMode(bool) {}
    ~DenormalMode() {}
#endif
};

struct FlushDenormals : DenormalMode {
    FlushDenormals() : DenormalMode(true) {}
};

struct AllowDenormals : DenormalMode {
    AllowDenormals() : DenormalMode(false) {}
};

}  // namespace chainrule
