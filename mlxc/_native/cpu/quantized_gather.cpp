// Products with quantized matrices chosen by index, as primitives.
#include "quantized.h"

#include <algorithm>

#ifndef MLXC_FOREIGN
#include "mlx/ops.h"

namespace mlxc::cpu {
namespace {

class GatherQMM : public Kernel {
 public:
  GatherQMM(mx::Stream stream, Fallback fallback, Form form)
      : Kernel(stream, std::move(fallback)), form_(form) {}

  DEFINE_NAME(CpuGatherQMM)

  // Inputs are x, the stack of matrices, their scales, biases if there are some, and the indices.
  std::vector<mx::Shape> output_shapes(const Arrays& inputs) override {
    auto shape = inputs.back().shape();
    shape.push_back(inputs[0].shape(-2));
    shape.push_back(inputs[1].shape(-2));
    return {shape};
  }

  bool is_equivalent(const Primitive& other) const override {
    return form_ == static_cast<const GatherQMM&>(other).form_;
  }

  void eval_cpu(const Arrays& inputs, Arrays& outputs) override {
    auto& y = outputs[0];
    allocate(y);
    if (!y.size()) {
      return;
    }
    Arrays whole;
    for (auto& input : inputs) {
      whole.push_back(row_contiguous(input, stream()));
    }
    auto &x = whole[0], &packed = whole[1], &rhs = whole.back(), &lhs = whole[whole.size() - 2];
    auto* biases = whole.size() > 5 ? whole[3].data<void>() : nullptr;
    auto w = matrix_of(packed, whole[2], biases, form_, x.shape(-1));
    auto kernels = kernels_of(form_.packing);
    Task task{
        kernels.product,
        w,
        x.data<char>(),
        y.data<char>(),
        lhs.data<uint32_t>(),
        rhs.data<uint32_t>(),
        rhs.size(),
        static_cast<size_t>(x.shape(-2)),
        x.size() / (x.shape(-2) * w.length),
        static_cast<size_t>(packed.shape(0)),
        packed.nbytes() / packed.shape(0),
        whole[2].nbytes() / packed.shape(0),
        float_of(x.dtype()),
        float_of(y.dtype()),
        x.itemsize(),
        y.itemsize(),
        form_.bytes,
        threads(),
        nullptr};
    auto most = rhs.size() * task.rows;
    auto bytes = kernels.scratch(most, w.length, form_.bytes, task.threads);
    task.scratch = scratch_of(bytes, stream());
    dispatch(stream(), task);
  }

 private:
  struct Task {
    decltype(Quantized::product) product;
    QuantizedMatrix first;
    const char* x;
    char* y;
    const uint32_t *lhs, *rhs;
    size_t indices, rows, xs, matrices, matrix_bytes, scale_bytes;
    Float x_type, y_type;
    size_t x_size, y_size;
    int bytes, threads;
    void* scratch;

    // Indices are held within bounds: beyond, nothing is promised but that memory stays whole.
    size_t x_of(size_t i) const {
      return std::min<size_t>(lhs[i], xs - 1);
    }
    size_t matrix_of(size_t i) const {
      return std::min<size_t>(rhs[i], matrices - 1);
    }

    void operator()() const {
      for (size_t i = 0, run; i < indices; i += run) {
        // Neighbours that meet the same matrix are rows of one product.
        size_t expert = matrix_of(i), from = x_of(i);
        for (run = 1; i + run < indices && matrix_of(i + run) == expert &&
             x_of(i + run) == from + run;
             run++) {
        }
        auto w = first;
        w.packed += expert * matrix_bytes;
        w.scales = static_cast<const char*>(w.scales) + expert * scale_bytes;
        if (w.biases) {
          w.biases = static_cast<const char*>(w.biases) + expert * scale_bytes;
        }
        auto* to = y + i * rows * w.rows * y_size;
        auto* row = x + from * rows * w.length * x_size;
        product(w, row, x_type, to, y_type, run * rows, bytes, threads, scratch);
      }
    }
  };

  Form form_;
};

bool is_index(const mx::array& a) {
  return a.dtype() == mx::uint32 || a.dtype() == mx::int32;
}

mx::array gather_qmm(
    const mx::array& x,
    const mx::array& w,
    const mx::array& scales,
    const std::optional<mx::array>& biases,
    std::optional<mx::array> lhs,
    std::optional<mx::array> rhs,
    bool transpose,
    std::optional<int> group_size,
    std::optional<int> bits,
    const std::string& mode,
    bool sorted,
    mx::Stream s) {
  auto form = form_of(group_size, bits, mode);
  if (!usable(s) || !form || !transpose || !rhs || !is_index(*rhs) || (lhs && !is_index(*lhs)) ||
      x.ndim() < 2 || w.ndim() != 3 || !is_float(x.dtype()) || !x.size() || !w.size() ||
      !is_matrix(w, scales, biases, *form, x.shape(-1))) {
    return mx::gather_qmm(
        x, w, scales, biases, lhs, rhs, transpose, group_size, bits, mode, std::nullopt, sorted, s);
  }
  if (!lhs) {
    mx::Shape shape(x.shape().begin(), x.shape().end() - 2);
    int count = static_cast<int>(x.size() / (static_cast<size_t>(x.shape(-1)) * x.shape(-2)));
    lhs = mx::reshape(mx::arange(0, count, 1, mx::uint32, s), shape, s);
  }
  auto indices = lhs->shape() == rhs->shape() ? Arrays{*lhs, *rhs}
                                              : mx::broadcast_arrays({*lhs, *rhs}, s);
  auto theirs = [=](const Arrays& inputs) -> Arrays {
    auto end = inputs.size();
    auto biases = end > 5 ? std::optional(inputs[3]) : std::nullopt;
    return {mx::gather_qmm(
        inputs[0], inputs[1], inputs[2], biases, inputs[end - 2], inputs[end - 1], transpose,
        group_size, bits, mode, std::nullopt, sorted, s)};
  };
  Arrays inputs{x, w, scales};
  if (biases) {
    inputs.push_back(*biases);
  }
  inputs.insert(inputs.end(), indices.begin(), indices.end());
  auto primitive = std::make_shared<GatherQMM>(s, theirs, *form);
  auto shape = primitive->output_shapes(inputs)[0];
  return mx::array(std::move(shape), type_of(x, scales), std::move(primitive), std::move(inputs));
}

} // namespace
} // namespace mlxc::cpu
#endif

extern "C" int mlxc_cpu_gather_qmm(
    mlx_array* res,
    const mlx_array x,
    const mlx_array w,
    const mlx_array scales,
    const mlx_array biases,
    const mlx_array lhs_indices,
    const mlx_array rhs_indices,
    bool transpose,
    mlx_optional_int group_size,
    mlx_optional_int bits,
    const char* mode,
    bool sorted_indices,
    const mlx_stream s)
    MLXC_CPU_BODY(
        mlx_gather_qmm(
            res, x, w, scales, biases, lhs_indices, rhs_indices, transpose, group_size, bits, mode,
            sorted_indices, s),
        set(res,
            cpu::gather_qmm(
                get(x),
                get(w),
                get(scales),
                maybe(biases),
                maybe(lhs_indices),
                maybe(rhs_indices),
                transpose,
                optional(group_size),
                optional(bits),
                text(mode),
                sorted_indices,
                get(s))))
