// A quiet end of the process, and quiet forks. OpenBLAS joins its threads when it is
// unloaded and before a fork, and waits forever if a matrix product is running then;
// MLX's stream threads never end. So every stream seen here is halted: for good before
// the libraries go, and for a moment while the process forks.
#include "mlxc.h"

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <exception>
#include <mutex>
#include <set>
#include <utility>

#include <unistd.h>

#include "mlx/scheduler.h"
#ifndef MLXC_FOREIGN
#include "turn.h"
#endif

namespace {

namespace core = mlx::core;

// Used by threads that outlive every static destructor, so never destroyed.
struct Streams {
  std::mutex mutex;
  std::set<int> indices;
  std::condition_variable changed;
  unsigned halt = 0; // the number of the halt that is or was last asked for
  size_t halted = 0;
  bool go = true;
};

Streams& cpu_streams() {
  static auto* streams = new Streams;
  return *streams;
}

// Read in a forked child, where the mutex may be locked for good.
std::atomic<bool> in_use{false};
pid_t owner = 0;

bool forked() {
  return in_use && getpid() != owner;
}

void wait_in_stream(unsigned halt) {
  auto& streams = cpu_streams();
  std::unique_lock lock(streams.mutex);
  auto over = [&] { return streams.go || streams.halt != halt; };
  if (!over()) {
    streams.halted++;
    streams.changed.notify_all();
    streams.changed.wait(lock, over);
  }
}

// Asks every stream to halt when its queue is done; the number of them.
size_t ask_to_halt(Streams& streams) {
  streams.go = false;
  streams.halted = 0;
  unsigned halt = ++streams.halt;
  size_t asked = 0;
  for (int index : streams.indices) {
    try {
      core::scheduler::enqueue(
          core::Stream(index, core::Device::cpu), [halt] { wait_in_stream(halt); });
      asked++;
    } catch (const std::exception&) { // a stream that is gone has no queue
    }
  }
  return asked;
}

// Nobody evaluates while the process forks, nor when it ends: the child could not go on, and MLX
// forgets what an evaluation needs.
constexpr std::chrono::seconds MOST{60};

bool stop_evaluations() {
#ifdef MLXC_FOREIGN
  return false;
#else
  return mlxc::take_turn(MOST);
#endif
}

bool stopped = false; // by the thread that forks

void resume_evaluations() {
#ifndef MLXC_FOREIGN
  if (std::exchange(stopped, false)) {
    mlxc::give_turn();
  }
#endif
}

void halt_at_exit() {
  if (forked()) {
    return; // a forked child has no stream threads to wait for
  }
  stop_evaluations();
  auto& streams = cpu_streams();
  std::unique_lock lock(streams.mutex);
  size_t asked = ask_to_halt(streams);
  streams.changed.wait(lock, [&] { return streams.halted == asked; });
}

} // namespace

extern "C" void mlxc_remember_stream(mlx_stream stream) {
  mlx_device device = mlx_device_new();
  mlx_device_type type = MLX_GPU;
  int index = 0;
  int failed = mlx_stream_get_device(&device, stream) || mlx_device_get_type(&type, device) ||
      mlx_stream_get_index(&index, stream);
  mlx_device_free(device);
  if (failed || type != MLX_CPU || forked()) {
    return;
  }
  auto& streams = cpu_streams();
  std::lock_guard lock(streams.mutex);
  streams.indices.insert(index);
  owner = getpid();
  in_use = true;
}

extern "C" void mlxc_park_streams_at_exit(void) {
  core::scheduler::scheduler(); // made first, so that it is there when the handler runs
  std::atexit(halt_at_exit);
}

extern "C" void mlxc_before_fork(void) {
  if (!in_use || forked()) {
    return;
  }
  stopped = stop_evaluations();
  auto& streams = cpu_streams();
  std::unique_lock lock(streams.mutex);
  size_t asked = ask_to_halt(streams);
  // A halted stream may keep another from its halt, if a third thread is evaluating after all.
  streams.changed.wait_for(lock, MOST, [&] { return streams.halted == asked; });
}

extern "C" void mlxc_after_fork_in_parent(void) {
  if (forked()) {
    return;
  }
  auto& streams = cpu_streams();
  std::lock_guard lock(streams.mutex);
  streams.go = true;
  streams.changed.notify_all();
  resume_evaluations();
}

extern "C" void mlxc_after_fork_in_child(void) {
  resume_evaluations();
}

extern "C" bool mlxc_is_forked(void) {
  return forked();
}
