// Kernels of softmax and of its denominator's logarithm, over the last axis.
#pragma once

#include "../isa.h"
#include "rows.h"
#include "types.h"

#include <cstddef>

namespace mlxc::cpu {

struct Softmax {
  // y = exp(x) / sum(exp(x)) of each row of `length` elements; y may lie where x does.
  void (*softmax[float_types])(Rows x, void* y, std::size_t rows, std::size_t length);

  // y[row] = log(sum(exp(x))) of the row.
  void (*logsumexp[float_types])(Rows x, void* y, std::size_t rows, std::size_t length);

  MLXC_TABLE(Softmax);
};

} // namespace mlxc::cpu
