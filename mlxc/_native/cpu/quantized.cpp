// Products with quantized matrices as primitives.
#include "operations.h"
#include "quantized.h"

#include <algorithm>

#ifndef MLXC_FOREIGN
#include "mlx/ops.h"

namespace mlxc::cpu {
namespace {

using Maybe = std::optional<mx::array>;

class QuantizedMatmul : public Kernel {
 public:
  QuantizedMatmul(mx::Stream stream, Fallback fallback, Form form, bool transpose, std::string mode)
      : Kernel(stream, std::move(fallback)),
        form_(form),
        transpose_(transpose),
        mode_(std::move(mode)) {}

  DEFINE_NAME(CpuQuantizedMatmul)

  std::vector<mx::Shape> output_shapes(const Arrays& inputs) override {
    auto shape = inputs[0].shape();
    shape.back() = transpose_ ? inputs[1].shape(0) : inputs[2].shape(-1) * form_.group;
    return {shape};
  }

  bool is_equivalent(const Primitive& other) const override {
    auto& that = static_cast<const QuantizedMatmul&>(other);
    return form_ == that.form_ && transpose_ == that.transpose_;
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
    auto same = std::make_shared<QuantizedMatmul>(stream(), fallback(), form_, transpose_, mode_);
    auto shape = output_shapes(moved)[0];
    return {{mx::array(std::move(shape), type, std::move(same), std::move(moved))}, {0}};
  }

  // That of x is a product across the matrix.
  Arrays vjp(
      const Arrays& primals,
      const Arrays& cotangents,
      const std::vector<int>& argnums,
      const Arrays& outputs) override {
    Arrays gradients;
    for (int i : argnums) {
      if (i == 0) {
        auto biases = primals.size() > 3 ? Maybe(primals[3]) : std::nullopt;
        auto gradient = quantized_matmul(
            cotangents[0], primals[1], primals[2], biases, !transpose_, form_.group,
            bits_of(form_.packing), mode_, stream());
        gradients.push_back(mx::astype(gradient, primals[0].dtype(), stream()));
      } else {
        gradients.push_back(Kernel::vjp(primals, cotangents, {i}, outputs)[0]);
      }
    }
    return gradients;
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
    auto w = matrix_of(packed, scales, biases, form_, scales.shape(-1) * form_.group);
    size_t count = x.size() / x.shape(-1);
    int most = threads();
    auto kernels = kernels_of(form_.packing);
    size_t bytes;
    if (transpose_) {
      bytes = kernels.scratch(count, w.length, form_.bytes, most);
    } else {
      auto& table = pick<QuantizedFloats>();
      kernels.product = table.product_across;
      bytes = table.scratch_across(count, w.rows, w.length, most);
    }
    auto* memory = scratch_of(bytes, stream());
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
  bool transpose_;
  std::string mode_;
};

} // namespace

mx::array quantized_matmul(
    const mx::array& x,
    const mx::array& w,
    const mx::array& scales,
    const Maybe& biases,
    bool transpose,
    std::optional<int> group_size,
    std::optional<int> bits,
    const std::string& mode,
    mx::Stream s) {
  auto theirs = [=](const Arrays& inputs) -> Arrays {
    auto biases = inputs.size() > 3 ? Maybe(inputs[3]) : std::nullopt;
    return {mx::quantized_matmul(
        inputs[0], inputs[1], inputs[2], biases, transpose, group_size, bits, mode, s)};
  };
  Arrays inputs{x, w, scales};
  if (biases) {
    inputs.push_back(*biases);
  }
  auto form = form_of(group_size, bits, mode);
  bool known = usable(s) && form && x.ndim() >= 2 && w.ndim() == 2 && scales.ndim() == 2 &&
      is_float(x.dtype());
  int length = known ? (transpose ? x.shape(-1) : scales.shape(-1) * form->group) : 0;
  if (!known || !is_matrix(w, scales, biases, *form, length) ||
      (!transpose && (x.shape(-1) != w.shape(0) || !w.shape(0)))) {
    return theirs(inputs)[0];
  }
  if (!transpose) {
    form->bytes = bytes_of_float32; // nothing is rounded
  }
  auto primitive = std::make_shared<QuantizedMatmul>(s, theirs, *form, transpose, mode);
  auto shape = primitive->output_shapes(inputs)[0];
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
