#include "attention_half.h"

#ifndef MLXC_FOREIGN
#include "mlx/fast.h"
#include "mlx/ops.h"

namespace mlxc::cpu {
namespace {

// Of its weights; behind them the norms of heads and the frequencies.
enum { NORM, Q, K = Q + 3, V = K + 3, O = V + 3, REST = O + 3 };

} // namespace

AttentionHalf::AttentionHalf(
    const mx::array* weights, const AttentionForm& form, int L, const float* x, float* y,
    const mx::array& keys, const mx::array& values, mx::Stream stream, Workspace& work)
    : in_(projection_of(
          weights + Q, 3, form.in, static_cast<size_t>(keys.shape(0)) * L, stream)),
      out_(projection_of(weights + O, 1, form.out, in_.count, stream)),
      step_(form.step, L, in_.w[0].rows / keys.shape(3), keys, values, work) {
  auto vector = [&](size_t i) { return row_contiguous(weights[i], stream).data<float>(); };
  in_.x = out_.residual = x;
  in_.normalized = true;
  in_.norm = vector(NORM);
  in_.eps = form.eps;
  out_.y[0] = y;
  if (form.step.head_eps) {
    q_norm_ = vector(REST);
    k_norm_ = vector(REST + 1);
  }
  if (!form.step.base) {
    freqs_ = vector(form.weights() - 1);
  }
  for (int i = 0; i < 3; i++) {
    projected_[i] = work.next(in_.count * in_.w[i].rows * sizeof(float));
  }
  attended_ = work.next(in_.count * out_.w[0].length * sizeof(float));
  auto& kernels = pick<Quantized>();
  scratch_ = work.next(std::max(kernels.projection_scratch(in_), kernels.projection_scratch(out_)));
}

void AttentionHalf::run(const Workspace& work) {
  for (int i = 0; i < 3; i++) {
    in_.y[i] = work.floats(projected_[i]);
  }
  auto* attended = work.floats(attended_);
  out_.x = attended;
  in_.scratch = out_.scratch = work.floats(scratch_);
  step_.place(work, in_.y[0], in_.y[1], in_.y[2], q_norm_, k_norm_, freqs_, attended);
  auto project = pick<Quantized>().project;
  project(in_);
  step_.run();
  project(out_);
}

Arrays composed_attention(
    const mx::array& given, const mx::array& keys, const mx::array& values,
    const mx::array* weights, const AttentionForm& form, mx::Stream s) {
  auto& step = form.step;
  int B = given.shape(0), L = given.shape(1), D = keys.shape(3);
  auto x = mx::fast::rms_norm(given, weights[NORM], form.eps, s);
  auto freqs = step.base ? std::nullopt : std::optional(weights[form.weights() - 1]);
  auto heads = [&](size_t matrix, int features) {
    auto y = times_matrix(x, weights + matrix, form.in, s);
    return mx::reshape(y, {B, L, -1, features}, s);
  };
  auto turned = [&](size_t matrix, size_t norm) {
    auto y = heads(matrix, D);
    if (step.head_eps) {
      y = mx::fast::rms_norm(y, weights[norm], *step.head_eps, s);
    }
    return mx::fast::rope(
        mx::transpose(y, {0, 2, 1, 3}, s), step.dims, step.traditional, step.base, step.rope_scale,
        step.start, freqs, s);
  };
  auto write = [&](const mx::array& buffer, const mx::array& rows) {
    auto stop = buffer.shape();
    stop[2] = step.start + L;
    auto written = mx::slice_update(buffer, rows, {0, 0, step.start, 0}, stop, s);
    return std::pair(written, mx::slice(written, {0, 0, 0, 0}, stop, s));
  };
  auto [new_keys, seen_keys] = write(keys, turned(K, REST + 1));
  auto v = mx::transpose(heads(V, values.shape(3)), {0, 2, 1, 3}, s);
  auto [new_values, seen_values] = write(values, v);
  auto out = mx::fast::scaled_dot_product_attention(
      turned(Q, REST), seen_keys, seen_values, step.scale, step.causal ? "causal" : "",
      std::nullopt, std::nullopt, false, s);
  out = mx::reshape(mx::transpose(out, {0, 2, 1, 3}, s), {B, L, -1}, s);
  return {
      mx::add(given, times_matrix(out, weights + O, form.out, s), s), new_keys, new_values};
}

void check_attention(
    const mx::array& x, const mx::array& keys, const mx::array& values, const mx::array* weights,
    const AttentionForm& form) {
  if (x.ndim() != 3 || keys.ndim() != 4 || values.ndim() != 4 || !x.size() || !keys.size() ||
      !values.size()) {
    refuse("x must be (B, L, F), keys and values (B, H_kv, S, D), and hold something.");
  }
  int B = x.shape(0), L = x.shape(1), F = x.shape(2);
  int heads = keys.shape(1), D = keys.shape(3), D_v = values.shape(3);
  if (keys.shape(0) != B || values.shape(0) != B || values.shape(1) != heads ||
      values.shape(2) != keys.shape(2)) {
    refuse("keys and values must agree in B, H_kv and S, and with x in B.");
  }
  auto& step = form.step;
  if (step.start < 0 || L > keys.shape(2) - step.start) {
    refuse("the rows must lie within keys and values.");
  }
  if (step.dims <= 0 || step.dims % 2 || step.dims > D) {
    refuse("dims must be even, and at most the features of a head.");
  }
  if (x.dtype() != mx::float32 || !is_float(keys.dtype()) || values.dtype() != keys.dtype()) {
    refuse("x must be float32, keys and values of one type: float32, float16 or bfloat16.");
  }
  check_vector(weights[NORM], F);
  for (size_t i = 0; i < (step.head_eps ? 2 : 0); i++) {
    check_vector(weights[REST + i], D);
  }
  if (!step.base) {
    check_vector(weights[form.weights() - 1], step.dims / 2);
  }
  int queries = weights[Q].ndim() ? weights[Q].shape(0) / D : 0;
  if (queries % heads) {
    refuse("there must be a multiple of the heads of the keys.");
  }
  check_matrix(weights + Q, form.in, queries * D, F, "queries");
  check_matrix(weights + K, form.in, heads * D, F, "keys");
  check_matrix(weights + V, form.in, heads * D_v, F, "values");
  check_matrix(weights + O, form.out, F, queries * D_v, "the attended");
}

} // namespace mlxc::cpu
#endif
