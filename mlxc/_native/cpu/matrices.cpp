#include "matrices.h"

#ifndef MLXC_FOREIGN

namespace mlxc::cpu {

Matrices with_rows(const mx::array& a, mx::Stream stream) {
  bool fits = a.strides(-1) == 1 || a.shape(-1) == 1;
  auto held = fits ? a : row_contiguous(a, stream);
  return {held, held.strides(-2), false};
}

Matrices with_rows_or_columns(const mx::array& b, mx::Stream stream) {
  auto rows = b.strides(-2), columns = b.strides(-1);
  if (rows == 1 && (columns >= b.shape(-2) || b.shape(-1) == 1)) {
    return {b, columns, true};
  }
  if (columns == 1 && b.shape(-1) > 1) {
    return {b, rows, false};
  }
  auto held = row_contiguous(b, stream);
  return {held, held.strides(-2), false};
}

std::optional<std::ptrdiff_t> distance_of_rows(const mx::array& a) {
  std::optional<std::ptrdiff_t> distance;
  std::ptrdiff_t next = 0;
  for (int axis = a.ndim() - 2; axis >= 0; axis--) {
    if (a.shape(axis) == 1) {
      continue;
    }
    if (distance && a.strides(axis) != next) {
      return std::nullopt;
    }
    distance = distance.value_or(a.strides(axis));
    next = a.strides(axis) * a.shape(axis);
  }
  return distance.value_or(0);
}

bool is_one_matrix(const mx::array& b) {
  for (int axis = 0; axis < static_cast<int>(b.ndim()) - 2; axis++) {
    if (b.shape(axis) != 1 && b.strides(axis) != 0) {
      return false;
    }
  }
  return true;
}

std::ptrdiff_t place_of(const mx::array& a, std::size_t i) {
  std::ptrdiff_t place = 0;
  for (int axis = a.ndim() - 3; axis >= 0; axis--) {
    auto length = static_cast<std::size_t>(a.shape(axis));
    place += static_cast<std::ptrdiff_t>(i % length) * a.strides(axis);
    i /= length;
  }
  return place;
}

Multiply product_kernel(Float type, const Matrices& b) {
  Float of_b = float_of(b.held.dtype());
  bool widening = of_b != type;
  auto i = static_cast<int>(of_b);
  if (!b.transposed) {
    auto& kernels = pick<Products>();
    return (widening ? kernels.widening : kernels.plain)[i];
  }
  auto& kernels = pick<TransposedProducts>();
  if (widening) {
    return kernels.widening[i];
  }
  return type == Float::bf16 && has_bf16_dot() ? kernels.dots : kernels.transposed[i];
}

bool widens(const mx::array& b, mx::Dtype type) {
  return type == mx::float32 && is_float(b.dtype()) && b.dtype() != type;
}

bool is_for_blas(std::size_t rows, const mx::array& b, mx::Dtype type) {
  constexpr std::size_t few = 8;
  if (type != mx::float32 || rows <= few || widens(b, type)) {
    return false;
  }
  if (isa() != Isa::avx512) {
    return true;
  }
  if (is_available(b)) {
    return b.strides(-2) != 1;
  }
  Turn turn; // or another thread could compute b meanwhile
  return !(b.has_primitive() && std::string_view(b.primitive().name()) == "Transpose");
}

} // namespace mlxc::cpu
#endif
