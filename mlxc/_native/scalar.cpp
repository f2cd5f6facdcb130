// Python scalars as 0-d arrays of a wanted type.
#include "mlxc.h"

#include <bit>
#include <cmath>
#include <complex>

namespace {

uint16_t to_bfloat16(float value) {
  if (std::isnan(value)) {
    return 0x7fc0;
  }
  auto bits = std::bit_cast<uint32_t>(value);
  return static_cast<uint16_t>((bits + 0x7fff + ((bits >> 16) & 1)) >> 16);
}

uint16_t to_float16(float value) {
  auto bits = std::bit_cast<uint32_t>(value);
  uint16_t sign = (bits >> 16) & 0x8000;
  float magnitude = std::fabs(value);
  if (std::isnan(value)) {
    return sign | 0x7e00;
  }
  if (magnitude >= 65520.0f) { // halfway above the largest finite value
    return sign | 0x7c00;
  }
  if (magnitude < 0x1p-14f) { // subnormal: a multiple of 2^-24
    return sign | static_cast<uint16_t>(std::nearbyint(magnitude * 0x1p24f));
  }
  uint32_t rounded = (bits & 0x7fffffff) + 0xfff + ((bits >> 13) & 1);
  return sign | static_cast<uint16_t>((rounded - (112u << 23)) >> 13);
}

template <typename T>
mlx_array scalar(T value, mlx_dtype dtype) {
  return mlx_array_new_data(&value, nullptr, 0, dtype);
}

template <typename V>
mlx_array convert(V value, mlx_dtype dtype) {
  switch (dtype) {
    case MLX_BOOL:
      return scalar<uint8_t>(value != 0, dtype);
    case MLX_UINT8:
      return scalar(static_cast<uint8_t>(value), dtype);
    case MLX_UINT16:
      return scalar(static_cast<uint16_t>(value), dtype);
    case MLX_UINT32:
      return scalar(static_cast<uint32_t>(value), dtype);
    case MLX_UINT64:
      return scalar(static_cast<uint64_t>(value), dtype);
    case MLX_INT8:
      return scalar(static_cast<int8_t>(value), dtype);
    case MLX_INT16:
      return scalar(static_cast<int16_t>(value), dtype);
    case MLX_INT32:
      return scalar(static_cast<int32_t>(value), dtype);
    case MLX_INT64:
      return scalar(static_cast<int64_t>(value), dtype);
    case MLX_FLOAT16:
      return scalar(to_float16(static_cast<float>(value)), dtype);
    case MLX_BFLOAT16:
      return scalar(to_bfloat16(static_cast<float>(value)), dtype);
    case MLX_FLOAT32:
      return scalar(static_cast<float>(value), dtype);
    case MLX_FLOAT64:
      return scalar(static_cast<double>(value), dtype);
    case MLX_COMPLEX64:
      return scalar(std::complex<float>(static_cast<float>(value)), dtype);
  }
  return mlx_array{nullptr};
}

} // namespace

extern "C" mlx_array mlxc_scalar_int(int64_t value, mlx_dtype dtype) {
  return convert(value, dtype);
}

extern "C" mlx_array mlxc_scalar_float(double value, mlx_dtype dtype) {
  return convert(value, dtype);
}
