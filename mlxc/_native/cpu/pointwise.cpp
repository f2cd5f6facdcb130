// Functions of one element as primitives.
#include "operations.h"

#ifndef MLXC_FOREIGN
#include <cmath>

#include "kernels/pointwise.h"
#include "mlx/ops.h"

namespace mlxc::cpu {
namespace {

// The function, made of MLX's operations.
mx::array composed(Map map, const mx::array& x, mx::Stream s) {
  // A number as an array of the type of floats that x has or becomes.
  auto type = mx::issubdtype(x.dtype(), mx::inexact) ? x.dtype() : mx::float32;
  auto number = [type](double value) { return mx::array(value, type); };
  auto times_gate = [&](const mx::array& v) { return mx::multiply(x, mx::sigmoid(v, s), s); };
  switch (map) {
    case Map::exp:
      return mx::exp(x, s);
    case Map::sigmoid:
      return mx::sigmoid(x, s);
    case Map::log:
      return mx::log(x, s);
    case Map::silu:
      return times_gate(x);
    case Map::gelu: {
      auto e = mx::erf(mx::multiply(x, number(std::sqrt(0.5)), s), s);
      return mx::multiply(mx::multiply(x, mx::add(e, number(1), s), s), number(0.5), s);
    }
    case Map::gelu_tanh: {
      auto cubic = mx::add(mx::multiply(mx::square(x, s), number(0.044715), s), number(1), s);
      return times_gate(mx::multiply(mx::multiply(x, cubic, s), number(1.59576912), s));
    }
    default:
      return times_gate(mx::multiply(x, number(1.702), s));
  }
}

class Mapped : public Kernel {
 public:
  Mapped(mx::Stream stream, Map map)
      : Kernel(
            stream,
            [stream, map](const Arrays& inputs) -> Arrays {
              auto y = composed(map, inputs[0], stream);
              return {inputs.size() > 1 ? mx::multiply(y, inputs[1], stream) : y};
            }),
        map_(map) {}

  bool is_equivalent(const Primitive& other) const override {
    return map_ == static_cast<const Mapped&>(other).map_;
  }

  std::vector<mx::Shape> output_shapes(const Arrays& inputs) override {
    return {inputs[0].shape()};
  }

 protected:
  Map map_;
};

class Plain : public Mapped {
 public:
  using Mapped::Mapped;

  DEFINE_NAME(CpuMap)

  void eval_cpu(const Arrays& inputs, Arrays& outputs) override {
    auto& y = outputs[0];
    bool dense = inputs[0].flags().contiguous; // in any order of axes: y takes the same
    if (dense && inputs[0].is_donatable()) {
      y.copy_shared_buffer(inputs[0]);
    } else if (dense) {
      auto& x = inputs[0];
      auto data = mx::allocator::malloc(x.data_size() * x.itemsize());
      y.set_data(std::move(data), x.data_size(), x.strides(), x.flags());
    } else {
      allocate(y);
    }
    auto x = dense ? inputs[0] : row_contiguous(inputs[0], stream());
    dispatch(
        stream(),
        [kernel = pick<Pointwise>().plain[static_cast<int>(map_)][static_cast<int>(
             float_of(x.dtype()))],
         x = x.data<void>(),
         y = y.data<void>(),
         size = y.data_size()] { kernel(x, y, size); });
  }
};

class Gated : public Mapped {
 public:
  using Mapped::Mapped;

  DEFINE_NAME(CpuGatedMap)

  void eval_cpu(const Arrays& inputs, Arrays& outputs) override {
    auto& y = outputs[0];
    auto &gate = inputs[0], &x = inputs[1];
    donate_or_allocate(gate.is_donatable() && gate.flags().row_contiguous ? gate : x, y);
    if (!y.size()) {
      return;
    }
    auto length = gate.ndim() ? static_cast<size_t>(gate.shape(-1)) : 1;
    dispatch(
        stream(),
        [kernel = pick<Pointwise>().gated[static_cast<int>(map_)][static_cast<int>(
             float_of(x.dtype()))],
         gate = rows_of(gate, stream()),
         x = rows_of(x, stream()),
         y = y.data<void>(),
         rows = y.size() / length,
         length] { kernel(gate, x, y, rows, length); });
  }
};

mx::array apply(Map map, const mx::array& x, mx::Stream s) {
  if (!usable(s) || !is_float(x.dtype())) {
    return composed(map, x, s);
  }
  return mx::array(x.shape(), x.dtype(), std::make_shared<Plain>(s, map), {x});
}

} // namespace

mx::array activation(
    Map map, const mx::array& gate, const std::optional<mx::array>& x, mx::Stream s) {
  if (!x) {
    return apply(map, gate, s);
  }
  if (!usable(s) || !is_float(gate.dtype()) || gate.dtype() != x->dtype() ||
      gate.shape() != x->shape()) {
    return mx::multiply(composed(map, gate, s), *x, s);
  }
  return mx::array(gate.shape(), gate.dtype(), std::make_shared<Gated>(s, map), {gate, *x});
}

mx::array composed_activation(
    Map map, const mx::array& gate, const std::optional<mx::array>& x, mx::Stream s) {
  auto y = composed(map, gate, s);
  return x ? mx::multiply(y, *x, s) : y;
}

} // namespace mlxc::cpu
#endif

extern "C" int mlxc_cpu_exp(mlx_array* res, const mlx_array a, const mlx_stream s) MLXC_CPU_BODY(
    mlx_exp(res, a, s), set(res, cpu::apply(cpu::Map::exp, get(a), get(s))))

extern "C" int mlxc_cpu_sigmoid(mlx_array* res, const mlx_array a, const mlx_stream s)
    MLXC_CPU_BODY(
        mlx_sigmoid(res, a, s), set(res, cpu::apply(cpu::Map::sigmoid, get(a), get(s))))

extern "C" int mlxc_cpu_log(mlx_array* res, const mlx_array a, const mlx_stream s) MLXC_CPU_BODY(
    mlx_log(res, a, s), set(res, cpu::apply(cpu::Map::log, get(a), get(s))))

extern "C" int mlxc_cpu_activation(
    mlx_array* res,
    const mlx_array gate,
    const mlx_array x,
    int activation,
    const mlx_stream s)
    MLXC_BODY(set(
        res,
        cpu::activation(static_cast<cpu::Map>(activation), get(gate), maybe(x), get(s))))
