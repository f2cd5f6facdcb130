// The element types of kernels, which know nothing of MLX.
#pragma once

#include <cstdint>

namespace mlxc::cpu {

struct f16 {
  std::uint16_t bits;
};

struct bf16 {
  std::uint16_t bits;
};

// One of the floating point types of kernels; the order is that of tables over them.
enum class Float { f32, f16, bf16 };
constexpr int float_types = 3;

} // namespace mlxc::cpu
