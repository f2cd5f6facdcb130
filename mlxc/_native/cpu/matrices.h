// Where matrices lie in memory, for kernels of products.
#pragma once

#include "primitive.h"

#ifndef MLXC_FOREIGN
#include <optional>

#include "kernels/product.h"

namespace mlxc::cpu {

// The matrices in the last two axes of an array, one of whose axes is without gaps.
struct Matrices {
  mx::array held; // the array itself, or a copy
  std::ptrdiff_t row; // from one row to the next as they lie
  bool transposed; // the first axis is the one without gaps

  const void* data() const {
    return held.data<void>();
  }
};

// Rows have no gaps; `a` is copied where they do.
Matrices with_rows(const mx::array& a, mx::Stream stream);

// Rows or columns have none; `b` is copied where both do.
Matrices with_rows_or_columns(const mx::array& b, mx::Stream stream);

// The distance of the rows in all axes but the last of an array, if it is the same everywhere.
std::optional<std::ptrdiff_t> distance_of_rows(const mx::array& a);

// Whether all matrices in the last two axes of an array are one.
bool is_one_matrix(const mx::array& b);

// Where matrix `i` begins; matrices are counted in row-major order of the leading axes.
std::ptrdiff_t place_of(const mx::array& a, std::size_t i);

} // namespace mlxc::cpu
#endif
