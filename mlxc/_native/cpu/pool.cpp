#include "pool.h"

#include <pthread.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <mutex>
#include <system_error>
#include <thread>
#include <vector>

namespace mlxc::cpu {
namespace {

// Whether this thread is running a part.
thread_local bool in_part = false;

struct Job {
  std::size_t count;
  Part part;
  void* context;
  std::atomic<std::size_t> next{0};

  void work() {
    work([] { return false; });
  }

  template <class Over>
  void work(Over over) {
    bool outer = in_part;
    in_part = true;
    for (std::size_t i; !over() && (i = next.fetch_add(1, std::memory_order_relaxed)) < count;) {
      part(context, i);
    }
    in_part = outer;
  }
};

void relax() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

// Spins until `over()`, giving way to threads that have work to do, for at most this long.
template <class Over>
bool spin(std::chrono::microseconds most, Over over) {
  using clock = std::chrono::steady_clock;
  if (over()) {
    return true;
  }
  auto until = clock::now() + most;
  do {
    for (int i = 0; i < 50; i++) {
      if (over()) {
        return true;
      }
      relax();
    }
    std::this_thread::yield();
  } while (clock::now() < until);
  return false;
}

// Between the kernels of a step lie some microseconds: staying awake that long saves a wake-up,
// which costs about 50. Longer than that it would take the core from whoever needs it.
constexpr std::chrono::microseconds PATIENCE{60};

// How long a worker keeps away from a thread that helped: while a model writes, it comes back.
constexpr std::chrono::milliseconds ABSENCE{2};

// Never destroyed: its threads outlive every static destructor. Each of the pairs of "say, then
// look" between two threads below needs sequential consistency, which is the default.
class Pool {
 public:
  std::mutex turn; // one job at a time; held for what follows

  int limit() const {
    return limit_.load(std::memory_order_relaxed);
  }

  void set_limit(int limit) {
    limit_ = limit;
    places_changed();
  }

  // Returns how many threads there are, the caller among them: `count` or more unless the system
  // has no more to give.
  int start(int count) {
    try {
      for (; started_ < count; started_++) {
        std::thread([this, index = started_, seen = published_.load()] {
          serve(index, seen);
        }).detach();
      }
    } catch (const std::system_error&) {
    }
    return started_;
  }

  // Has each worker in its place, and no thread in that of one, until `fill` is over.
  template <class Fill>
  void with_workers(Fill&& fill) {
    Helper before = helper_.exchange(Helper::refused);
    if (before == Helper::inside || before == Helper::away) {
      places_changed();
    }
    fill();
    helper_ = Helper::none;
  }

  template <class Over>
  void help(Over over) {
    auto before = Helper::none;
    if (limit_ < 2 ||
        (!helper_.compare_exchange_strong(before, Helper::inside) &&
         (before != Helper::away || !helper_.compare_exchange_strong(before, Helper::inside)))) {
      return;
    }
    auto seen = published_ - 1;
    while (helper_ == Helper::inside &&
           spin(PATIENCE, [&] { return published_ != seen || over(); }) && !over()) {
      seen = published_;
      take_part(over); // the job may be another stream's, and long
    }
    back_by_ = (clock::now() + ABSENCE).time_since_epoch().count();
    before = Helper::inside;
    if (over()) {
      helper_.compare_exchange_strong(before, Helper::away);
    } else if (helper_.compare_exchange_strong(before, Helper::none)) {
      places_changed();
    }
  }

  void run(Job& work) {
    give_up_on_helper();
    job_ = &work;
    published_++;
    wake(work.count - 1);
    work.work();
    job_ = nullptr;
    // A worker that lost its core gets this one when it is free, not when it is busy waiting.
    while (!spin(PATIENCE, [this] { return inside_ == 0; })) {
      caller_sleeps_ = true;
      for (int workers; (workers = inside_) != 0;) {
        inside_.wait(workers);
      }
      caller_sleeps_ = false;
    }
  }

 private:
  std::atomic<Job*> job_{nullptr};
  std::atomic<std::uint32_t> published_{0}; // jobs so far
  std::atomic<int> inside_{0}; // workers that may be looking at the job
  std::atomic<int> asleep_{0}; // workers that wait for `published_`
  std::atomic<bool> caller_sleeps_{false};
  std::atomic<int> limit_{1};
  int started_ = 1;

