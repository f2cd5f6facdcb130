// Python functions inside MLX graphs. MLX may drop one on any thread, without the
// GIL, or after the interpreter is gone: so dropping only notes the payload, and
// Python releases what was noted when it next passes by.
#include "mlxc.h"

#include <mutex>
#include <vector>

#include <unistd.h>

namespace {

std::mutex mutex;
std::vector<void*>& dropped() {
  static auto* payloads = new std::vector<void*>; // outlives every static destructor
  return *payloads;
}

} // namespace

// A daemon thread that asks for the GIL of an ending interpreter is unwound like an
// exception, which MLX's frames do not survive; it waits here for the end instead.
extern "C" int mlxc_call_python(mlx_vector_array* res, const mlx_vector_array args, void* payload) {
  try {
    return mlxc_call(res, args, payload);
  } catch (...) {
    for (;;) {
      pause();
    }
  }
}

extern "C" void mlxc_drop_payload(void* payload) {
  std::lock_guard lock(mutex);
  dropped().push_back(payload);
}

extern "C" void* mlxc_next_dropped(void) {
  std::lock_guard lock(mutex);
  if (dropped().empty()) {
    return nullptr;
  }
  void* payload = dropped().back();
  dropped().pop_back();
  return payload;
}
