// The Python module `chainrule._native`.
#include "bindings/arrays.h"

namespace {

namespace nb = nanobind;

// nanobind lists what is still held when Python has ended. A daemon thread never gets to let go of its model, for example
// where the main thread failed while another one trained: then nobody leaked anything.
void expect_what_daemons_hold() {
    const nb::list threads(nb::module_::import_("threading").attr("enumerate")());
    for (nb::handle thread : threads)
        if (nb::cast<bool>(thread.attr("daemon"))) return nb::set_leak_warnings(false);
}

}  // namespace

NB_MODULE(_native, m) {
    m.doc() = "The native core: whole epochs at the speed of the machine.";
    chainrule::init_machine(m);
    chainrule::init_program(m);
    nb::module_::import_("atexit").attr("register")(nb::cpp_function(&expect_what_daemons_hold));
}
