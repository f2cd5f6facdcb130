// What the primitives of products with quantized matrices have in common.
#pragma once

#include "primitive.h"

#ifndef MLXC_FOREIGN
#include "kernels/quantized.h"

namespace mlxc::cpu {

inline std::optional<Packing> packing_of(const std::string& mode, int bits) {
  if (mode == "mxfp4") {
    return bits == 4 ? std::optional(Packing::mxfp4) : std::nullopt;
  }
  for (int i = 0; mode == "affine" && i < static_cast<int>(Packing::mxfp4); i++) {
    if (bits_of(static_cast<Packing>(i)) == bits) {
      return static_cast<Packing>(i);
    }
  }
  return std::nullopt;
}

// How a matrix is quantized, and how the other operand is written.
struct Form {
  Packing packing;
  int group, bytes;

  bool operator==(const Form& other) const {
    return packing == other.packing && group == other.group && bytes == other.bytes;
  }
};

// The form that an operation asks for, if there are kernels for it.
inline std::optional<Form> form_of(
    std::optional<int> group_size, std::optional<int> bits, const std::string& mode) {
  auto packing = packing_of(mode, bits.value_or(4));
  int group = group_size.value_or(mode == "affine" ? 64 : 32);
  if (!packing || !(group == 32 || (mode == "affine" && (group == 64 || group == 128)))) {
    return std::nullopt;
  }
  return Form{*packing, group, int8_activations() ? bytes_of_int8 : bytes_of_float32};
}

// What a kernel is given of a matrix, or of the first of several.
inline QuantizedMatrix matrix_of(
    const mx::array& packed,
    const mx::array& scales,
    const void* biases,
    const Form& form,
    int length) {
  auto scale = scales.dtype() == mx::uint8 ? Scale::e8m0
                                           : static_cast<Scale>(float_of(scales.dtype()));
  return {
      packed.data<uint8_t>(),
      scales.data<void>(),
      biases,
      form.packing,
      scale,
      static_cast<size_t>(packed.shape(-2)),
      static_cast<size_t>(length),
      form.group};
}

// Memory that a kernel works in, kept until the stream's tasks are done.
inline void* scratch_of(size_t bytes, mx::Stream stream) {
  constexpr size_t page = 4096;
  mx::array memory({static_cast<int>(bytes / page + 1), page}, mx::uint8, nullptr, {});
  allocate(memory);
  mx::cpu::get_command_encoder(stream).add_temporary(memory);
  return memory.data<void>();
}

// The type of a product: scales of floating point count, bytes do not.
inline mx::Dtype type_of(const mx::array& x, const mx::array& scales) {
  return is_float(scales.dtype()) ? mx::promote_types(x.dtype(), scales.dtype()) : x.dtype();
}

// Whether arrays are a matrix, or a stack of them, that kernels multiply rows of `length` with.
inline bool is_matrix(
    const mx::array& w,
    const mx::array& scales,
    const std::optional<mx::array>& biases,
    const Form& form,
    int length) {
  bool affine = form.packing != Packing::mxfp4;
  auto of_scales = w.shape();
  of_scales.back() = length / form.group;
  int64_t bits = static_cast<int64_t>(length) * bits_of(form.packing);
  return length > 0 && length % form.group == 0 && w.dtype() == mx::uint32 &&
      static_cast<int64_t>(w.shape(-1)) * 32 == bits &&
      scales.shape() == of_scales && biases.has_value() == affine &&
      (affine ? is_float(scales.dtype()) && biases->dtype() == scales.dtype() &&
                   biases->shape() == of_scales
              : scales.dtype() == mx::uint8);
}

} // namespace mlxc::cpu
#endif
