// Groups of 32 elements of a quantized matrix, one at a time.
#pragma once

#include "quantized_scales.h"

namespace mlxc::cpu::MLXC_ISA {

typedef std::uint8_t Bytes16 __attribute__((vector_size(16)));

// The integers of a group: of four bits those at even places and then those at odd ones.
template <Packing packing>
inline void unpack_group(const std::uint8_t* from, std::uint8_t* to) {
  constexpr int bits = bits_of(packing);
  if constexpr (bits == 8) {
    std::memcpy(to, from, 32);
  } else if constexpr (bits == 4) {
    Bytes16 both;
    std::memcpy(&both, from, 16);
    Bytes16 a = both & 15, b = both >> 4;
    std::memcpy(to, &a, 16);
    std::memcpy(to + 16, &b, 16);
    if constexpr (packing == Packing::mxfp4) {
      for (int i = 0; i < 32; i++) {
        to[i] = e2m1_above_least[to[i]];
      }
    }
  } else {
    for (int i = 0; i < 32; i += 8, from += bits) {
      std::uint64_t eight = 0;
      std::memcpy(&eight, from, bits);
      for (int j = 0; j < 8; j++) {
        to[i + j] = static_cast<std::uint8_t>(eight >> (j * bits) & ((1 << bits) - 1));
      }
    }
  }
}

// The place in a group of what unpack_group writes to place i.
constexpr int place_of(Packing packing, int i) {
  return bits_of(packing) == 4 ? i % 16 * 2 + i / 16 : i;
}

inline float element(const void* x, Float type, std::size_t i) {
  switch (type) {
    case Float::f32:
      return static_cast<const float*>(x)[i];
    case Float::f16:
      return to_float(static_cast<const f16*>(x)[i]);
    default:
      return to_float(static_cast<const bf16*>(x)[i]);
  }
}

// 16 rows, of which the last may repeat, times the row of x that begins at element `from` and is no
// row of integers: slowly, element by element, so that infinities meet what they would.
template <Packing packing>
void strip_times_floats(
    const QuantizedMatrix& w, std::size_t row, std::size_t count, const void* x, Float type,
    std::size_t from, float* to) {
  Scales scales(w, row, count);
  int shift = shift_of(w.group);
  alignas(64) float factors[block][strip], offsets[block][strip];
  std::fill_n(to, strip, 0.0f);
  for (std::size_t g = 0; g < w.length / 32; g++) {
    std::size_t in_block = (g >> shift) % block;
    if (in_block == 0) {
      scales.read(g >> shift, factors, offsets, false);
    }
    for (std::size_t n = 0; n < count; n++) {
      std::uint8_t bytes[32];
      std::size_t at = (row + n) * w.length + g * 32;
      unpack_group<packing>(w.packed + at / 8 * bits_of(packing), bytes);
      for (int i = 0; i < 32; i++) {
        // Rounded before the sum, as MLX does: what is 0 there is to be 0 here.
        double product = static_cast<double>(factors[in_block][n]) * bytes[i];
        float element_of_w = static_cast<float>(product) + offsets[in_block][n];
        to[n] += element(x, type, from + g * 32 + place_of(packing, i)) * element_of_w;
      }
    }
  }
}

} // namespace mlxc::cpu::MLXC_ISA
