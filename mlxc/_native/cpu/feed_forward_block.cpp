// The half of a block that maps each token: x plus a gated layer of its norm, as one primitive.
#include "block.h"

#ifndef MLXC_FOREIGN
#include <algorithm>

#include "mlx/fast.h"
#include "mlx/ops.h"

namespace mlxc::cpu {
namespace {

constexpr const char* NAME = "feed_forward_block";

// Of inputs.
enum { X, NORM, GATE, UP = GATE + 3, DOWN = UP + 3, COUNT = DOWN + 3 };

struct FeedForward {
  Form in, out;
  float eps;
  Map activation;

  bool operator==(const FeedForward&) const = default;
};

Arrays composed(const Arrays& inputs, const FeedForward& form, mx::Stream s) {
  auto x = mx::fast::rms_norm(inputs[X], inputs[NORM], form.eps, s);
  auto gate = times_matrix(x, inputs, GATE, form.in, s);
  auto up = times_matrix(x, inputs, UP, form.in, s);
  auto hidden = composed_activation(form.activation, gate, up, s);
  return {mx::add(inputs[X], times_matrix(hidden, inputs, DOWN, form.out, s), s)};
}

class FeedForwardBlock : public Kernel {
 public:
  FeedForwardBlock(mx::Stream stream, FeedForward form)
      : Kernel(
            stream,
            [form, stream](const Arrays& inputs) { return composed(inputs, form, stream); }),
        form_(form) {}

  DEFINE_NAME(CpuFeedForwardBlock)

  std::vector<mx::Shape> output_shapes(const Arrays& inputs) override {
    return {inputs[X].shape()};
  }

  bool is_equivalent(const Primitive& other) const override {
    return form_ == static_cast<const FeedForwardBlock&>(other).form_;
  }

  // More rows of x are no other operation; MLX says itself what it has not.
  std::pair<Arrays, std::vector<int>> vmap(
      const Arrays& inputs, const std::vector<int>& axes) override {
    if (axes[X] < 0 || std::any_of(axes.begin() + 1, axes.end(), [](int a) { return a >= 0; })) {
      return Kernel::vmap(inputs, axes);
    }
    Arrays moved = inputs;
    moved[X] = mx::moveaxis(inputs[X], axes[X], 0, stream());
    auto same = std::make_shared<FeedForwardBlock>(stream(), form_);
    auto shape = moved[X].shape();
    return {{mx::array(std::move(shape), mx::float32, std::move(same), std::move(moved))}, {0}};
  }

  void eval_cpu(const Arrays& inputs, Arrays& outputs) override {
    donate_or_allocate(inputs[X], outputs[0]); // x is read before, or in the same place
    auto x = row_contiguous(inputs[X], stream());
    auto count = x.size() / static_cast<size_t>(x.shape(-1));
    auto in = projection_of(inputs, GATE, 2, form_.in, count, stream());
    auto out = projection_of(inputs, DOWN, 1, form_.out, count, stream());
    in.x = out.residual = x.data<float>();
    in.normalized = in.gated = true;
    in.norm = row_contiguous(inputs[NORM], stream()).data<float>();
    in.eps = form_.eps;
    in.activation = form_.activation;
    if (!count) {
      return;
    }
    auto& kernels = pick<Quantized>();
    Workspace work;
    auto hidden = work.next(count * in.w[0].rows * sizeof(float));
    auto scratch =
        work.next(std::max(kernels.projection_scratch(in), kernels.projection_scratch(out)));
    work.allocate(stream());
    in.y[0] = work.floats(hidden);
    out.x = in.y[0];
    out.y[0] = outputs[0].data<float>();
    in.scratch = out.scratch = work.floats(scratch);
    dispatch(stream(), [in, out, project = kernels.project] {
      project(in);
      project(out);
    });
  }

 private:
  FeedForward form_;
};

mx::array feed_forward_block(
    const mx::array& x, const Arrays& weights, const FeedForward& form, mx::Stream s) {
  if (weights.size() != COUNT - 1) {
    refuse(NAME, "weights must be a norm and three matrices of three arrays each.");
  }
  if (x.ndim() < 2 || x.dtype() != mx::float32 || weights[0].dtype() != mx::float32) {
    refuse(NAME, "x (..., D) and the norm must be float32.");
  }
  Arrays inputs{x};
  inputs.insert(inputs.end(), weights.begin(), weights.end());
  int D = x.shape(-1), hidden = inputs[GATE].ndim() ? inputs[GATE].shape(0) : 0;
  if (inputs[NORM].shape() != mx::Shape{D}) {
    refuse(NAME, "the norm must have the shape (D,) of the last axis of x.");
  }
  check_matrix(inputs, GATE, form.in, hidden, D, NAME);
  check_matrix(inputs, UP, form.in, hidden, D, NAME);
  check_matrix(inputs, DOWN, form.out, D, hidden, NAME);
  if (!usable(s)) {
    return composed(inputs, form, s)[0];
  }
  auto primitive = std::make_shared<FeedForwardBlock>(s, form);
  return mx::array(x.shape(), mx::float32, std::move(primitive), std::move(inputs));
}

} // namespace
} // namespace mlxc::cpu
#endif

extern "C" int mlxc_cpu_feed_forward_block(
    mlx_array* res,
    const mlx_array x,
    const mlx_vector_array weights,
    int group_size,
    int bits,
    int group_size_out,
    int bits_out,
    float eps,
    int activation,
    const mlx_stream s) MLXC_BODY({
  using namespace cpu;
  FeedForward form{
      affine_form(group_size, bits, NAME),
      affine_form(group_size_out, bits_out, NAME),
      eps,
      static_cast<Map>(activation)};
  set(res, feed_forward_block(get(x), get(weights), form, get(s)));
})
