// Kernels of normalization.
#pragma once

#include "../isa.h"
#include "types.h"

#include <cstddef>

namespace mlxc::cpu {

struct Norm {
  // `rows` rows of `length` elements of a type; weight has `length` elements of the same type or
  // is null. y may be x.
  void (*rms[float_types])(
      const void* x, const void* weight, void* y, std::size_t rows, std::size_t length, float eps);

  MLXC_TABLE(Norm);
};

} // namespace mlxc::cpu
