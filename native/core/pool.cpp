#include "core/pool.h"

#include "core/denormals.h"

#include <pthread.h>
#include <sched.h>

#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <mutex>
#include <thread>
#include <vector>

namespace chainrule {
namespace {

constexpr int thread_limit = 64;
using Clock = std::chrono::steady_clock;
constexpr auto patience = std::chrono::microseconds(100);  // how long a worker spins before it sleeps

void relax() {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    asm volatile("yield");
#endif
}

class Pool {
public:
    // Called by the one who has the lease.
    void grow(int workers) {
        while (int(threads_.size()) < workers) {
            const int thread = int(threads_.size()) + 1;
            threads_.emplace_back([this, thread] { work(thread); });
        }
    }

    void run(int team, long tasks, void (*function)(void*, long, int), void* context) {
        function_ = function;
        context_ = context;
        tasks_ = tasks;
        next_.store(0, std::memory_order_relaxed);
        running_.store(team - 1, std::memory_order_relaxed);
        const uint64_t round = call_.load(std::memory_order_relaxed) / team_limit + 1;
        call_.store(round * team_limit + uint64_t(team), std::memory_order_seq_cst);
        if (sleeping_.load(std::memory_order_seq_cst) > 0) {
            std::lock_guard<std::mutex> lock(mutex_);
            wake_.notify_all();
        }
        take_tasks(0);
        for (int spins = 0; running_.load(std::memory_order_acquire) > 0; ++spins) {
            if (spins < 2000) relax();
            else sched_yield();
        }
    }

    std::atomic<bool> leased{false};

private:
    void take_tasks(int thread) {
        for (long task = next_.fetch_add(1, std::memory_order_relaxed); task < tasks_;
             task = next_.fetch_add(1, std::memory_order_relaxed))
            function_(context_, task, thread);
    }

    void work(int thread) {
        const FlushDenormals flush;
        uint64_t seen = 0;
        for (;;) {
            seen = wait_for_call(seen);
            if (uint64_t(thread) >= seen % team_limit) continue;  // not of this team
            take_tasks(thread);
            running_.fetch_sub(1, std::memory_order_release);
        }
    }

    uint64_t wait_for_call(uint64_t seen) {
        const auto deadline = Clock::now() + patience;
        while (Clock::now() < deadline)
            for (int spins = 0; spins < 200; ++spins) {
                const uint64_t call = call_.load(std::memory_order_acquire);
                if (call != seen) return call;
                relax();
            }
        std::unique_lock<std::mutex> lock(mutex_);
        sleeping_.fetch_add(1, std::memory_order_seq_cst);
        wake_.wait(lock, [&] { return call_.load(std::memory_order_seq_cst) != seen; });
        sleeping_.fetch_sub(1, std::memory_order_seq_cst);
        return call_.load(std::memory_order_acquire);
    }

    static constexpr uint64_t team_limit = 256;
    std::vector<std::thread> threads_;
    std::mutex mutex_;
    std::condition_variable wake_;
    std::atomic<uint64_t> call_{0};  // the number of the call, and the size of its team
    std::atomic<int> sleeping_{0}, running_{0};
    std::atomic<long> next_{0};
    void (*function_)(void*, long, int) = nullptr;
    void* context_ = nullptr;
    long tasks_ = 0;
};

// Made at the first use and never destroyed: workers sleep until the process ends. A forked child has none of the
// threads, so it forgets the pool and makes its own.
std::atomic<Pool*> pool{nullptr};
std::mutex making;
std::atomic<int> calls{0};

void forget_pool() {
    pool.store(nullptr);
    calls.store(0);
    new (&making) std::mutex;
}

Pool* shared_pool() {
    Pool* made = pool.load(std::memory_order_acquire);
    if (made) return made;
    std::lock_guard<std::mutex> lock(making);
    made = pool.load(std::memory_order_acquire);
    if (made) return made;
    static std::once_flag once;
    std::call_once(once, [] { pthread_atfork(nullptr, nullptr, forget_pool); });
    made = new Pool;
    pool.store(made, std::memory_order_release);
    return made;
}

}  // namespace

int available_threads() {
    if (const char* wish = std::getenv("CHAINRULE_THREADS")) {
        const int threads = std::atoi(wish);
        if (threads >= 1) return threads > thread_limit ? thread_limit : threads;
    }
#if defined(__linux__)
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) == 0) return CPU_COUNT(&set);
#endif
    const int processors = int(std::thread::hardware_concurrency());
    return processors > 0 ? processors : 1;
}

Team::Team(int threads) {
    calls.fetch_add(1);
    if (threads > thread_limit) threads = thread_limit;
    if (threads <= 1) return;
    Pool* shared = shared_pool();
    bool free = false;
    if (!shared->leased.compare_exchange_strong(free, true)) return;
    shared->grow(threads - 1);
    size_ = threads;
}

Team::~Team() {
    if (size_ > 1) shared_pool()->leased.store(false);
    calls.fetch_sub(1);
}

int Team::fair_share() {
    const int share = available_threads() / (calls.load() + 1);
    return share < 1 ? 1 : share;
}

void Team::run(long tasks, Function function, void* context) {
    shared_pool()->run(size_, tasks, function, context);
}

}  // namespace chainrule
