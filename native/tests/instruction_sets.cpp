// Prints the names of the instruction sets that run here, for loops over them.
#include <cstdio>

#include "core/dispatch.h"

int main() {
    for (const std::string& name : chainrule::usable_sets()) std::puts(name.c_str());
}
