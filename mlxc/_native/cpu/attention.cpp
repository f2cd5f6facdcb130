// Attention as a primitive.
#include "attention.h"
#include "row_copy.h"

#ifndef MLXC_FOREIGN
#include "mlx/backend/common/utils.h"
#include "mlx/fast.h"
#include "mlx/ops.h"

namespace mlxc::cpu {
namespace {

template <size_t N>
void copy_strides(const mx::array& a, std::ptrdiff_t (&to)[N]) {
  for (size_t i = 0; i < N; i++) {
    to[i] = a.strides(static_cast<int>(i));
  }
}

// Inputs: queries; keys; values; the mask and the sinks, if there are. Packed keys and values are
// three inputs each: words, scales and biases.
class AttentionKernel : public Kernel {
 public:
  AttentionKernel(mx::Stream stream, Fallback fallback, AttentionOptions options)
      : Kernel(stream, std::move(fallback)), options_(options) {}

  DEFINE_NAME(CpuScaledDotProductAttention)

  std::vector<mx::Shape> output_shapes(const Arrays& inputs) override {
    auto shape = inputs[0].shape();
    shape[3] = options_.bits ? inputs[5].shape(3) * options_.group_size : inputs[2].shape(3);
    return {shape};
  }

  bool is_equivalent(const Primitive& other) const override {
    return options_ == static_cast<const AttentionKernel&>(other).options_;
  }

  void eval_cpu(const Arrays& inputs, Arrays& outputs) override {
    Arrays used;
    used.reserve(inputs.size()); // with the copies where data had to be moved
    auto next = [&]() -> const mx::array& {
      return used.emplace_back(rows_together(inputs[used.size()], stream()));
    };
    auto rows = [&](AttentionRows& to) {
      auto& data = next();
      to.data = data.data<void>();
      copy_strides(data, to.strides);
      if (options_.bits) {
        auto& scales = next();
        to.scales = scales.data<void>();
        copy_strides(scales, to.scale_strides);
        auto& biases = next();
        to.biases = biases.data<void>();
        copy_strides(biases, to.bias_strides);
        to.bits = options_.bits;
        to.group_size = options_.group_size;
      }
    };

    auto& q = next();
    AttentionJob job{};
    job.q = q.data<void>();
    copy_strides(q, job.q_strides);
    rows(job.k);
    job.S = used[1].shape(2);
    job.H_kv = used[1].shape(1);
    rows(job.v);
    if (options_.masked) {
      take_mask(next(), job);
    }
    if (options_.sinks) {
      job.sinks = next().data<void>();
    }
    auto& out = outputs[0];
    give_memory(out);
    job.out = out.data<void>();
    copy_strides(out, job.out_strides);
    job.B = q.shape(0);
    job.H = q.shape(1);
    job.L = q.shape(2);
    job.D = q.shape(3);
    job.D_v = out.shape(3);
    job.scale = options_.scale;
    job.causal = options_.causal;

    auto& kernels = pick<Attention>();
    auto held = float_of(used[options_.bits ? 2 : 1].dtype()); // of keys and values
    size_t parts = attention_parts(job);
    float* memory = nullptr;
    if (size_t room = kernels.room(job, parts)) {
      mx::array temporary({static_cast<int>(room)}, mx::float32, nullptr, {});
      allocate(temporary);
      memory = temporary.data<float>();
      mx::cpu::get_command_encoder(stream()).add_temporary(temporary);
    }
    dispatch(
        stream(),
        [job, parts, memory,
         run = kernels.run[static_cast<int>(float_of(q.dtype()))][static_cast<int>(held)]] {
          run(job, parts, memory);
        });
  }

 private:
  static void take_mask(const mx::array& mask, AttentionJob& job) {
    job.mask = mask.data<void>();
    job.mask_kind =
        mask.dtype() == mx::bool_ ? AttentionMask::boolean : AttentionMask::added;
    for (int i = 1; i <= static_cast<int>(mask.ndim()); i++) {
      job.mask_strides[4 - i] = mask.shape(-i) == 1 ? 0 : mask.strides(-i);
    }
  }

  // Laid out as (B, L, H, D): models join the heads next, which is then no copy.
  static void give_memory(mx::array& out) {
    int64_t D = out.shape(3), H = out.shape(1);
    mx::Strides strides{out.shape(2) * H * D, D, H * D, 1};
    auto [size, rows, columns] = mx::check_contiguity(out.shape(), strides);
    out.set_data(
        mx::allocator::malloc(out.nbytes()), out.size(), strides, {true, rows, columns});
  }

