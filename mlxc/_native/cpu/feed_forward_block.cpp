// The half of a layer that maps each token as one primitive, for layers whose other half is not.
#include "feed_forward_half.h"

#ifndef MLXC_FOREIGN
#include <algorithm>

#include "mlx/ops.h"

namespace mlxc::cpu {
namespace {

// Of inputs; the weights are behind it.
enum { X, FIRST };

class FeedForwardBlock : public Kernel {
 public:
  FeedForwardBlock(mx::Stream stream, FeedForwardForm form)
      : Kernel(
            stream,
            [form, stream](const Arrays& inputs) -> Arrays {
              return {composed_feed_forward(inputs[X], &inputs[FIRST], form, stream)};
            }),
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
    if (!count) {
      return;
    }
    Workspace work;
    FeedForwardHalf half(
        &inputs[FIRST], form_, count, x.data<float>(), outputs[0].data<float>(), stream(), work);
    work.allocate(stream());
    dispatch(stream(), [half, work]() mutable {
      work.open();
      half.run(work);
    });
  }

 private:
  FeedForwardForm form_;
};

} // namespace

mx::array feed_forward_block(
    const mx::array& x, const mx::array* weights, const FeedForwardForm& form, mx::Stream s) {
  check_feed_forward(x, weights, form);
  if (!usable(s)) {
    return composed_feed_forward(x, weights, form, s);
  }
  Arrays inputs{x};
  inputs.insert(inputs.end(), weights, weights + FeedForwardForm::weights);
  auto primitive = std::make_shared<FeedForwardBlock>(s, form);
  return mx::array(x.shape(), mx::float32, std::move(primitive), std::move(inputs));
}

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
  FeedForwardForm form{
      affine_form(group_size, bits),
      affine_form(group_size_out, bits_out),
      eps,
      static_cast<Map>(activation)};
  auto& given = get(weights);
  if (given.size() != FeedForwardForm::weights) {
    refuse("weights must be a norm and three matrices of three arrays each.");
  }
  set(res, feed_forward_block(get(x), given.data(), form, get(s)));
})
