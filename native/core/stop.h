// Whether a call is to end before it is done: Ctrl-C, or a limit of time.
#pragma once

#include <atomic>
#include <chrono>
#include <thread>

#include "core/denormals.h"

namespace chainrule {

// Every thread of a call may look, often; only the one that made the call asks outside, every 50 ms.
class Stop {
public:
    Stop(bool (*ask)(void*), void* context) : ask_(ask), context_(context) {}

    bool now() {
        if (said()) return true;
        if (std::this_thread::get_id() != caller_) return false;
        const auto time = Clock::now();
        if (asked_ == Clock::time_point{}) asked_ = time;
        if (time - asked_ < std::chrono::milliseconds(50)) return false;
        const AllowDenormals others_code_runs;
        if (ask_(context_)) said_.store(true, std::memory_order_relaxed);
        asked_ = Clock::now();
        return said();
    }

    // Whether an earlier look found that it is: from then on everybody leaves work undone.
    bool said() const { return said_.load(std::memory_order_relaxed); }

private:
    using Clock = std::chrono::steady_clock;
    bool (*ask_)(void*);
    void* context_;
    const std::thread::id caller_ = std::this_thread::get_id();
    Clock::time_point asked_{};  // by the caller
    std::atomic<bool> said_{false};
};

}  // namespace chainrule
