// Normalization of one row.
#pragma once

#include "norm.h"
#include "simd.h"

namespace mlxc::cpu::MLXC_ISA {
namespace {

// The sum of part(i, n) over vectors of n elements from i on; beyond n their elements are 0.
template <class Part>
float sum_of(size_t length, Part part) {
  F sums[4] = {splat(0), splat(0), splat(0), splat(0)};
  size_t i = 0;
  for (; i + 4 * W <= length; i += 4 * W) {
    for (int j = 0; j < 4; j++) {
      sums[j] = sums[j] + part(i + j * W, W);
    }
  }
  for (; i + W <= length; i += W) {
    sums[0] = sums[0] + part(i, W);
  }
  if (i < length) {
    sums[1] = sums[1] + part(i, static_cast<int>(length - i));
  }
  return sum((sums[0] + sums[1]) + (sums[2] + sums[3]));
}

// y = x / sqrt(mean(x ** 2) + eps) * weight; weight is 1 where it is null. y may lie where x does.
template <class X, class Weight, class Y>
void rms_of_row(const X* x, const Weight* weight, Y* y, size_t length, float eps) {
  float squares = sum_of(length, [x](size_t i, int n) {
    F part = load_part(x + i, n);
    return part * part;
  });
  F scale = splat(1.0f / std::sqrt(squares / static_cast<float>(length) + eps));
  each_vector(length, [=](size_t i, int n) {
    F value = load_part(x + i, n) * scale;
    store_part(y + i, weight ? value * load_part(weight + i, n) : value, n);
  });
}

} // namespace
} // namespace mlxc::cpu::MLXC_ISA
