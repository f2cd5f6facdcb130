// Products with quantized matrices as primitives.
#include "operations.h"
#include "quantized.h"

#include <algorithm>

#ifndef MLXC_FOREIGN
#include "mlx/ops.h"

namespace mlxc::cpu {
namespace {

class QuantizedMatmul : public Kernel {
 public:
  QuantizedMatmul(mx::Stream stream, Fallback fallback, Form form)
      : Kernel(stream, std::move(fallback)), form_(form) {}

  DEFINE_NAME(CpuQuantizedMatmul)

  std::vector<mx::Shape> output_shapes(const Arrays& inputs) override {
    auto shape = inputs[0].shape();
    shape.back() = inputs[1].shape(0);
    return {shape};
  }

  bool is_equivalent(const Primitive& other) const override {
    return form_ == static_cast<const QuantizedMatmul&>(other).form_;
  }

  // More rows of x are no other operation; what MLX's own has for other axes it says itself.
  std::pair<Arrays, std::vector<int>> vmap(
      const Arrays& inputs, const std::vector<int>& axes) override {
    if (axes[0] < 0 || std::any_of(axes.begin() + 1, axes.end(), [](int a) { return a >= 0; })) {
      return Kernel::vmap(inputs, axes);
    }
    Arrays moved = inputs;
    moved[0] = mx::moveaxis(inputs[0], axes[0], 0, stream());
    auto type = type_of(inputs[0], inputs[2]);
    auto same = std::make_shared<QuantizedMatmul>(stream(), fallback(), form_);
    auto shape = output_shapes(moved)[0];
    return {{mx::array(std::move(shape), type, std::move(same), std::move(moved))}, {0}};
  }

  void eval_cpu(const Arrays& inputs, Arrays& outputs) override {
    auto& y = outputs[0];
    allocate(y);
    if (!y.size()) {
      return;
    }
    auto x = row_contiguous(inputs[0], stream());
    auto packed = row_contiguous(inputs[1], stream());
    auto scales = row_contiguous(inputs[2], stream());
    const void* biases = nullptr;
    if (inputs.size() > 3) {
      biases = row_contiguous(inputs[3], stream()).data<void>();
    }
    auto w = matrix_of(packed, scales, biases, form_, x.shape(-1));
    auto& kernels = pick<Quantized>();
    size_t count = x.size() / w.length;
    int most = threads();
    auto* memory = scratch_of(kernels.scratch(count, w.length, form_.bytes, most), stream());
    dispatch(
        stream(),
        [product = kernels.product,
         w,
         x = x.data<void>(),
         x_type = float_of(x.dtype()),
         y = y.data<void>(),
         y_type = float_of(y.dtype()),
         count,
         form = form_,
         most,
         memory] {
          product(w, x, x_type, y, y_type, count, form.bytes, most, memory);
        });
  }

 private:
  Form form_;
};

} // namespace

mx::array quantized_matmul(
    const mx::array& x,
    const mx::array& w,
    const mx::array& scales,
    const std::optional<mx::array>& biases,
    bool transpose,
    std::optional<int> group_size,
    std::optional<int> bits,
    const std::string& mode,
    mx::Stream s) {
  auto theirs = [=](const Arrays& inputs) -> Arrays {
    auto biases = inputs.size() > 3 ? std::optional(inputs[3]) : std::nullopt;
    return {mx::quantized_matmul(
        inputs[0], inputs[1], inputs[2], biases, transpose, group_size, bits, mode, s)};
  };
  Arrays inputs{x, w, scales};
  if (biases) {
    inputs.push_back(*biases);
  }
  auto form = form_of(group_size, bits, mode);
  if (!usable(s) || !form || !transpose || x.ndim() < 2 || w.ndim() != 2 ||
      !is_float(x.dtype()) || !is_matrix(w, scales, biases, *form, x.shape(-1))) {
    return theirs(inputs)[0];
  }
  auto shape = x.shape();
  shape.back() = w.shape(0);
  auto primitive = std::make_shared<QuantizedMatmul>(s, theirs, *form);
  return mx::array(std::move(shape), type_of(x, scales), std::move(primitive), std::move(inputs));
}

} // namespace mlxc::cpu
#endif

extern "C" int mlxc_cpu_quantized_matmul(
    mlx_array* res,
    const mlx_array x,
    const mlx_array w,
    const mlx_array scales,
    const mlx_array biases,
    bool transpose,
    mlx_optional_int group_size,
    mlx_optional_int bits,
    const char* mode,
    const mlx_stream s)
    MLXC_CPU_BODY(
        mlx_quantized_matmul(res, x, w, scales, biases, transpose, group_size, bits, mode, s),
        set(res,
            cpu::quantized_matmul(
                get(x),
                get(w),
                get(scales),
                maybe(biases),
                transpose,
                optional(group_size),
                optional(bits),
                text(mode),
                get(s))))
