#include "isa.h"

#include <atomic>
#include <string_view>

#include "cpu.h"

#if defined(__x86_64__)
#include <cpuid.h>
#elif defined(__aarch64__) && defined(__linux__)
#include <sys/auxv.h>
#endif

namespace mlxc::cpu {
namespace {

constexpr std::string_view names[] = {
    "portable", "neon", "neon_dot", "avx2", "avx_vnni", "avx512"};

#if defined(__x86_64__)
// Compilers know how to ask for it since lately only.
bool has_avx_vnni() {
  unsigned a, b, c, d;
  return __get_cpuid_count(7, 1, &a, &b, &c, &d) && a >> 4 & 1;
}
#elif defined(__aarch64__)
bool has_dot_products() {
#if defined(__APPLE__)
  return true;
#elif defined(__linux__)
  constexpr unsigned long asimddp = 1ul << 20; // HWCAP_ASIMDDP
  return getauxval(AT_HWCAP) & asimddp;
#else
  return false;
#endif
}
#endif

bool supports(Isa isa) {
  switch (isa) {
    case Isa::portable:
      return true;
#if defined(__x86_64__)
    case Isa::avx2:
      return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
          __builtin_cpu_supports("f16c");
    case Isa::avx_vnni:
      return supports(Isa::avx2) && has_avx_vnni();
    case Isa::avx512:
      return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
          __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("avx512dq") &&
          __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512vbmi") &&
          __builtin_cpu_supports("avx512vnni");
#elif defined(__aarch64__)
    case Isa::neon:
      return true;
    case Isa::neon_dot:
      return has_dot_products();
#endif
    default:
      return false;
  }
}

Isa best() {
  for (Isa isa : {Isa::avx512, Isa::avx_vnni, Isa::avx2, Isa::neon_dot, Isa::neon}) {
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
  return isa() == Isa::avx512 || isa() == Isa::avx_vnni || isa() == Isa::neon_dot;
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
