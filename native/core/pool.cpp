#include "core/pool.h"

#include "core/denormals.h"

#include <pthread.h>
#include <sched.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

namespace chainrule {
namespace {

constexpr int thread_limit = 64;
constexpr double work_for_threads = 16e6;  // multiplications in a step from which sharing it out pays
using Clock = std::chrono::steady_clock;
constexpr auto patience = std::chrono::microseconds(100);  // of a thread that waits, before it sleeps

void relax() {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    asm volatile("yield");
#endif
}

// A call in one word, so that a thread claims a task of it, or learns that there is none, in a single step:
// the size of the team, the number of tasks, the next one.
struct Ticket {
    static constexpr int bits = 28;
    static constexpr long limit = 1L << bits;
    static uint64_t of(int team, long tasks) { return uint64_t(team) << 2 * bits | uint64_t(tasks) << bits; }
    explicit Ticket(uint64_t word)
        : team(int(word >> 2 * bits)), tasks(long(word >> bits) & (limit - 1)), next(long(word) & (limit - 1)) {}
    bool has_task_for(int thread) const { return thread < team && next < tasks; }
    int team;
    long tasks, next;
};

// What a thread waits for: for a short while awake, then asleep until it is called.
class Signal {
public:
    template <class F>
    void wait(F&& there) {
        const auto deadline = Clock::now() + patience;
        do {
            for (int spins = 0; spins < 50; ++spins) {
                if (there()) return;
                relax();
            }
        } while (Clock::now() < deadline);
        std::unique_lock<std::mutex> lock(mutex_);
        sleeping_.fetch_add(1);
        condition_.wait(lock, there);
        sleeping_.fetch_sub(1);
    }

    // After what they wait for was stored, sequentially consistent.
    void call() {
        if (sleeping_.load() == 0) return;
        std::lock_guard<std::mutex> lock(mutex_);
        condition_.notify_all();
    }

private:
    std::mutex mutex_;
    std::condition_variable condition_;
    std::atomic<int> sleeping_{0};
};

}  // namespace

class Pool {
public:
    // Called by the one who has the lease. There may be fewer where the system allows no more: the caller does their work.
    void grow(int workers) {
        try {
            while (int(threads_.size()) < workers) {
                const int thread = int(threads_.size()) + 1;
                threads_.emplace_back([this, thread] { work(thread); });
            }
        } catch (const std::exception&) {  // no more threads, or no memory for one
        }
    }

    void run(int team, long tasks, void (*function)(void*, long, int), void* context) {
        function_ = function;
        context_ = context;
        left_.store(tasks, std::memory_order_relaxed);
        ticket_.store(Ticket::of(team, tasks));
        called_.call();
        take_tasks(0);
        done_.wait([this] { return left_.load() == 0; });
    }

    std::atomic<bool> leased{false};
    std::atomic<int> calls{0};

private:
    void take_tasks(int thread) {
        uint64_t word = ticket_.load();
        for (Ticket open(word); open.has_task_for(thread); open = Ticket(word)) {
            if (!ticket_.compare_exchange_weak(word, word + 1)) continue;
            function_(context_, open.next, thread);
            if (left_.fetch_sub(1) == 1 && thread != 0) done_.call();
            word = ticket_.load();
        }
    }

    void work(int thread) {
        const FlushDenormals flush;
        for (;;) {
            called_.wait([&] { return Ticket(ticket_.load()).has_task_for(thread); });
            take_tasks(thread);
        }
    }

    std::vector<std::thread> threads_;
    Signal called_, done_;
    std::atomic<uint64_t> ticket_{0};
    std::atomic<long> left_{0};
    // Of the call at hand: whoever holds an unfinished task of it may read them.
    void (*function_)(void*, long, int) = nullptr;
    void* context_ = nullptr;
};

namespace {

// Made at the first use and never destroyed: workers sleep until the process ends. A forked child has none of the
// threads, so it forgets the pool and makes its own.
std::atomic<Pool*> pool{nullptr};
[[maybe_unused]] const int forgets_when_forked = pthread_atfork(nullptr, nullptr, [] { pool.store(nullptr); });

Pool* shared_pool() {
    Pool* shared = pool.load();
    if (shared) return shared;
    Pool* made = new Pool;
    if (pool.compare_exchange_strong(shared, made)) return made;
    delete made;
    return shared;
}

}  // namespace

int available_threads() {
    // Read once: while other threads may change the environment it can't be read safely.
    static const int wish = [] {
        const char* text = std::getenv("CHAINRULE_THREADS");
        return text ? std::atoi(text) : 0;
    }();
    if (wish >= 1) return std::min(wish, thread_limit);
#if defined(__linux__)
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) == 0) return std::min(CPU_COUNT(&set), thread_limit);
#endif
    return std::clamp(int(std::thread::hardware_concurrency()), 1, thread_limit);
}

Team::Team(int threads) : pool_(shared_pool()) {
    pool_->calls.fetch_add(1);
    if (threads <= 1 || pool_->leased.exchange(true)) return;
    size_ = std::min(threads, thread_limit);
    processors_ = available_threads();
    pool_->grow(size_ - 1);
}

Team::~Team() {
    if (!pool_) return;
    if (size_ > 1) pool_->leased.store(false);
    pool_->calls.fetch_sub(1);
}

int Team::wanted(int asked, double multiplications) {
    if (asked > 0) return asked;
    const double useful = multiplications / work_for_threads;
    if (useful < 2) return 1;
    const int share = std::max(available_threads() / (shared_pool()->calls.load() + 1), 1);
    return useful < share ? int(useful) : share;
}

void Team::run(long tasks, Function function, void* context) {
    // Calls that came later have their share too. After a fork the workers are another process's.
    const int calls = pool_->calls.load(std::memory_order_relaxed);
    const int team = calls == 1 ? size_ : std::min(size_, processors_ / calls);
    if (team > 1 && tasks < Ticket::limit && pool_ == pool.load()) return pool_->run(team, tasks, function, context);
    for (long task = 0; task < tasks; ++task) function(context, task, 0);
}

}  // namespace chainrule
