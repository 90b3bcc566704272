// Instruction sets, threads, row orders.
#include "bindings/arrays.h"
#include "bindings/gil.h"
#include "core/dispatch.h"
#include "core/permutation.h"

namespace chainrule {

void init_machine(nb::module_& m) {
    m.def(
        "instruction_sets",
        [] {
            nb::list names;
            for (const std::string& name : usable_sets()) names.append(nb::str(name.c_str()));
            return names;
        },
        nb::sig("def instruction_sets() -> list[str]"), "The instruction sets that run here, best first.");
    m.def(
        "instruction_set", [] { return nb::str(current_set().name); }, "The instruction set in use.");
    m.def(
        "use_instruction_set", [](nb::str name) { use_set(name.c_str()); }, nb::arg("name"), "Use another one from now on.");
    m.def("available_threads", &available_threads, "How many threads a call may use.");
    m.def(
        "permutation",
        [](uint64_t seed, uint32_t epoch, uint32_t stream, uint32_t member, const Writable& out) {
            int64_t* order = numbers_of<int64_t>(out, "out", int64_t(out.size()));
            const int64_t n = int64_t(out.size());
            const Unlocked unlocked;
            permutation(n, seed, epoch, stream, member, order);
        },
        nb::arg("seed"), nb::arg("epoch"), nb::arg("stream"), nb::arg("member"), nb::arg("out"),
        nb::sig("def permutation(seed: int, epoch: int, stream: int, member: int, out: numpy.typing.NDArray[numpy.int64]) -> None"),
        "Fill `out` with the random row order of an epoch.");
    m.def(
        "random_keys",
        [](uint64_t seed, uint32_t step, uint32_t stream, uint32_t member, uint64_t begin, const Writable& out) {
            uint64_t* keys = numbers_of<uint64_t>(out, "out", int64_t(out.size()));
            const uint64_t end = begin + out.size();
            const Unlocked unlocked;
            current_set().random_keys(seed, step, stream, member, begin, end, keys);
        },
        nb::arg("seed"), nb::arg("step"), nb::arg("stream"), nb::arg("member"), nb::arg("begin"), nb::arg("out"),
        nb::sig("def random_keys(seed: int, step: int, stream: int, member: int, begin: int, out: numpy.typing.NDArray[numpy.uint64]) -> None"),
        "Fill `out` with the random 64-bit numbers of a stream from number `begin` on.");
}

}  // namespace chainrule
