#include "block.h"

#ifndef MLXC_FOREIGN
#include "mlx/ops.h"

namespace mlxc::cpu {

QuantizedMatrix matrix_at(const Arrays& arrays, size_t at, const Form& form, mx::Stream stream) {
  auto words = row_contiguous(arrays[at], stream), scales = row_contiguous(arrays[at + 1], stream);
  auto biases = row_contiguous(arrays[at + 2], stream);
  int length = words.shape(1) * 32 / bits_of(form.packing);
  return matrix_of(words, scales, biases.data<void>(), form, length);
}

Projection projection_of(
    const Arrays& arrays, size_t at, int matrices, const Form& form, size_t count,
    mx::Stream stream) {
  Projection p{};
  p.matrices = matrices;
  for (int i = 0; i < matrices; i++) {
    p.w[i] = matrix_at(arrays, at + 3 * i, form, stream);
  }
  p.count = count;
  p.bytes = form.bytes;
  p.threads = threads();
  return p;
}

Form affine_form(int group_size, int bits, const char* operation) {
  auto form = form_of(group_size, bits, "affine");
  if (!form) {
    refuse(
        operation, "there is no kernel for " + std::to_string(bits) + " bits in groups of " +
            std::to_string(group_size) + ".");
  }
  return *form;
}

void check_matrix(
    const Arrays& arrays, size_t at, const Form& form, int rows, int columns,
    const char* operation) {
  if (arrays[at].ndim() != 2 || arrays[at].shape(0) != rows ||
      !is_matrix(arrays[at], arrays[at + 1], arrays[at + 2], form, columns)) {
    refuse(
        operation, "weights " + std::to_string(at) + " to " + std::to_string(at + 2) +
            " must be a matrix (" + std::to_string(rows) + ", " + std::to_string(columns) +
            ") of " + std::to_string(bits_of(form.packing)) + " bits in groups of " +
            std::to_string(form.group) + ".");
  }
}

mx::array times_matrix(
    const mx::array& x, const Arrays& arrays, size_t at, const Form& form, mx::Stream s) {
  return quantized_matmul(
      x, arrays[at], arrays[at + 1], arrays[at + 2], true, form.group, bits_of(form.packing),
      "affine", s);
}

void refuse(const char* operation, const std::string& rule) {
  throw std::invalid_argument(std::string("[") + operation + "] " + rule);
}

} // namespace mlxc::cpu
#endif
