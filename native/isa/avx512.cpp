// AVX-512 (F, DQ, BW, VL): compiled with -mavx512f and the rest, run only where the processor says that it has them.
#define CHAINRULE_ISA avx512
#define CHAINRULE_VECTOR_BYTES 64

#include "simd/table.h"

namespace chainrule::avx512 {

namespace {
constexpr Kernels<float> float32 = table<float>();
constexpr Kernels<double> float64 = table<double>();
bool runs_here() {
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
           __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl");
}
}  // namespace

extern const KernelSet kernel_set;
const KernelSet kernel_set = {"avx512", runs_here, &float32, &float64, random_keys};

}  // namespace chainrule::avx512
