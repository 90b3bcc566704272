// Python's lock, given away while the core works and taken back. When Python ends it takes threads that want the lock out
// by unwinding them, which no destructor survives, nor others who work on what lies on the stack: such a thread waits
// here until the process is over, as newer versions of Python have it themselves.
#pragma once

#include <nanobind/nanobind.h>

#include <unistd.h>

#if defined(__GLIBCXX__)
#include <cxxabi.h>
#endif

namespace chainrule {

// call(), from which the thread may be taken out.
template <class F>
auto or_wait_for_the_end(F&& call) {
#if defined(__GLIBCXX__)
    try {
        return call();
    } catch (const abi::__forced_unwind&) {
        for (;;) pause();
    }
#else
    return call();
#endif
}

// The lock belongs to others while this lives.
class Unlocked {
public:
    Unlocked() : thread_(PyEval_SaveThread()) {}
    ~Unlocked() { take_back(); }
    Unlocked(const Unlocked&) = delete;
    Unlocked& operator=(const Unlocked&) = delete;

    // Something to do with the lock, on the thread that gave it away.
    template <class F>
    auto locked(F&& f) {
        take_back();
        struct Again {
            PyThreadState*& thread;
            ~Again() { thread = PyEval_SaveThread(); }
        } again{thread_};
        return or_wait_for_the_end(f);
    }

private:
    void take_back() {
        or_wait_for_the_end([&] { PyEval_RestoreThread(thread_); });
    }

    PyThreadState* thread_;
};

}  // namespace chainrule
