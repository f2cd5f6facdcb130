// Products with quantized matrices as primitives.
#include "primitive.h"

#include <algorithm>

#ifndef MLXC_FOREIGN
#include "kernels/quantized.h"
#include "mlx/ops.h"

namespace mlxc::cpu {
namespace {

std::optional<Packing> packing_of(const std::string& mode, int bits) {
  if (mode == "mxfp4") {
    return bits == 4 ? std::optional(Packing::mxfp4) : std::nullopt;
  }
  for (int i = 0; mode == "affine" && i < static_cast<int>(Packing::mxfp4); i++) {
    if (bits_of(static_cast<Packing>(i)) == bits) {
      return static_cast<Packing>(i);
    }
  }
  return std::nullopt;
}

// How a matrix is quantized, and how the other operand is written.
struct Form {
  Packing packing;
  int group, bytes;

  bool operator==(const Form& other) const {
    return packing == other.packing && group == other.group && bytes == other.bytes;
  }
};

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
    auto type = inputs.size() > 3 ? mx::promote_types(inputs[0].dtype(), inputs[2].dtype())
                                  : inputs[0].dtype();
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
    auto length = static_cast<size_t>(x.shape(-1));
    QuantizedMatrix w{
        packed.data<uint8_t>(),
        scales.data<void>(),
        biases,
        form_.packing,
        scales.dtype() == mx::uint8 ? Scale::e8m0
                                    : static_cast<Scale>(float_of(scales.dtype())),
        static_cast<size_t>(packed.shape(0)),
        length,
        form_.group};
    auto& kernels = pick<Quantized>();
    size_t count = x.size() / length;
    int most = threads();
    auto bytes = kernels.scratch(count, length, form_.bytes, most);
    constexpr size_t page = 4096;
    mx::Shape pages{static_cast<int>(bytes / page + 1), page};
    mx::array scratch(pages, mx::uint8, nullptr, {});
    allocate(scratch);
    mx::cpu::get_command_encoder(stream()).add_temporary(scratch);
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
         memory = scratch.data<void>()] {
          product(w, x, x_type, y, y_type, count, form.bytes, most, memory);
        });
  }

 private:
  Form form_;
};

// Whether arrays are a matrix that kernels multiply rows of `length` elements with.
bool is_matrix(
    const mx::array& w,
    const mx::array& scales,
    const std::optional<mx::array>& biases,
    const Form& form,
    int length) {
  bool affine = form.packing != Packing::mxfp4;
  mx::Shape of_scales{w.shape(0), length / form.group};
  int64_t bits = static_cast<int64_t>(length) * bits_of(form.packing);
  return length > 0 && length % form.group == 0 && w.dtype() == mx::uint32 &&
      static_cast<int64_t>(w.shape(1)) * 32 == bits &&
      scales.shape() == of_scales && biases.has_value() == affine &&
      (affine ? is_float(scales.dtype()) && biases->dtype() == scales.dtype() &&
                   biases->shape() == of_scales
              : scales.dtype() == mx::uint8);
}

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
  int group = group_size.value_or(mode == "affine" ? 64 : 32);
  auto packing = packing_of(mode, bits.value_or(4));
  bool group_fits = group == 32 || (mode == "affine" && (group == 64 || group == 128));
  auto theirs = [=](const Arrays& inputs) -> Arrays {
    auto biases = inputs.size() > 3 ? std::optional(inputs[3]) : std::nullopt;
    return {mx::quantized_matmul(
        inputs[0], inputs[1], inputs[2], biases, transpose, group_size, bits, mode, s)};
  };
  Arrays inputs{x, w, scales};
  if (biases) {
    inputs.push_back(*biases);
  }
  if (!usable(s) || !packing || !group_fits || !transpose || x.ndim() < 2 || w.ndim() != 2 ||
      !is_float(x.dtype())) {
    return theirs(inputs)[0];
  }
  Form form{*packing, group, int8_activations() ? bytes_of_int8 : bytes_of_float32};
  if (!is_matrix(w, scales, biases, form, x.shape(-1))) {
    return theirs(inputs)[0];
  }
  auto shape = x.shape();
  shape.back() = w.shape(0);
  auto type = biases ? mx::promote_types(x.dtype(), scales.dtype()) : x.dtype();
  auto primitive = std::make_shared<QuantizedMatmul>(s, theirs, form);
  return mx::array(std::move(shape), type, std::move(primitive), std::move(inputs));
}

} // namespace
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
