// Normalization as primitives.
#include "primitive.h"

#ifndef MLXC_FOREIGN
#include "kernels/norm.h"
#include "mlx/fast.h"

namespace mlxc::cpu {
namespace {

class RmsNorm : public Kernel {
 public:
  RmsNorm(mx::Stream stream, Fallback fallback, float eps)
      : Kernel(stream, std::move(fallback)), eps_(eps) {}

  DEFINE_NAME(CpuRMSNorm)

  std::vector<mx::Shape> output_shapes(const Arrays& inputs) override {
    return {inputs[0].shape()};
  }

  bool is_equivalent(const Primitive& other) const override {
    return eps_ == static_cast<const RmsNorm&>(other).eps_;
  }

  void eval_cpu(const Arrays& inputs, Arrays& outputs) override {
    auto& y = outputs[0];
    donate_or_allocate(inputs[0], y);
    auto x = row_contiguous(inputs[0], stream());
    if (!y.size()) {
      return;
    }
    const void* weight = nullptr;
    if (inputs.size() > 1) {
      weight = row_contiguous(inputs[1], stream()).data<void>();
    }
    size_t length = static_cast<size_t>(x.shape(-1));
    dispatch(
        stream(),
        [kernel = pick<Norm>().rms[static_cast<int>(float_of(x.dtype()))],
         x = x.data<void>(),
         weight,
         y = y.data<void>(),
         rows = x.size() / length,
         length,
         eps = eps_] { kernel(x, weight, y, rows, length, eps); });
  }

 private:
  float eps_;
};

mx::array rms_norm(const mx::array& x, std::optional<mx::array> weight, float eps, mx::Stream s) {
  bool fits = usable(s) && x.ndim() && is_float(x.dtype()) &&
      (!weight || (weight->dtype() == x.dtype() && weight->shape() == mx::Shape{x.shape(-1)}));
  if (!fits) {
    return mx::fast::rms_norm(x, weight, eps, s);
  }
  auto theirs = [eps, s](const Arrays& inputs) -> Arrays {
    auto weight = inputs.size() > 1 ? std::optional(inputs[1]) : std::nullopt;
    return {mx::fast::rms_norm(inputs[0], weight, eps, s)};
  };
  Arrays inputs{x};
  if (weight) {
    inputs.push_back(*weight);
  }
  return mx::array(x.shape(), x.dtype(), std::make_shared<RmsNorm>(s, theirs, eps), inputs);
}

} // namespace
} // namespace mlxc::cpu
#endif

extern "C" int mlxc_cpu_rms_norm(
    mlx_array* res, const mlx_array x, const mlx_array weight, float eps, const mlx_stream s)
    MLXC_CPU_BODY(
        mlx_fast_rms_norm(res, x, weight, eps, s),
        set(res, cpu::rms_norm(get(x), maybe(weight), eps, get(s))))
