// Kernels that find the greatest or least element of rows.
#pragma once

#include "../isa.h"
#include "rows.h"
#include "types.h"

#include <cstddef>
#include <cstdint>

namespace mlxc::cpu {

struct ArgReduce {
  // The place of the first greatest (or least) element of each row, or of the first NaN.
  using Find = void (*)(Rows x, std::uint32_t* y, std::size_t rows, std::size_t length);
  Find greatest[float_types], least[float_types];

  MLXC_TABLE(ArgReduce);
};

} // namespace mlxc::cpu
