// Kernels that unpack quantized matrices.
#pragma once

#include "quantized.h"

namespace mlxc::cpu {

struct Dequantize {
  // Writes elements begin to end - 1 of a row, whole groups, as `type`. They are computed in float32,
  // as MLX does it: the product is rounded before the bias is added.
  void (*unpack)(
      const QuantizedMatrix& w,
      std::size_t row,
      std::size_t begin,
      std::size_t end,
      Float type,
      void* to);

  MLXC_TABLE(Dequantize);
};

} // namespace mlxc::cpu
