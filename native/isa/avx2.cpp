// AVX2 with FMA.
#define CHAINRULE_ISA avx2
#define CHAINRULE_VECTOR_BYTES 32

#include "simd/table.h"

namespace chainrule::avx2 {

namespace {
constexpr Kernels<float> float32 = table<float>();
constexpr Kernels<double> float64 = table<double>();
bool runs_here() { return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"); }
}  // namespace

extern const KernelSet kernel_set;
const KernelSet kernel_set = {"avx2", runs_here, &float32, &float64, random_keys};

}  // namespace chainrule::avx2
