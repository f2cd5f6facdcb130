// Products of floats with quantized matrices.
#pragma once

#include "quantized.h"

namespace mlxc::cpu {

// The functions take what those of Quantized take; `bytes` is ignored.
struct QuantizedFloats {
  // y = x w^T for packings whose numbers are no integers of a byte: mxfp8 and nvfp4.
  std::size_t (*scratch)(std::size_t count, std::size_t length, int bytes, int threads);
  decltype(Quantized::product) product;

  // y = x w for all packings: x has count * w.rows elements, y count * w.length.
  std::size_t (*scratch_across)(
      std::size_t count, std::size_t rows, std::size_t length, int threads);
  decltype(Quantized::product) product_across;

  MLXC_TABLE(QuantizedFloats);
};

} // namespace mlxc::cpu
