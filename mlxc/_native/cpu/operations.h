// Operations of kernels that other operations are composed of.
#pragma once

#include "primitive.h"

#ifndef MLXC_FOREIGN
#include "kernels/pointwise.h"

namespace mlxc::cpu {

mx::array rms_norm(
    const mx::array& x, const std::optional<mx::array>& weight, float eps, mx::Stream s);

// f(gate), or f(gate) * x.
mx::array activation(
    Map map, const mx::array& gate, const std::optional<mx::array>& x, mx::Stream s);

// The same of MLX's own operations.
mx::array composed_activation(
    Map map, const mx::array& gate, const std::optional<mx::array>& x, mx::Stream s);

mx::array quantized_matmul(
    const mx::array& x,
    const mx::array& w,
    const mx::array& scales,
    const std::optional<mx::array>& biases,
    bool transpose,
    std::optional<int> group_size,
    std::optional<int> bits,
    const std::string& mode,
    mx::Stream s);

} // namespace mlxc::cpu
#endif
