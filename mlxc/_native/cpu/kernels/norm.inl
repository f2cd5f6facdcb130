// Normalization of rows. One pass for the statistics, one for the result: a row of a model fits the
// first cache. Written on vectors of float32, so every instruction set has it.
#include "simd.h"

#include "norm.h"

namespace mlxc::cpu {
namespace MLXC_ISA {
namespace {

template <class T>
float sum_of_squares(const T* x, size_t length) {
  F sums[4] = {splat(0), splat(0), splat(0), splat(0)};
  size_t i = 0;
  for (; i + 4 * W <= length; i += 4 * W) {
    for (int j = 0; j < 4; j++) {
      F part = load(x + i + j * W);
      sums[j] = fma(part, part, sums[j]);
    }
  }
  for (; i + W <= length; i += W) {
    F part = load(x + i);
    sums[0] = fma(part, part, sums[0]);
  }
  if (i < length) {
    F part = load(x + i, static_cast<int>(length - i));
    sums[1] = fma(part, part, sums[1]);
  }
  return sum((sums[0] + sums[1]) + (sums[2] + sums[3]));
}

template <class T>
void rms(
    const void* x_, const void* weight_, void* y_, size_t rows, size_t length, float eps) {
  auto* x = static_cast<const T*>(x_);
  auto* weight = static_cast<const T*>(weight_);
  auto* y = static_cast<T*>(y_);
  parallel_for(rows, 1 + 16384 / (length + 1), [=](size_t begin, size_t end) {
    for (size_t row = begin; row < end; row++) {
      const T* from = x + row * length;
      T* to = y + row * length;
      float mean = sum_of_squares(from, length) / static_cast<float>(length);
      F scale = splat(1.0f / std::sqrt(mean + eps));
      size_t i = 0;
      for (; i + W <= length; i += W) {
        F value = load(from + i) * scale;
        store(to + i, weight ? value * load(weight + i) : value);
      }
      if (int rest = static_cast<int>(length - i)) {
        F value = load(from + i, rest) * scale;
        store(to + i, weight ? value * load(weight + i, rest) : value, rest);
      }
    }
  });
}

} // namespace
} // namespace MLXC_ISA

const Norm Norm::MLXC_ISA = {{
    MLXC_ISA::rms<float>,
    MLXC_ISA::rms<f16>,
    MLXC_ISA::rms<bf16>,
}};

} // namespace mlxc::cpu

MLXC_END_OF_TARGET
