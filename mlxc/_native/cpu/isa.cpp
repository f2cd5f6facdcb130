#include "isa.h"

#include <atomic>
#include <string_view>

#include "cpu.h"

namespace mlxc::cpu {
namespace {

constexpr std::string_view names[] = {"portable", "neon", "avx2", "avx512"};

bool supports(Isa isa) {
  switch (isa) {
    case Isa::portable:
      return true;
#if defined(__x86_64__)
    case Isa::avx2:
      return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
          __builtin_cpu_supports("f16c");
    case Isa::avx512:
      return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
          __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("avx512dq") &&
          __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512vbmi") &&
          __builtin_cpu_supports("avx512vnni");
#elif defined(__aarch64__)
    case Isa::neon:
      return true;
#endif
    default:
      return false;
  }
}

Isa best() {
  for (Isa isa : {Isa::avx512, Isa::avx2, Isa::neon}) {
    if (supports(isa)) {
      return isa;
    }
  }
  return Isa::portable;
}

std::atomic<Isa>& chosen() {
  static std::atomic<Isa> isa{best()};
  return isa;
}

} // namespace

Isa isa() {
  return chosen().load(std::memory_order_relaxed);
}

bool has_int8_dot() {
  return isa() == Isa::avx512;
}

bool has_bf16_dot() {
#if defined(__x86_64__)
  static const bool has = __builtin_cpu_supports("avx512bf16");
  return has && isa() == Isa::avx512;
#else
  return false;
#endif
}

} // namespace mlxc::cpu

extern "C" const char* mlxc_cpu_isa(void) {
  return mlxc::cpu::names[static_cast<int>(mlxc::cpu::isa())].data();
}

extern "C" bool mlxc_cpu_set_isa(const char* name) {
  for (int i = 0; i < static_cast<int>(std::size(mlxc::cpu::names)); i++) {
    if (auto isa = static_cast<mlxc::cpu::Isa>(i);
        mlxc::cpu::names[i] == name && mlxc::cpu::supports(isa)) {
      mlxc::cpu::chosen() = isa;
      return true;
    }
  }
  return false;
}

extern "C" bool mlxc_cpu_has_int8_dot(void) {
  return mlxc::cpu::has_int8_dot();
}

extern "C" bool mlxc_cpu_has_bf16_dot(void) {
  return mlxc::cpu::has_bf16_dot();
}
