#include "block.h"

#ifndef MLXC_FOREIGN
#include "mlx/ops.h"

namespace mlxc::cpu {

namespace {

QuantizedMatrix matrix_in(const mx::array* arrays, const Form& form, mx::Stream stream) {
  auto rows = [&](const mx::array& a) {
    return a.flags().row_contiguous ? a.data<void>() : row_contiguous(a, stream).data<void>();
  };
  auto& words = arrays[0];
  auto length = static_cast<size_t>(words.shape(1)) * 32 / bits_of(form.packing);
  return {
      static_cast<const uint8_t*>(rows(words)),
      rows(arrays[1]),
      rows(arrays[2]),
      form.packing,
      static_cast<Scale>(float_of(arrays[1].dtype())),
      static_cast<size_t>(words.shape(0)),
      length,
      form.group};
}

} // namespace

Projection projection_of(
    const mx::array* arrays, int matrices, const Form& form, size_t count, mx::Stream stream) {
  Projection p{};
  p.matrices = matrices;
  for (int i = 0; i < matrices; i++) {
    p.w[i] = matrix_in(arrays + 3 * i, form, stream);
  }
  p.count = count;
  p.bytes = form.bytes;
  p.threads = threads();
  return p;
}

Form affine_form(int group_size, int bits) {
  auto form = form_of(group_size, bits, "affine");
  if (!form) {
    refuse(
        "there is no kernel for " + std::to_string(bits) + " bits in groups of " +
        std::to_string(group_size) + ".");
  }
  return *form;
}

void check_vector(const mx::array& a, int size) {
  if (a.shape() != mx::Shape{size} || a.dtype() != mx::float32) {
    refuse(
        "norms and frequencies must be float32 of the size of what they belong to, (" +
        std::to_string(size) + ",).");
  }
}

void check_matrix(
    const mx::array* arrays, const Form& form, int rows, int columns, const char* what) {
  if (arrays[0].ndim() != 2 || arrays[0].shape(0) != rows ||
      !is_matrix(arrays[0], arrays[1], arrays[2], form, columns)) {
    refuse(
        std::string("words, scales and biases of ") + what + " must be a matrix (" +
        std::to_string(rows) + ", " + std::to_string(columns) + ") of " +
        std::to_string(bits_of(form.packing)) + " bits in groups of " +
        std::to_string(form.group) + ".");
  }
}

mx::array times_matrix(
    const mx::array& x, const mx::array* arrays, const Form& form, mx::Stream s) {
  return quantized_matmul(
      x, arrays[0], arrays[1], arrays[2], true, form.group, bits_of(form.packing),
      "affine", s);
}

void refuse(const std::string& rule) {
  throw std::invalid_argument("[decoder layer] " + rule);
}

} // namespace mlxc::cpu
#endif
