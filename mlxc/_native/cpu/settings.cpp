#include "settings.h"

#include <atomic>

#include "cpu.h"

namespace {

std::atomic<bool> on{true};
std::atomic<int> bytes{3};
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

int mlxc::cpu::activation_bytes() {
  return bytes.load(std::memory_order_relaxed);
}

extern "C" bool mlxc_cpu_enabled(void) {
  return on;
}

extern "C" void mlxc_cpu_set_enabled(bool enabled) {
  on = enabled;
}

extern "C" int mlxc_cpu_activation_bytes(void) {
  return bytes;
}

extern "C" void mlxc_cpu_set_activation_bytes(int count) {
  bytes = count;
}
