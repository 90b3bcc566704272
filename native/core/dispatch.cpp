#include "core/dispatch.h"

#include <atomic>
#include <cstdlib>
#include <stdexcept>

namespace chainrule {

#if defined(CHAINRULE_X86)
namespace avx512 {
extern const KernelSet kernel_set;
}
namespace avx2 {
extern const KernelSet kernel_set;
}
#endif
namespace baseline {
extern const KernelSet kernel_set;
}

namespace {

std::atomic<const KernelSet*> chosen{nullptr};

std::string listed(const std::vector<std::string>& names) {
    std::string text;
    for (const std::string& name : names) text += (text.empty() ? "" : ", ") + name;
    return text;
}

const KernelSet* find(const std::string& name) {
    for (const KernelSet& set : compiled_sets())
        if (name == set.name && set.runs_here()) return &set;
    throw std::invalid_argument("instruction set \"" + name + "\" doesn't run here; these do: " + listed(usable_sets()));
}

}  // namespace

const std::vector<KernelSet>& compiled_sets() {
    static const std::vector<KernelSet> sets = {
#if defined(CHAINRULE_X86)
        avx512::kernel_set, avx2::kernel_set,
#endif
        baseline::kernel_set};
    return sets;
}

std::vector<std::string> usable_sets() {
    std::vector<std::string> names;
    for (const KernelSet& set : compiled_sets())
        if (set.runs_here()) names.emplace_back(set.name);
    return names;
}

const KernelSet& current_set() {
    const KernelSet* set = chosen.load(std::memory_order_acquire);
    if (!set) {
        const char* wish = std::getenv("CHAINRULE_ISA");
        set = find(wish && *wish ? wish : usable_sets().front());
        chosen.store(set, std::memory_order_release);
    }
    return *set;
}

void use_set(const std::string& name) { chosen.store(find(name), std::memory_order_release); }

}  // namespace chainrule
