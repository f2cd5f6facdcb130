#include "settings.h"

#include <atomic>

#include "cpu.h"

namespace {

std::atomic<bool> on{true};
std::atomic<bool> int8{false};
thread_local int held = 0;

} // namespace

bool mlxc::cpu::enabled() {
  return on.load(std::memory_order_relaxed) && !held;
}

mlxc::cpu::Hold::Hold() {
  held++;
}

mlxc::cpu::Hold::~Hold() {
  held--;
}

bool mlxc::cpu::int8_activations() {
  return int8.load(std::memory_order_relaxed);
}

extern "C" bool mlxc_cpu_enabled(void) {
  return on;
}

extern "C" void mlxc_cpu_set_enabled(bool enabled) {
  on = enabled;
}

extern "C" bool mlxc_cpu_int8(void) {
  return int8;
}

extern "C" void mlxc_cpu_set_int8(bool wanted) {
  int8 = wanted;
}
