// Python functions inside MLX graphs. MLX may drop one on any thread, without the
// GIL, or after the interpreter is gone: so dropping only notes the payload, and
// Python releases what was noted when it next passes by.
#include "mlxc.h"

#include <mutex>
#include <vector>

#include <unistd.h>

#ifndef MLXC_FOREIGN
#include "handle.h"
#endif

namespace {

std::mutex mutex;
std::vector<void*>& dropped() {
  static auto* payloads = new std::vector<void*>; // outlives every static destructor
  return *payloads;
}

// A daemon thread that asks for the GIL of an ending interpreter is unwound like an
// exception, which MLX's frames do not survive; it waits here for the end instead.
template <class Call>
int waiting_at_exit(Call call) {
  try {
    return call();
  } catch (...) {
    for (;;) {
      pause();
    }
  }
}

} // namespace

#ifdef MLXC_FOREIGN
extern "C" void mlxc_watch_threads(void) {}

extern "C" void mlxc_free_alone(mlx_array array) {
  mlx_array_free(array);
}
#else
extern "C" void mlxc_watch_threads(void) {
  mlxc::before_first_turn = [] {
    waiting_at_exit([] {
      mlxc_see_thread();
      return 0;
    });
  };
}

extern "C" void mlxc_free_alone(mlx_array array) {
  mlxc::release_held<mlx::core::array>(array.ctx);
}
#endif

extern "C" int mlxc_call_python(mlx_vector_array* res, const mlx_vector_array args, void* payload) {
  return waiting_at_exit([&] { return mlxc_call(res, args, payload); });
}

extern "C" int mlxc_call_python_named(
    mlx_vector_array* res,
    const mlx_vector_array args,
    const mlx_map_string_to_array named,
    void* payload) {
  return waiting_at_exit([&] { return mlxc_call_named(res, args, named, payload); });
}

extern "C" int mlxc_call_python_vjp(
    mlx_vector_array* res,
    const mlx_vector_array primals,
    const mlx_vector_array cotangents,
    const mlx_vector_array outputs,
    void* payload) {
  return waiting_at_exit([&] { return mlxc_call_vjp(res, primals, cotangents, outputs, payload); });
}

extern "C" int mlxc_call_python_jvp(
    mlx_vector_array* res,
    const mlx_vector_array primals,
    const mlx_vector_array tangents,
    const int* argnums,
    size_t num,
    void* payload) {
  return waiting_at_exit(
      [&] { return mlxc_call_jvp(res, primals, tangents, argnums, num, payload); });
}

extern "C" int mlxc_call_python_vmap(
    mlx_vector_array* res,
    mlx_vector_int* res_axes,
    const mlx_vector_array inputs,
    const int* axes,
    size_t num,
    void* payload) {
  return waiting_at_exit([&] { return mlxc_call_vmap(res, res_axes, inputs, axes, num, payload); });
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