  AttentionOptions options_;
};

bool fits_mask(const mx::array& mask, const mx::Shape& scores, mx::Dtype type) {
  if (mask.ndim() > 4 || (mask.dtype() != mx::bool_ && mx::promote_types(mask.dtype(), type) != type)) {
    return false;
  }
  for (int i = 1; i <= static_cast<int>(mask.ndim()); i++) {
    if (mask.shape(-i) != 1 && mask.shape(-i) != scores[4 - i]) {
      return false;
    }
  }
  return true;
}

} // namespace

size_t attention_parts(const AttentionJob& job) {
  bool small = job.B * job.H * job.L * job.D_v * job.S < 16384;
  return small ? 1 : static_cast<size_t>(threads());
}

bool attention_fits(
    const mx::array& q,
    const mx::array& k,
    const mx::array& v,
    const std::optional<mx::array>& mask,
    const std::optional<mx::array>& sinks,
    mx::Dtype type) {
  return is_float(type) && q.ndim() == 4 && k.ndim() == 4 && v.ndim() == 4 && q.size() &&
      k.size() && v.size() && k.shape(0) == q.shape(0) && v.shape(0) == q.shape(0) &&
      k.shape(1) == v.shape(1) && q.shape(1) % k.shape(1) == 0 && k.shape(2) == v.shape(2) &&
      (!mask ||
       fits_mask(*mask, {q.shape(0), q.shape(1), q.shape(2), k.shape(2)}, type)) &&
      (!sinks ||
       (sinks->shape() == mx::Shape{q.shape(1)} &&
        mx::promote_types(sinks->dtype(), type) == type));
}

mx::array attention(
    const mx::array& q,
    const Arrays& keys_and_values,
    std::optional<mx::array> mask,
    std::optional<mx::array> sinks,
    mx::Dtype type,
    int D_v,
    AttentionOptions options,
    Fallback theirs,
    mx::Stream s) {
  auto cast = [&](const mx::array& a) { return a.dtype() == type ? a : mx::astype(a, type, s); };
  Arrays inputs{cast(q)};
  auto is_words = [&](size_t i) { return options.bits && i % 3 == 0; };
  // Half types are read as they are: what was held before is not to be copied for each query.
  auto held = keys_and_values[options.bits ? 1 : 0].dtype();
  bool as_held = type == mx::float32 && is_float(held);
  for (size_t i = 0; i < keys_and_values.size(); i++) {
    as_held = as_held && (is_words(i) || keys_and_values[i].dtype() == held);
  }
  for (size_t i = 0; i < keys_and_values.size(); i++) {
    auto& given = keys_and_values[i];
    inputs.push_back(as_held || is_words(i) ? given : cast(given));
  }
  if (mask) {
    inputs.push_back(mask->dtype() == mx::bool_ ? *mask : cast(*mask));
  }
  if (sinks) {
    inputs.push_back(cast(*sinks));
  }
  return mx::array(
      mx::Shape{q.shape(0), q.shape(1), q.shape(2), D_v}, type,
      std::make_shared<AttentionKernel>(s, std::move(theirs), options), std::move(inputs));
}

namespace {

mx::array scaled_dot_product_attention(
    const mx::array& q,
    const mx::array& k,
    const mx::array& v,
    float scale,
    const std::string& mode,
    std::optional<mx::array> mask,
    std::optional<mx::array> sinks,
    mx::Stream s) {
  auto type = mx::result_type(q, k, v);
  bool known = mask ? mode == "array" : mode.empty() || mode == "causal";
  // With more queries than keys the first ones see nothing: what MLX makes of that is its own.
  bool fits = known && usable(s) && attention_fits(q, k, v, mask, sinks, type) &&
      k.shape(3) == q.shape(3) && (mode != "causal" || q.shape(2) <= k.shape(2));
  if (!fits) {
    return mx::fast::scaled_dot_product_attention(q, k, v, scale, mode, mask, sinks, false, s);
  }
  AttentionOptions options{scale, mode == "causal", mask.has_value(), sinks.has_value()};
  auto theirs = [options, mode, s](const Arrays& inputs) -> Arrays {
    auto mask = options.masked ? std::optional(inputs[3]) : std::nullopt;
    auto sinks = options.sinks ? std::optional(inputs.back()) : std::nullopt;
    return {mx::fast::scaled_dot_product_attention(
        inputs[0], inputs[1], inputs[2], options.scale, mode, mask, sinks, false, s)};
  };
  return attention(q, {k, v}, mask, sinks, type, v.shape(3), options, theirs, s);
}

} // namespace
} // namespace mlxc::cpu
#endif

extern "C" int mlxc_cpu_scaled_dot_product_attention(
    mlx_array* res,
    const mlx_array q,
    const mlx_array k,
    const mlx_array v,
    float scale,
    const char* mask_mode,
    const mlx_array mask,
    const mlx_array sinks,
    const mlx_stream s)
    MLXC_CPU_BODY(
        mlx_fast_scaled_dot_product_attention(res, q, k, v, scale, mask_mode, mask, sinks, s),
        set(res,
            cpu::scaled_dot_product_attention(
                get(q), get(k), get(v), scale, text(mask_mode), maybe(mask), maybe(sinks), get(s))))
