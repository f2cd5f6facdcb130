// What the primitives of products with quantized matrices have in common.
#pragma once

#include "primitive.h"

#ifndef MLXC_FOREIGN
#include "kernels/quantized.h"
#include "kernels/quantized_floats.h"

namespace mlxc::cpu {

inline std::optional<Packing> packing_of(const std::string& mode, int bits) {
  constexpr std::pair<const char*, Packing> modes[] = {
      {"mxfp4", Packing::mxfp4}, {"mxfp8", Packing::mxfp8}, {"nvfp4", Packing::nvfp4}};
  for (auto& [name, packing] : modes) {
    if (mode == name) {
      return bits == bits_of(packing) ? std::optional(packing) : std::nullopt;
    }
  }
  for (int i = 0; mode == "affine" && is_affine(static_cast<Packing>(i)); i++) {
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

// The form that an operation asks for, if there are kernels for it: all that MLX packs.
inline std::optional<Form> form_of(
    std::optional<int> group_size, std::optional<int> bits, const std::string& mode) {
  auto packing = packing_of(mode, bits.value_or(mode == "mxfp8" ? 8 : 4));
  int usual = mode == "affine" ? 64 : mode == "nvfp4" ? 16 : 32;
  int group = group_size.value_or(usual);
  bool known = group == usual || (mode == "affine" && (group == 32 || group == 128));
  if (!packing || !known) {
    return std::nullopt;
  }
  return Form{*packing, group, has_integers(*packing) ? activation_bytes() : bytes_of_float32};
}

// What a kernel is given of a matrix, or of the first of several.
inline QuantizedMatrix matrix_of(
    const mx::array& packed,
    const mx::array& scales,
    const void* biases,
    const Form& form,
    int length) {
  auto scale = is_affine(form.packing)      ? static_cast<Scale>(float_of(scales.dtype()))
      : form.packing == Packing::nvfp4 ? Scale::e4m3
                                       : Scale::e8m0;
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

// The kernels of products with transposed matrices.
struct ProductKernels {
  decltype(Quantized::scratch) scratch;
  decltype(Quantized::product) product;
};

inline ProductKernels kernels_of(Packing packing) {
  if (has_integers(packing)) {
    auto& table = pick<Quantized>();
    return {table.scratch, table.product};
  }
  auto& table = pick<QuantizedFloats>();
  return {table.scratch, table.product};
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
  bool affine = is_affine(form.packing);
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
