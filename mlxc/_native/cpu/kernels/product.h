// Kernels of matrix products.
#pragma once

#include "../isa.h"
#include "types.h"

#include <cstddef>

namespace mlxc::cpu {

// y = alpha * a @ b + beta * c; y is (m, n), without gaps. All are of one type, but b, which may be
// of a half type where the others are float32. Strides are counted in elements. The rows of y do not
// depend on m.
struct Product {
  const void* a; // (m, k)
  const void* b; // (k, n), or (n, k) if it is given transposed
  const void* c; // (m, n) or null
  void* y;
  std::size_t m, n, k;
  std::ptrdiff_t a_row, b_row, c_row; // from one row to the next
  float alpha, beta;
};

// Where the matrices of one product in a batch begin, from `a`, `b` and `c` on.
struct Place {
  std::ptrdiff_t a, b, c;
};

using Multiply = void (*)(const Product& product, const Place* places, std::size_t batches);

// By the type of all matrices, and by that of b where the others are float32.
struct Products {
  Multiply plain[float_types];
  Multiply widening[float_types];

  MLXC_TABLE(Products);
};

// b is given transposed. `dots` multiplies bfloat16 in pairs, or is null: see has_bf16_dot.
struct TransposedProducts {
  Multiply transposed[float_types];
  Multiply widening[float_types];
  Multiply dots;

  MLXC_TABLE(TransposedProducts);
};

} // namespace mlxc::cpu
