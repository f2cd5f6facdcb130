// Attention over keys and values that are read as `quantize` packs them.
#include "attention.h"

#ifndef MLXC_FOREIGN
#include "mlx/ops.h"

namespace mlxc::cpu {
namespace {

// Inputs: queries; words, scales and biases of keys and of values; the mask and the sinks.
mx::array composed(const Arrays& inputs, const AttentionOptions& options, mx::Stream s) {
  auto& q = inputs[0];
  int B = q.shape(0), H = q.shape(1), L = q.shape(2);
  int heads = inputs[1].shape(1), shared = H / heads, S = inputs[1].shape(2);
  // Heads that share keys and values get an axis of their own.
  auto product = [&](const mx::array& x, size_t first, bool transpose) {
    auto part = [&](size_t i) { return mx::expand_dims(inputs[first + i], 2, s); };
    return mx::quantized_matmul(
        x, part(0), part(1), part(2), transpose, options.group_size, options.bits, "affine", s);
  };
  auto x = mx::multiply(q, mx::array(options.scale, q.dtype()), s);
  auto scores = product(mx::reshape(x, {B, heads, shared, L, -1}, s), 1, true);
  auto mask = options.masked ? std::optional(inputs[7]) : std::nullopt;
  if (options.causal) {
    int before = std::max(S - L, 0);
    auto queries = mx::expand_dims(mx::arange(before, before + L, s), 1, s);
    mask = mx::greater_equal(queries, mx::arange(0, S, s), s);
  }
  if (mask) {
    if (mask->ndim() > 2) {
      mask = mx::broadcast_to(*mask, {B, H, L, S}, s);
      mask = mx::unflatten(*mask, 1, {heads, shared}, s);
    }
    // Not minus infinity, of which the padding in front of a row would make NaN.
    auto least = mx::array(mx::finfo(scores.dtype()).min, scores.dtype());
    scores = mask->dtype() == mx::bool_ ? mx::where(*mask, scores, least, s)
                                        : mx::add(scores, *mask, s);
  }
  if (options.sinks) {
    auto sinks = mx::reshape(mx::astype(inputs.back(), scores.dtype(), s), {1, heads, shared, 1, 1}, s);
    sinks = mx::broadcast_to(sinks, {B, heads, shared, L, 1}, s);
    scores = mx::concatenate({scores, sinks}, -1, s);
  }
  auto weights = mx::softmax(scores, -1, true, s);
  if (options.sinks) {
    weights = mx::slice(weights, {0, 0, 0, 0, 0}, {B, heads, shared, L, S}, s);
  }
  return mx::reshape(product(weights, 4, false), {B, H, L, -1}, s);
}

mx::array quantized_attention(
    const mx::array& q,
    const Arrays& packed,
    float scale,
    int group_size,
    int bits,
    bool causal,
    std::optional<mx::array> mask,
    std::optional<mx::array> sinks,
    mx::Stream s) {
  AttentionOptions options{scale, causal, mask.has_value(), sinks.has_value(), bits, group_size};
  auto theirs = [options, s](const Arrays& inputs) -> Arrays {
    return {composed(inputs, options, s)};
  };
  auto type = mx::result_type(q, packed[1], packed[4]);
  if (usable(s) && attention_fits(q, packed[0], packed[3], mask, sinks, type)) {
    int D_v = packed[4].shape(3) * group_size;
    return attention(q, packed, mask, sinks, type, D_v, options, theirs, s);
  }
  Arrays inputs{q};
  inputs.insert(inputs.end(), packed.begin(), packed.end());
  for (auto& given : {mask, sinks}) {
    if (given) {
      inputs.push_back(*given);
    }
  }
  return composed(inputs, options, s);
}

} // namespace
} // namespace mlxc::cpu
#endif

// No operation of mlx-c's stands for this one; what calls it elsewhere composes it.
extern "C" int mlxc_cpu_quantized_attention(
    mlx_array* res,
    const mlx_array q,
    const mlx_array k,
    const mlx_array k_scales,
    const mlx_array k_biases,
    const mlx_array v,
    const mlx_array v_scales,
    const mlx_array v_biases,
    float scale,
    int group_size,
    int bits,
    bool causal,
    const mlx_array mask,
    const mlx_array sinks,
    const mlx_stream s)
    MLXC_BODY(
        set(res,
            cpu::quantized_attention(
                get(q),
                {get(k), get(k_scales), get(k_biases), get(v), get(v_scales), get(v_biases)},
                scale,
                group_size,
                bits,
                causal,
                maybe(mask),
                maybe(sinks),
                get(s))))
