// Whether and how operations build kernels.
#pragma once

namespace mlxc::cpu {

// Kernels are on, and not held back in this thread.
bool enabled();

// Holds kernels back in this thread while it lives.
class Hold {
 public:
  Hold();
  ~Hold();
  Hold(const Hold&) = delete;
  Hold& operator=(const Hold&) = delete;
};

// In how many bytes quantized products write an activation: 1 and 2 round it, 3 are a float32.
int activation_bytes();

} // namespace mlxc::cpu
