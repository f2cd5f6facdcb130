// What Python and OpenBLAS see of the pool.
#include <cstddef>

#include "cpu.h"
#include "pool.h"

#ifndef MLXC_FOREIGN
#include "turn.h"
#endif

extern "C" int mlxc_cpu_threads(void) {
  return mlxc::cpu::threads();
}

extern "C" int mlxc_cpu_set_threads(int count) {
#ifndef MLXC_FOREIGN
  mlxc::while_waiting = mlxc::cpu::help;
#endif
  return mlxc::cpu::set_threads(count);
}

namespace {

// OpenBLAS asks for `call` with each of its jobs; those of a product wait for one another.
void run_blas(
    int, void (*call)(int, void*, int), int jobs, std::size_t size, void* data, int argument) {
  struct Context {
    void (*call)(int, void*, int);
    char* data;
    std::size_t size;
    int argument;
  } context{call, static_cast<char*>(data), size, argument};
  mlxc::cpu::run_together(
      static_cast<std::size_t>(jobs),
      [](void* given, std::size_t i) {
        auto& c = *static_cast<Context*>(given);
        c.call(static_cast<int>(i), c.data + i * c.size, c.argument);
      },
      &context);
}

} // namespace

extern "C" void* mlxc_cpu_blas_hook(void) {
  return reinterpret_cast<void*>(&run_blas);
}
