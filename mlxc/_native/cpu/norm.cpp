// Normalization as primitives.
#include "operations.h"

#ifndef MLXC_FOREIGN
#include "kernels/norm.h"
#include "mlx/fast.h"
#include "mlx/ops.h"

namespace mlxc::cpu {
namespace {

using Maybe = std::optional<mx::array>;

// Normalizes the rows of its first input.
class RowNorm : public Kernel {
 public:
  RowNorm(mx::Stream stream, Fallback fallback, float eps)
      : Kernel(stream, std::move(fallback)), eps_(eps) {}

  std::vector<mx::Shape> output_shapes(const Arrays& inputs) override {
    return {inputs[0].shape()};
  }

 protected:
  // Where the result goes, and what is read beside x: null where it was not given.
  void* prepare(const mx::array& x, mx::array& y) const {
    donate_or_allocate(x, y);
    return y.data<void>();
  }

  const void* beside(const Arrays& inputs, size_t i, bool given) {
    return given ? row_contiguous(inputs[i], stream()).data<void>() : nullptr;
  }

  float eps_;
};

class RmsNorm : public RowNorm {
 public:
  using RowNorm::RowNorm;

  DEFINE_NAME(CpuRMSNorm)

  bool is_equivalent(const Primitive& other) const override {
    return eps_ == static_cast<const RmsNorm&>(other).eps_;
  }

  void eval_cpu(const Arrays& inputs, Arrays& outputs) override {
    auto* y = prepare(inputs[0], outputs[0]);
    if (!outputs[0].size()) {
      return;
    }
    auto& x = inputs[0];
    bool weighted = inputs.size() > 1;
    auto type = float_of(x.dtype());
    auto weight_type = weighted ? float_of(inputs[1].dtype()) : type;
    auto length = static_cast<size_t>(x.shape(-1));
    dispatch(
        stream(),
        [kernel = pick<Norm>().rms[static_cast<int>(type)][static_cast<int>(weight_type)],
         x = rows_of(x, stream()),
         weight = beside(inputs, 1, weighted),
         y,
         rows = x.size() / length,
         length,
         eps = eps_] { kernel(x, weight, y, rows, length, eps); });
  }
};

class LayerNorm : public RowNorm {
 public:
  LayerNorm(mx::Stream stream, Fallback fallback, float eps, bool weighted, bool biased)
      : RowNorm(stream, std::move(fallback), eps), weighted_(weighted), biased_(biased) {}

  DEFINE_NAME(CpuLayerNorm)

  bool is_equivalent(const Primitive& other) const override {
    auto& norm = static_cast<const LayerNorm&>(other);
    return eps_ == norm.eps_ && weighted_ == norm.weighted_ && biased_ == norm.biased_;
  }

  void eval_cpu(const Arrays& inputs, Arrays& outputs) override {
    auto* y = prepare(inputs[0], outputs[0]);
    if (!outputs[0].size()) {
      return;
    }
    auto& x = inputs[0];
    auto length = static_cast<size_t>(x.shape(-1));
    dispatch(
        stream(),
        [kernel = pick<Norm>().layer[static_cast<int>(float_of(x.dtype()))],
         x = rows_of(x, stream()),
         weight = beside(inputs, 1, weighted_),
         bias = beside(inputs, weighted_ ? 2 : 1, biased_),
         y,
         rows = x.size() / length,
         length,
         eps = eps_] { kernel(x, weight, bias, y, rows, length, eps); });
  }

 private:
  bool weighted_, biased_;
};

// Whether a weight or bias is one that MLX accepts and kernels know.
bool fits(const Maybe& a, const mx::array& x) {
  return !a || (is_float(a->dtype()) && a->shape() == mx::Shape{x.shape(-1)});
}

// MLX goes through the strides of empty arrays without end.
mx::array dense_if_empty(const mx::array& x, mx::Stream s) {
  return x.size() ? x : mx::contiguous(x, false, s);
}

} // namespace

mx::array rms_norm(const mx::array& x, const Maybe& weight, float eps, mx::Stream s) {
  if (!usable(s) || !x.ndim() || !is_float(x.dtype()) || !fits(weight, x)) {
    return mx::fast::rms_norm(dense_if_empty(x, s), weight, eps, s);
  }
  auto theirs = [eps, s](const Arrays& inputs) -> Arrays {
    auto weight = inputs.size() > 1 ? Maybe(inputs[1]) : std::nullopt;
    return {mx::fast::rms_norm(inputs[0], weight, eps, s)};
  };
  Arrays inputs{x};
  auto type = x.dtype();
  if (weight) {
    inputs.push_back(*weight);
    type = mx::promote_types(type, weight->dtype());
  }
  return mx::array(x.shape(), type, std::make_shared<RmsNorm>(s, theirs, eps), inputs);
}

namespace {

mx::array layer_norm(
    const mx::array& x, const Maybe& weight, const Maybe& bias, float eps, mx::Stream s) {
  if (!usable(s) || !x.ndim() || !is_float(x.dtype()) || !fits(weight, x) || !fits(bias, x)) {
    return mx::fast::layer_norm(dense_if_empty(x, s), weight, bias, eps, s);
  }
  auto theirs = [eps, s, weighted = weight.has_value()](const Arrays& inputs) -> Arrays {
    auto weight = weighted ? Maybe(inputs[1]) : std::nullopt;
    bool biased = inputs.size() > 1 + size_t{weighted};
    return {
        mx::fast::layer_norm(inputs[0], weight, biased ? Maybe(inputs.back()) : std::nullopt, eps, s)};
  };
  auto type = x.dtype();
  for (auto& given : {weight, bias}) {
    type = given ? mx::promote_types(type, given->dtype()) : type;
  }
  Arrays inputs{mx::astype(x, type, s)};
  for (auto& given : {weight, bias}) {
    if (given) {
      inputs.push_back(mx::astype(*given, type, s));
    }
  }
  auto norm = std::make_shared<LayerNorm>(s, theirs, eps, weight.has_value(), bias.has_value());
  return mx::array(x.shape(), type, norm, inputs);
}

} // namespace
} // namespace mlxc::cpu
#endif

extern "C" int mlxc_cpu_rms_norm(
    mlx_array* res, const mlx_array x, const mlx_array weight, float eps, const mlx_stream s)
    MLXC_CPU_BODY(
        mlx_fast_rms_norm(res, x, weight, eps, s),
        set(res, cpu::rms_norm(get(x), maybe(weight), eps, get(s))))

extern "C" int mlxc_cpu_layer_norm(
    mlx_array* res,
    const mlx_array x,
    const mlx_array weight,
    const mlx_array bias,
    float eps,
    const mlx_stream s)
    MLXC_CPU_BODY(
        mlx_fast_layer_norm(res, x, weight, bias, eps, s),
        set(res, cpu::layer_norm(get(x), maybe(weight), maybe(bias), eps, get(s))))
