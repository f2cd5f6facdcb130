#include "feed_forward_half.h"

#ifndef MLXC_FOREIGN
#include <algorithm>

#include "mlx/fast.h"
#include "mlx/ops.h"

namespace mlxc::cpu {
namespace {

// Of its weights.
enum { NORM, GATE, UP = GATE + 3, DOWN = UP + 3 };

} // namespace

FeedForwardHalf::FeedForwardHalf(
    const mx::array* weights, const FeedForwardForm& form, size_t count, const float* x, float* y,
    mx::Stream stream, Workspace& work)
    : in_(projection_of(weights + GATE, 2, form.in, count, stream)),
      out_(projection_of(weights + DOWN, 1, form.out, count, stream)) {
  in_.x = out_.residual = x;
  in_.normalized = in_.gated = true;
  in_.norm = row_contiguous(weights[NORM], stream).data<float>();
  in_.eps = form.eps;
  in_.activation = form.activation;
  out_.y[0] = y;
  hidden_ = work.next(count * in_.w[0].rows * sizeof(float));
  auto& kernels = pick<Quantized>();
  scratch_ = work.next(std::max(kernels.projection_scratch(in_), kernels.projection_scratch(out_)));
}

void FeedForwardHalf::run(const Workspace& work) {
  in_.y[0] = work.floats(hidden_);
  out_.x = in_.y[0];
  in_.scratch = out_.scratch = work.floats(scratch_);
  auto project = pick<Quantized>().project;
  project(in_);
  project(out_);
}

mx::array composed_feed_forward(
    const mx::array& x, const mx::array* weights, const FeedForwardForm& form, mx::Stream s) {
  auto h = mx::fast::rms_norm(x, weights[NORM], form.eps, s);
  auto gate = times_matrix(h, weights + GATE, form.in, s);
  auto up = times_matrix(h, weights + UP, form.in, s);
  auto hidden = composed_activation(form.activation, gate, up, s);
  return mx::add(x, times_matrix(hidden, weights + DOWN, form.out, s), s);
}

void check_feed_forward(
    const mx::array& x, const mx::array* weights, const FeedForwardForm& form) {
  if (x.ndim() < 2 || x.dtype() != mx::float32) {
    refuse("x must be (..., F), and float32.");
  }
  int F = x.shape(-1), hidden = weights[GATE].ndim() ? weights[GATE].shape(0) : 0;
  check_vector(weights[NORM], F);
  check_matrix(weights + GATE, form.in, hidden, F, "the gate");
  check_matrix(weights + UP, form.in, hidden, F, "what the gate lets through");
  check_matrix(weights + DOWN, form.out, F, hidden, "the result");
}

} // namespace mlxc::cpu
#endif
