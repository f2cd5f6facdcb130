// Kernels that keep the greatest elements of rows.
#pragma once

#include "../isa.h"
#include "rows.h"

#include <cstddef>

namespace mlxc::cpu {

struct Top {
  // y = x, with minus infinity where an element is none of the `k` greatest of its row; of equal ones
  // the last are kept.
  void (*k)(Rows x, float* y, std::size_t rows, std::size_t length, std::size_t k);

  // The same of log-probabilities: the least, whose probabilities add up to at most 1 - p, go; the
  // greatest stays. `memory` has room for `length` floats.
  void (*p)(Rows x, float* y, std::size_t rows, std::size_t length, double p, float* memory);

  MLXC_TABLE(Top);
};

} // namespace mlxc::cpu
