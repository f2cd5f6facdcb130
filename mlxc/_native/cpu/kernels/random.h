// Kernels that draw random numbers.
#pragma once

#include "../isa.h"

#include <cstddef>
#include <cstdint>

namespace mlxc::cpu {

// Uniform in [0, 1), or of Gumbel's distribution made of that.
enum class Distribution { uniform, gumbel };

struct Random {
  // Draws `size` < 2 ** 32 numbers with a key of two words: the bits are those that MLX draws.
  void (*draw[2])(const std::uint32_t* key, float* y, std::size_t size);

  MLXC_TABLE(Random);
};

} // namespace mlxc::cpu
