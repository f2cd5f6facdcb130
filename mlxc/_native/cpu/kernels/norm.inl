// Normalization of rows. One pass for each statistic, one for the result: a row of a model fits the
// first cache. Written on vectors of float32, so every instruction set has it.
#include "simd.h"

#include "norm_row.h"

namespace mlxc::cpu {
namespace MLXC_ISA {
namespace {

constexpr size_t grain(size_t length) {
  return 1 + 16384 / (length + 1);
}

template <class X, class Weight>
void rms(Rows x, const void* weight_, void* y_, size_t rows, size_t length, float eps) {
  using Y = std::conditional_t<std::is_same_v<X, Weight>, X, float>;
  auto* weight = static_cast<const Weight*>(weight_);
  auto* y = static_cast<Y*>(y_);
  parallel_for(rows, grain(length), [=](size_t begin, size_t end) {
    x.each<X>(begin, end, [=](size_t row, const X* from) {
      rms_of_row(from, weight, y + row * length, length, eps);
    });
  });
}

template <class T>
void layer(
    Rows x,
    const void* weight_,
    const void* bias_,
    void* y_,
    size_t rows,
    size_t length,
    float eps) {
  auto* weight = static_cast<const T*>(weight_);
  auto* bias = static_cast<const T*>(bias_);
  auto* y = static_cast<T*>(y_);
  parallel_for(rows, grain(length), [=](size_t begin, size_t end) {
    x.each<T>(begin, end, [=](size_t row, const T* from) {
      auto n_elements = static_cast<float>(length);
      F mean = splat(
          sum_of(length, [from](size_t i, int n) { return load_part(from + i, n); }) / n_elements);
      float squares = sum_of(length, [=](size_t i, int n) {
        F part = load_part(from + i, n) - mean;
        part = n == W ? part : keep(part, n);
        return part * part;
      });
      F scale = splat(1.0f / std::sqrt(squares / n_elements + eps));
      T* to = y + row * length;
      each_vector(length, [=](size_t i, int n) {
        F value = (load_part(from + i, n) - mean) * scale;
        value = weight ? value * load_part(weight + i, n) : value;
        store_part(to + i, bias ? value + load_part(bias + i, n) : value, n);
      });
    });
  });
}

} // namespace
} // namespace MLXC_ISA

#define MLXC_ROW(X) \
  {MLXC_ISA::rms<X, float>, MLXC_ISA::rms<X, f16>, MLXC_ISA::rms<X, bf16>}

const Norm Norm::MLXC_ISA = {
    {MLXC_ROW(float), MLXC_ROW(f16), MLXC_ROW(bf16)},
    {MLXC_ISA::layer<float>, MLXC_ISA::layer<f16>, MLXC_ISA::layer<bf16>},
};

#undef MLXC_ROW

} // namespace mlxc::cpu

MLXC_END_OF_TARGET
