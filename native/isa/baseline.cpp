// What every processor of the architecture has: SSE2 on x86-64, NEON on AArch64, plain code elsewhere.
#define CHAINRULE_ISA baseline
#define CHAINRULE_VECTOR_BYTES 16

#include "simd/table.h"

namespace chainrule::baseline {

namespace {
constexpr Kernels<float> float32 = table<float>();
constexpr Kernels<double> float64 = table<double>();
bool runs_here() { return true; }
}  // namespace

extern const KernelSet kernel_set;
const KernelSet kernel_set = {"baseline", runs_here, &float32, &float64, random_keys};

}  // namespace chainrule::baseline
