// The default stream, looked up once a thread instead of once an op.
#include "mlxc.h"

#include <atomic>

namespace {

std::atomic<unsigned> epoch{1};

struct CachedStream {
  mlx_stream stream{nullptr};
  unsigned seen = 0;
  ~CachedStream() {
    mlx_stream_free(stream);
  }
};

thread_local CachedStream cached;

} // namespace

extern "C" mlx_stream mlxc_known_stream(void) {
  bool known = cached.seen == epoch.load(std::memory_order_relaxed);
  return known ? cached.stream : mlx_stream{nullptr};
}

extern "C" mlx_stream mlxc_default_stream(void) {
  unsigned now = epoch.load(std::memory_order_relaxed);
  if (cached.seen != now) {
    mlx_device device = mlx_device_new();
    if (mlx_get_default_device(&device) == 0 &&
        mlx_get_default_stream(&cached.stream, device) == 0) {
      mlxc_remember_stream(cached.stream);
      cached.seen = now;
    }
    mlx_device_free(device);
  }
  return cached.stream;
}

extern "C" void mlxc_default_stream_changed(void) {
  epoch.fetch_add(1, std::memory_order_relaxed);
}
