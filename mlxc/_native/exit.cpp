// A quiet end of the process. OpenBLAS joins its threads when it is unloaded, and
// waits forever if a matrix product is running then; MLX's stream threads never
// end. So every stream seen here is parked for good before the libraries go.
#include "mlxc.h"

#include <condition_variable>
#include <cstdlib>
#include <mutex>
#include <set>

#include <unistd.h>

#include "mlx/scheduler.h"

namespace {

namespace core = mlx::core;

// Used by threads that outlive every static destructor, so never destroyed.
struct Streams {
  std::mutex mutex;
  std::set<int> indices;
  std::condition_variable changed;
  size_t parked = 0;
};

Streams& cpu_streams() {
  static auto* streams = new Streams;
  return *streams;
}

pid_t owner = 0;

void park() {
  auto& streams = cpu_streams();
  std::unique_lock lock(streams.mutex);
  streams.parked++;
  streams.changed.notify_all();
  streams.changed.wait(lock, [] { return false; });
}

// MLX has forgotten the main thread's streams by now, but runs what is queued.
void park_streams() {
  if (getpid() != owner) {
    return; // a forked child has no stream threads to wait for
  }
  auto& streams = cpu_streams();
  std::unique_lock lock(streams.mutex);
  for (int index : streams.indices) {
    core::scheduler::enqueue(core::Stream(index, core::Device::cpu), park);
  }
  size_t expected = streams.indices.size();
  streams.changed.wait(lock, [&] { return streams.parked == expected; });
}

} // namespace

extern "C" void mlxc_remember_stream(mlx_stream stream) {
  mlx_device device = mlx_device_new();
  mlx_device_type type = MLX_GPU;
  int index = 0;
  int failed = mlx_stream_get_device(&device, stream) || mlx_device_get_type(&type, device) ||
      mlx_stream_get_index(&index, stream);
  mlx_device_free(device);
  if (!failed && type == MLX_CPU) {
    auto& streams = cpu_streams();
    std::lock_guard lock(streams.mutex);
    streams.indices.insert(index);
  }
}

extern "C" void mlxc_park_streams_at_exit(void) {
  core::scheduler::scheduler(); // made first, so that it is there when the handler runs
  owner = getpid();
  std::atexit(park_streams);
}
