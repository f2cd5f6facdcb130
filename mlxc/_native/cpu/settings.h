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

// Quantized products round their activations to bytes.
bool int8_activations();

} // namespace mlxc::cpu
