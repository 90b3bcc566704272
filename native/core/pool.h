// A small pool of threads that stays alive between calls, and the team that one call leases from it.
#pragma once

#include <type_traits>

namespace chainrule {

class Pool;

// How many threads may be used: CHAINRULE_THREADS, or the processors that this process may run on.
int available_threads();

// The threads of one call: tasks are shared out among them, each task done by exactly one thread. The caller takes tasks
// like the others and waits only for tasks that somebody has begun, so a thread that isn't scheduled holds up nothing.
// A result never depends on which thread did what, so never on how many there are.
class Team {
public:
    // The caller alone, inside of another team's task.
    Team() = default;
    // `threads` of them, or the caller alone where another call has the pool.
    explicit Team(int threads);
    ~Team();
    Team(const Team&) = delete;
    Team& operator=(const Team&) = delete;

    int size() const { return size_; }

    // How many threads a further call should take: what it was asked to (unless that is 0), or what its work is worth
    // when calls that run at once share the processors.
    static int wanted(int asked, double multiplications);

    // each(task, thread) for every task in [0, tasks). No task may throw: there would be nobody to catch it.
    template <class F>
    void share(long tasks, F&& each) {
        if (size_ == 1 || tasks <= 1) {
            for (long task = 0; task < tasks; ++task) each(task, 0);
            return;
        }
        using Each = std::remove_reference_t<F>;
        run(tasks, [](void* context, long task, int thread) { (*static_cast<Each*>(context))(task, thread); },
            const_cast<void*>(static_cast<const void*>(&each)));
    }

private:
    using Function = void (*)(void* context, long task, int thread);
    void run(long tasks, Function function, void* context);

    Pool* pool_ = nullptr;  // where this call is counted
    int size_ = 1;
    int processors_ = 1;
};

}  // namespace chainrule
