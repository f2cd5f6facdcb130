#include "pool.h"

#include <atomic>
#include <chrono>
#include <cstdint>
#include <mutex>
#include <thread>

#include "cpu.h"

namespace mlxc::cpu {
namespace {

struct Job {
  std::size_t count;
  Part part;
  void* context;
  std::atomic<std::size_t> next{0};

  void work() {
    for (std::size_t i; (i = next.fetch_add(1, std::memory_order_relaxed)) < count;) {
      part(context, i);
    }
  }
};

void relax() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

// Never destroyed: its threads outlive every static destructor.
struct Pool {
  std::mutex turn; // one job at a time
  std::atomic<Job*> job{nullptr};
  std::atomic<std::uint32_t> published{0}; // jobs so far
  std::atomic<int> inside{0}; // workers that may be looking at the job
  std::atomic<int> asleep{0};
  std::atomic<int> limit{1};
  int started = 1;

  void run(Job& work) {
    start();
    job.store(&work);
    published.fetch_add(1);
    if (asleep.load() > 0) {
      published.notify_all();
    }
    work.work();
    job.store(nullptr);
    for (int tries = 0; inside.load() != 0; tries++) {
      tries < 1000 ? relax() : std::this_thread::yield();
    }
  }

  void start() {
    for (; started < limit; started++) {
      std::thread([this, index = started, seen = published.load()] { serve(index, seen); }).detach();
    }
  }

  // Between the kernels of a step lie some microseconds: staying awake that long saves a wake-up,
  // which costs about 50. Longer than that it would take the core from whoever needs it.
  std::uint32_t wait(std::uint32_t seen) {
    using clock = std::chrono::steady_clock;
    auto until = clock::now() + std::chrono::microseconds(60);
    do {
      for (int i = 0; i < 50; i++) {
        if (auto now = published.load(); now != seen) {
          return now;
        }
        relax();
      }
      // With more threads than cores, whoever has work to do goes first.
      std::this_thread::yield();
    } while (clock::now() < until);
    asleep.fetch_add(1);
    published.wait(seen);
    asleep.fetch_sub(1);
    return published.load();
  }

  void serve(int index, std::uint32_t seen) {
    for (;;) {
      seen = wait(seen);
      inside.fetch_add(1);
      if (Job* current = job.load(); current && index < limit.load()) {
        current->work();
      }
      inside.fetch_sub(1);
    }
  }
};

Pool& pool() {
  static auto* shared = new Pool;
  return *shared;
}

} // namespace

int threads() {
  return pool().limit.load(std::memory_order_relaxed);
}

void set_threads(int count) {
  auto& shared = pool();
  std::lock_guard lock(shared.turn);
  shared.limit = count;
}

void run_parts(std::size_t count, Part part, void* context) {
  auto& shared = pool();
  Job job{count, part, context};
  if (std::unique_lock lock(shared.turn, std::try_to_lock); lock && shared.limit > 1) {
    shared.run(job);
  } else {
    job.work();
  }
}

void run_together(std::size_t count, Part part, void* context) {
  auto& shared = pool();
  std::lock_guard lock(shared.turn);
  Job job{count, part, context};
  shared.run(job);
}

} // namespace mlxc::cpu

extern "C" int mlxc_cpu_threads(void) {
  return mlxc::cpu::threads();
}

extern "C" void mlxc_cpu_set_threads(int count) {
  mlxc::cpu::set_threads(count);
}

namespace {

// OpenBLAS asks for `call` with each of its jobs, all at the same time.
void run_blas(int, void (*call)(int, void*, int), int jobs, size_t size, void* data, int argument) {
  struct Context {
    void (*call)(int, void*, int);
    char* data;
    size_t size;
    int argument;
  } context{call, static_cast<char*>(data), size, argument};
  mlxc::cpu::run_together(
      static_cast<size_t>(jobs),
      [](void* given, size_t i) {
        auto& c = *static_cast<Context*>(given);
        c.call(static_cast<int>(i), c.data + i * c.size, c.argument);
      },
      &context);
}

} // namespace

extern "C" void* mlxc_cpu_blas_hook(void) {
  return reinterpret_cast<void*>(&run_blas);
}
