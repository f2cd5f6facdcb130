// Whether and how operations build kernels.
#pragma once

namespace mlxc::cpu {

// Kernels are on, and not held back in this thread.
bool enabled();

// Quantized products round their activations to bytes.
bool int8_activations();

} // namespace mlxc::cpu
