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

// The kernel for results of a type and b as it lies.
Multiply product_kernel(Float type, const Matrices& b);

// Whether kernels for results of a type widen `b` as they read it: nobody writes it down wider.
bool widens(const mx::array& b, mx::Dtype type);

// Whether a product of so many rows by matrices `b` is better left to OpenBLAS: many of float32,
// except with AVX-512 and b transposed, as far as that can be told before b is computed. There the
// kernels are as fast, and rows do not depend on their number.
bool is_for_blas(std::size_t rows, const mx::array& b, mx::Dtype type);

} // namespace mlxc::cpu
#endif
