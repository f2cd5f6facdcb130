// Kernels of products with quantized matrices.
#pragma once

#include "../isa.h"
#include "pointwise.h"
#include "types.h"

#include <cstddef>
#include <cstdint>

namespace mlxc::cpu {

// How the elements of a group are packed. An element is scale * q + bias; from mxfp4 on it is scale *
// the number that the bits stand for.
enum class Packing { bits1, bits2, bits3, bits4, bits5, bits6, bits8, mxfp4, mxfp8, nvfp4 };

constexpr int bits_of(Packing packing) {
  constexpr int bits[] = {1, 2, 3, 4, 5, 6, 8, 4, 8, 4};
  return bits[static_cast<int>(packing)];
}

constexpr bool is_affine(Packing packing) {
  return packing < Packing::mxfp4;
}

// Whether groups have integers that fit a byte.
constexpr bool has_integers(Packing packing) {
  return packing < Packing::mxfp8;
}

// The types of scales: those of Float, then powers of two and small floats in a byte.
enum class Scale { f32, f16, bf16, e8m0, e4m3 };

// `rows` rows of `length` elements, each row packed without gaps.
struct QuantizedMatrix {
  const std::uint8_t* packed;
  const void* scales; // length / group a row
  const void* biases; // of the scales' type; null unless affine
  Packing packing;
  Scale scale;
  std::size_t rows, length;
  int group; // 32, 64 or 128, in nvfp4 16
};

// In how many bytes an element of the other operand is written.
constexpr int bytes_of_int8 = 1;
constexpr int bytes_of_int16 = 2;
constexpr int bytes_of_float32 = 3;

// What a block of a model does with several matrices of one form and one x, all in float32:
// y_i = x w_i^T, where x may be normalized first, and y_0 be added to something, or be the gate of
// y_1.
struct Projection {
  static constexpr int most = 4;

  QuantizedMatrix w[most];
  float* y[most]; // count * w.rows elements each; of a gate and what it lets through the first alone
  int matrices;
  const float* x; // count rows
  std::size_t count;
  bool normalized;
  const float* norm; // the weight of the norm, or null
  float eps;
  const float* residual; // added to y_0, or null
  bool gated;
  Map activation; // of a gate
  int bytes, threads;
  void* scratch;
};

struct Quantized {
  // How much memory `product` needs for `count` rows x of `length` elements and `threads` threads.
  std::size_t (*scratch)(std::size_t count, std::size_t length, int bytes, int threads);

  // y = x w^T for `count` rows of x; y has count * w.rows elements of y's type. A row of y depends
  // on no other, nor on their count. Each group of 32 elements of x is written as integers of
  // `bytes` bytes with a scale of their own; the products of integers are exact.
  void (*product)(
      const QuantizedMatrix& w,
      const void* x,
      Float x_type,
      void* y,
      Float y_type,
      std::size_t count,
      int bytes,
      int threads,
      void* scratch);

  // The same of a projection whose matrices, count, bytes and threads are known.
  std::size_t (*projection_scratch)(const Projection& p);
  void (*project)(const Projection& p);

  MLXC_TABLE_OF_DOTS(Quantized);
};

} // namespace mlxc::cpu
