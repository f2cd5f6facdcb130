// The greatest elements of rows as primitives.
#include "primitive.h"

#ifndef MLXC_FOREIGN
#include <limits>

#include "kernels/top.h"
#include "mlx/ops.h"

namespace mlxc::cpu {
namespace {

constexpr int shortest = 512; // below it a call counts for more than what it does

mx::array nothing(const mx::array& a) {
  return mx::array(-std::numeric_limits<float>::infinity(), a.dtype());
}

mx::array composed_k(const mx::array& a, int k, mx::Stream s) {
  auto order = mx::argpartition(mx::negative(mx::stop_gradient(a, s), s), k - 1, -1, s);
  mx::Shape start(a.ndim(), 0);
  start.back() = k;
  auto others = mx::slice(order, std::move(start), order.shape(), s);
  return mx::put_along_axis(a, others, nothing(a), -1, s);
}

mx::array composed_p(const mx::array& a, double p, mx::Stream s) {
  auto scores = mx::stop_gradient(a, s);
  auto order = mx::argsort(scores, -1, s);
  auto ascending = mx::astype(mx::take_along_axis(scores, order, -1, s), mx::float32, s);
  auto reached = mx::cumsum(mx::exp(ascending, s), -1, false, true, s);
  int last = a.shape(-1) - 1;
  auto kept = mx::logical_or(
      mx::greater(reached, mx::array(static_cast<float>(1 - p)), s),
      mx::equal(mx::arange(last + 1, s), mx::array(last), s), s);
  auto nowhere = mx::zeros(a.shape(), mx::bool_, s);
  return mx::where(mx::put_along_axis(nowhere, order, kept, -1, s), a, nothing(a), s);
}

// Keeps the k greatest elements, or the likeliest up to p where k is 0.
class KeepTop : public Kernel {
 public:
  KeepTop(mx::Stream stream, int k, double p)
      : Kernel(
            stream,
            [stream, k, p](const Arrays& inputs) -> Arrays {
              return {k ? composed_k(inputs[0], k, stream) : composed_p(inputs[0], p, stream)};
            }),
        k_(k),
        p_(p) {}

  DEFINE_NAME(CpuKeepTop)

  std::vector<mx::Shape> output_shapes(const Arrays& inputs) override {
    return {inputs[0].shape()};
  }

  bool is_equivalent(const Primitive& other) const override {
    auto& that = static_cast<const KeepTop&>(other);
    return k_ == that.k_ && p_ == that.p_;
  }

  // More rows are no other operation.
  std::pair<Arrays, std::vector<int>> vmap(
      const Arrays& inputs, const std::vector<int>& axes) override {
    auto rows = mx::moveaxis(inputs[0], axes[0], 0, stream());
    auto same = std::make_shared<KeepTop>(stream(), k_, p_);
    return {{mx::array(rows.shape(), rows.dtype(), std::move(same), {rows})}, {0}};
  }

  void eval_cpu(const Arrays& inputs, Arrays& outputs) override {
    auto& x = inputs[0];
    auto& y = outputs[0];
    allocate(y);
    if (!y.size()) {
      return;
    }
    auto length = static_cast<size_t>(x.shape(-1));
    auto& kernels = pick<Top>();
    mx::array memory({k_ ? 0 : x.shape(-1)}, mx::float32, nullptr, {});
    allocate(memory);
    mx::cpu::get_command_encoder(stream()).add_temporary(memory);
    dispatch(
        stream(),
        [&kernels,
         x = rows_of(x, stream()),
         y = y.data<float>(),
         rows = y.size() / length,
         length,
         k = static_cast<size_t>(k_),
         p = p_,
         memory = memory.data<float>()] {
          k ? kernels.k(x, y, rows, length, k) : kernels.p(x, y, rows, length, p, memory);
        });
  }

 private:
  int k_;
  double p_;
};

bool fits(const mx::array& a, mx::Stream s) {
  return usable(s) && a.dtype() == mx::float32 && a.shape(-1) >= shortest;
}

void check(bool holds, const char* operation, const char* rule) {
  if (!holds) {
    throw std::invalid_argument(std::string("[") + operation + "] " + rule);
  }
}

mx::array kept(const mx::array& a, int k, double p, mx::Stream s) {
  return mx::array(a.shape(), a.dtype(), std::make_shared<KeepTop>(s, k, p), {a});
}

mx::array keep_top_k(const mx::array& a, int k, mx::Stream s) {
  check(a.ndim() && is_float(a.dtype()), "keep_top_k", "There must be rows of floats.");
  check(k > 0, "keep_top_k", "k must be at least 1.");
  if (k >= a.shape(-1)) {
    return a;
  }
  return fits(a, s) ? kept(a, k, 0, s) : composed_k(a, k, s);
}

mx::array keep_top_p(const mx::array& a, double p, mx::Stream s) {
  check(a.ndim() && is_float(a.dtype()), "keep_top_p", "There must be rows of floats.");
  check(p > 0 && p <= 1, "keep_top_p", "p must be above 0 and at most 1.");
  return fits(a, s) ? kept(a, 0, p, s) : composed_p(a, p, s);
}

} // namespace
} // namespace mlxc::cpu
#endif

// No operations of mlx-c's stand for these; what calls them elsewhere composes them.

extern "C" int mlxc_cpu_keep_top_k(mlx_array* res, const mlx_array a, int k, const mlx_stream s)
    MLXC_BODY(set(res, cpu::keep_top_k(get(a), k, get(s))))

extern "C" int mlxc_cpu_keep_top_p(mlx_array* res, const mlx_array a, double p, const mlx_stream s)
    MLXC_BODY(set(res, cpu::keep_top_p(get(a), p, get(s))))
