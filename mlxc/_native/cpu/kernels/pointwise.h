// Kernels of functions of one element.
#pragma once

#include "../isa.h"
#include "rows.h"
#include "types.h"

#include <cstddef>

namespace mlxc::cpu {

// The activations come first, in the order of cpu.h.
enum class Map { silu, gelu, gelu_tanh, gelu_sigmoid, exp, sigmoid, log };
constexpr int activations = 4, maps = 7;

struct Pointwise {
  // y = f(x); y may lie where x does.
  void (*plain[maps][float_types])(const void* x, void* y, std::size_t size);

  // y = f(gate) * x for `rows` rows of `length` elements; y may lie where one of the two does.
  void (*gated[activations][float_types])(
      Rows gate, Rows x, void* y, std::size_t rows, std::size_t length);

  MLXC_TABLE(Pointwise);
};

} // namespace mlxc::cpu
