// Kernels that write float32 in another type.
#pragma once

#include "../isa.h"
#include "types.h"

#include <cstddef>

namespace mlxc::cpu {

struct Narrow {
  // By the type of `to`, in which n floats are written, rounded to the nearest.
  using Run = void(const float* from, void* to, std::size_t n);
  Run* run[float_types];

  MLXC_TABLE(Narrow);
};

} // namespace mlxc::cpu
