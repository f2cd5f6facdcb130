// Kernels of normalization.
#pragma once

#include "../isa.h"
#include "rows.h"
#include "types.h"

#include <cstddef>

namespace mlxc::cpu {

struct Norm {
  // `rows` rows of `length` elements; weight has `length` elements or is null. y has the type that
  // those of x and weight promote to; it may lie where x does.
  using Rms = void (*)(
      Rows x, const void* weight, void* y, std::size_t rows, std::size_t length, float eps);
  Rms rms[float_types][float_types]; // by the types of x and weight

  // x, weight (or null), bias (or null) and y are of one type.
  using Layer = void (*)(
      Rows x,
      const void* weight,
      const void* bias,
      void* y,
      std::size_t rows,
      std::size_t length,
      float eps);
  Layer layer[float_types];

  MLXC_TABLE(Norm);
};

} // namespace mlxc::cpu