  using clock = std::chrono::steady_clock;
  enum class Helper { none, inside, away, refused }; // inside and away it has the last worker's place
  std::atomic<Helper> helper_{Helper::none};
  std::atomic<clock::rep> back_by_{0};
  std::atomic<std::uint32_t> changes_{0}; // of the number of places

  // How many threads have a place, the caller of a job among them.
  int places() const {
    Helper helper = helper_;
    return limit_ - (helper == Helper::inside || helper == Helper::away);
  }

  void places_changed() {
    changes_++;
    changes_.notify_all();
  }

  void give_up_on_helper() {
    auto away = Helper::away;
    if (helper_.load(std::memory_order_relaxed) == away &&
        clock::now().time_since_epoch().count() > back_by_ &&
        helper_.compare_exchange_strong(away, Helper::none)) {
      places_changed();
    }
  }

  // As many of the sleeping workers as a job can employ.
  void wake(std::size_t most) {
    std::size_t asleep = static_cast<std::size_t>(asleep_);
    if (asleep && asleep <= most) {
      published_.notify_all();
    } else if (asleep) {
      for (std::size_t i = 0; i < most; i++) {
        published_.notify_one();
      }
    }
  }

  void serve(int index, std::uint32_t seen) {
    for (;;) {
      for (;;) {
        std::uint32_t changes = changes_;
        if (index < places()) {
          break;
        }
        changes_.wait(changes);
        seen = published_ - 1; // the next job may have begun
      }
      seen = wait(seen);
      // Also where there is no place any more: the wake-up may have been meant for another.
      take_part([] { return false; });
    }
  }

  // Does what is left of the current job, if there is one, or as much of it until over().
  template <class Over>
  void take_part(Over over) {
    inside_++;
    if (Job* current = job_) {
      current->work(over);
    }
    if (--inside_ == 0 && caller_sleeps_) {
      inside_.notify_all();
    }
  }

  // Until a job that has not been seen; its number.
  std::uint32_t wait(std::uint32_t seen) {
    if (!spin(PATIENCE, [&] { return published_ != seen; })) {
      asleep_++;
      published_.wait(seen);
      asleep_--;
    }
    return published_;
  }
};

Pool* shared = nullptr;

Pool& pool() {
  static bool made = [] {
    shared = new Pool;
    // A forked child has none of the threads, and the pool as it was at some moment.
    pthread_atfork(nullptr, nullptr, [] { shared = new Pool; });
    return true;
  }();
  (void)made;
  return *shared;
}

void run_apart(Job& job) {
  static std::mutex one; // OpenBLAS gives part i of each job the same memory
  std::lock_guard lock(one);
  std::vector<std::thread> others;
  for (std::size_t i = 1; i < job.count; i++) {
    others.emplace_back([&job] { job.work(); });
  }
  job.work();
  for (auto& other : others) {
    other.join();
  }
}

} // namespace

int threads() {
  return pool().limit();
}

int set_threads(int count) {
  std::lock_guard lock(pool().turn);
  int had = pool().start(count);
  if (had < count) {
    return had;
  }
  pool().set_limit(count);
  return count;
}

void run_parts(std::size_t count, Part part, void* context) {
  Job job{count, part, context};
  if (in_part || threads() == 1) {
    return job.work();
  }
  std::unique_lock lock(pool().turn, std::try_to_lock);
  lock ? pool().run(job) : job.work();
}

void run_together(std::size_t count, Part part, void* context) {
  Job job{count, part, context};
  if (in_part) {
    return run_apart(job);
  }
  std::lock_guard lock(pool().turn);
  int limit = pool().limit(), needed = static_cast<int>(count);
  if (needed > limit) { // the number has just been lowered, or the process is a forked child
    if (pool().start(needed) < needed) {
      std::terminate();
    }
    pool().set_limit(needed);
  }
  pool().with_workers([&] { pool().run(job); });
  if (needed > limit) {
    pool().set_limit(limit);
  }
}

void help(bool (*over)(const void*), const void* context) {
  if (!in_part) {
    pool().help([=] { return over(context); });
  }
}

} // namespace mlxc::cpu
