// What a call leaves for the next one with the same program.
#pragma once

#include <memory>
#include <mutex>
#include <utility>
#include <vector>

namespace chainrule {

// Threads may take and leave at once; what is taken belongs to the taker alone. A copy begins with nothing. Nobody waits:
// in a process that was forked while another thread had the lock it would be for ever.
class Leftovers {
public:
    Leftovers() = default;
    Leftovers(const Leftovers&) {}
    Leftovers& operator=(const Leftovers&) { return *this; }

    // Null where there is none. `kind` is an address that stands for what was left.
    std::shared_ptr<void> take(const void* kind) {
        const std::unique_lock<std::mutex> lock(mutex_, std::try_to_lock);
        if (!lock) return nullptr;
        for (auto& [left, thing] : left_)
            if (left == kind && thing) return std::move(thing);
        return nullptr;
    }

    void leave(const void* kind, std::shared_ptr<void> thing) {
        const std::unique_lock<std::mutex> lock(mutex_, std::try_to_lock);
        if (!lock) return;
        for (auto& [left, place] : left_)
            if (!place) {
                left = kind;
                place = std::move(thing);
                return;
            }
        if (left_.size() < most) left_.emplace_back(kind, std::move(thing));
    }

private:
    static constexpr size_t most = 4;
    std::mutex mutex_;
    std::vector<std::pair<const void*, std::shared_ptr<void>>> left_;
};

}  // namespace chainrule
