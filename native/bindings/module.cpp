// The Python module `chainrule._native`.
#include "bindings/arrays.h"

NB_MODULE(_native, m) {
    m.doc() = "The native core: whole epochs at the speed of the machine.";
    chainrule::init_machine(m);
    chainrule::init_program(m);
}
