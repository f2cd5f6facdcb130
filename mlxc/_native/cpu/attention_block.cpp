// The half of a block in which tokens see each other: x plus attention of its norm, with the cache
// it writes, as one primitive.
#include "attention_step.h"

#ifndef MLXC_FOREIGN
#include "mlx/fast.h"
#include "mlx/ops.h"

namespace mlxc::cpu {
namespace {

constexpr const char* NAME = "attention_block";

// Of inputs; behind them the norms of heads and the frequencies.
enum { X, KEYS, VALUES, NORM, Q, K = Q + 3, V = K + 3, O = V + 3, REST = O + 3 };

struct AttentionForm {
  Form in, out;
  float eps;
  StepForm step;

  bool operator==(const AttentionForm&) const = default;
};

// What is computed, of MLX's operations.
Arrays composed(const Arrays& inputs, const AttentionForm& form, mx::Stream s) {
  auto& step = form.step;
  int B = inputs[X].shape(0), L = inputs[X].shape(1), D = inputs[KEYS].shape(3);
  auto x = mx::fast::rms_norm(inputs[X], inputs[NORM], form.eps, s);
  auto freqs = step.base ? std::nullopt : std::optional(inputs.back());
  auto heads = [&](int matrix, int features) {
    auto y = times_matrix(x, inputs, matrix, form.in, s);
    return mx::reshape(y, {B, L, -1, features}, s);
  };
  auto turned = [&](int matrix, int norm) {
    auto y = heads(matrix, D);
    if (step.head_eps) {
      y = mx::fast::rms_norm(y, inputs[norm], *step.head_eps, s);
    }
    return mx::fast::rope(
        mx::transpose(y, {0, 2, 1, 3}, s), step.dims, step.traditional, step.base, step.rope_scale,
        step.start, freqs, s);
  };
  auto write = [&](int buffer, const mx::array& rows) {
    auto stop = inputs[buffer].shape();
    stop[2] = step.start + L;
    auto written = mx::slice_update(inputs[buffer], rows, {0, 0, step.start, 0}, stop, s);
    return std::pair(written, mx::slice(written, {0, 0, 0, 0}, stop, s));
  };
  auto [keys, seen_keys] = write(KEYS, turned(K, REST + 1));
  auto v = mx::transpose(heads(V, inputs[VALUES].shape(3)), {0, 2, 1, 3}, s);
  auto [values, seen_values] = write(VALUES, v);
  auto out = mx::fast::scaled_dot_product_attention(
      turned(Q, REST), seen_keys, seen_values, step.scale, step.causal ? "causal" : "",
      std::nullopt, std::nullopt, false, s);
  out = mx::reshape(mx::transpose(out, {0, 2, 1, 3}, s), {B, L, -1}, s);
  return {mx::add(inputs[X], times_matrix(out, inputs, O, form.out, s), s), keys, values};
}

class AttentionBlock : public Kernel {
 public:
  AttentionBlock(mx::Stream stream, AttentionForm form)
      : Kernel(
            stream,
            [form, stream](const Arrays& inputs) { return composed(inputs, form, stream); }),
        form_(form) {}

  DEFINE_NAME(CpuAttentionBlock)

  std::vector<mx::Shape> output_shapes(const Arrays& inputs) override {
    return {inputs[X].shape(), inputs[KEYS].shape(), inputs[VALUES].shape()};
  }

  bool is_equivalent(const Primitive& other) const override {
    return form_ == static_cast<const AttentionBlock&>(other).form_;
  }

  void eval_cpu(const Arrays& inputs, Arrays& outputs) override {
    letting_go(inputs, outputs, [&] { attend(inputs, outputs); });
  }

 private:
  void attend(const Arrays& inputs, Arrays& outputs) {
    auto &y = outputs[0], &keys = outputs[1], &values = outputs[2];
    donate_or_allocate(inputs[X], y); // x is read before y is written, or in the same place
    auto x = row_contiguous(inputs[X], stream());
    std::vector<RowCopy> copies; // of buffers that others read
    write_over(inputs[KEYS], keys, stream(), copies);
    write_over(inputs[VALUES], values, stream(), copies);

    auto count = x.size() / static_cast<size_t>(x.shape(2));
    auto in = projection_of(inputs, Q, 3, form_.in, count, stream());
    auto out = projection_of(inputs, O, 1, form_.out, count, stream());
    auto vector = [&](int input) { return row_contiguous(inputs[input], stream()).data<float>(); };
    in.x = out.residual = x.data<float>();
    in.normalized = true;
    in.norm = vector(NORM);
    in.eps = form_.eps;
    out.y[0] = y.data<float>();

    auto& kernels = pick<Quantized>();
    Workspace work;
    size_t projected[3];
    for (int i = 0; i < 3; i++) {
      projected[i] = work.next(count * in.w[i].rows * sizeof(float));
    }
    auto attended = work.next(count * out.w[0].length * sizeof(float));
    auto scratch =
        work.next(std::max(kernels.projection_scratch(in), kernels.projection_scratch(out)));
    AttentionStep step(
        form_.step, x.shape(1), in.w[0].rows / keys.shape(3), keys, values, work);
    work.allocate(stream());
    for (int i = 0; i < 3; i++) {
      in.y[i] = work.floats(projected[i]);
    }
    auto* result = work.floats(attended);
    out.x = result;
    in.scratch = out.scratch = work.floats(scratch);
    bool normed = form_.step.head_eps.has_value();
    step.place(
        work, in.y[0], in.y[1], in.y[2], normed ? vector(REST) : nullptr,
        normed ? vector(REST + 1) : nullptr,
        form_.step.base ? nullptr : vector(static_cast<int>(inputs.size()) - 1), result);
    dispatch(
        stream(), [in, out, step, copies = std::move(copies), project = kernels.project] {
          for (auto& copy : copies) {
            copy.run();
          }
          project(in);
          step.run();
          project(out);
        });
  }

  AttentionForm form_;
};

void check(const Arrays& inputs, const AttentionForm& form) {
  auto &x = inputs[X], &keys = inputs[KEYS], &values = inputs[VALUES];
  if (x.ndim() != 3 || keys.ndim() != 4 || values.ndim() != 4 || !x.size() || !keys.size() ||
      !values.size()) {
    refuse(NAME, "x must be (B, L, D_x), keys and values (B, H_kv, S, D), and hold something.");
  }
  int B = x.shape(0), L = x.shape(1), width = x.shape(2);
  int heads = keys.shape(1), D = keys.shape(3), D_v = values.shape(3);
  if (keys.shape(0) != B || values.shape(0) != B || values.shape(1) != heads ||
      values.shape(2) != keys.shape(2)) {
    refuse(NAME, "keys and values must agree in B, H_kv and S, and with x in B.");
  }
  auto& step = form.step;
  if (step.start < 0 || L > keys.shape(2) - step.start) {
    refuse(NAME, "the rows must lie within keys and values.");
  }
  if (step.dims <= 0 || step.dims % 2 || step.dims > D) {
    refuse(NAME, "dims must be even, and at most the features of a head.");
  }
  size_t norms = step.head_eps ? 2 : 0, freqs = step.base ? 0 : 1;
  if (inputs.size() != REST + norms + freqs) {
    refuse(NAME, "weights must be a norm, four matrices of three arrays each, and what is left.");
  }
  auto is_vector = [&](size_t i, int size) {
    if (inputs[i].shape() != mx::Shape{size} || inputs[i].dtype() != mx::float32) {
      refuse(NAME, "norms and frequencies must be float32 of the size of what they belong to.");
    }
  };
  is_vector(NORM, width);
  for (size_t i = 0; i < norms; i++) {
    is_vector(REST + i, D);
  }
  if (freqs) {
    is_vector(inputs.size() - 1, step.dims / 2);
  }
  for (auto* a : {&x, &keys, &values}) {
    if (a->dtype() != mx::float32) {
      refuse(NAME, "x, keys and values must be float32.");
    }
  }
  int queries = inputs[Q].ndim() ? inputs[Q].shape(0) / D : 0;
  if (queries % heads) {
    refuse(NAME, "there must be a multiple of the heads of the keys.");
  }
  check_matrix(inputs, Q, form.in, queries * D, width, NAME);
  check_matrix(inputs, K, form.in, heads * D, width, NAME);
  check_matrix(inputs, V, form.in, heads * D_v, width, NAME);
  check_matrix(inputs, O, form.out, width, queries * D_v, NAME);
}

Arrays attention_block(
    const mx::array& x,
    const mx::array& keys,
    const mx::array& values,
    const Arrays& weights,
    const AttentionForm& form,
    mx::Stream s) {
  if (weights.size() < REST - NORM) {
    refuse(NAME, "weights must begin with a norm and four matrices of three arrays each.");
  }
  Arrays inputs{x, keys, values};
  inputs.insert(inputs.end(), weights.begin(), weights.end());
  check(inputs, form);
  if (!usable(s)) {
    return composed(inputs, form, s);
  }
  return mx::array::make_arrays(
      {x.shape(), keys.shape(), values.shape()}, {mx::float32, mx::float32, mx::float32},
      std::make_shared<AttentionBlock>(s, form), inputs);
}

} // namespace
} // namespace mlxc::cpu
#endif

extern "C" int mlxc_cpu_attention_block(
    mlx_vector_array* res,
    const mlx_array x,
    const mlx_array keys,
    const mlx_array values,
    const mlx_vector_array weights,
    int group_size,
    int bits,
    int group_size_out,
    int bits_out,
    float eps,
    mlx_optional_float head_eps,
    int start,
    float scale,
    bool causal,
    int dims,
    bool traditional,
    mlx_optional_float base,
    float rope_scale,
    const mlx_stream s) MLXC_BODY({
  using namespace cpu;
  AttentionForm form{
      affine_form(group_size, bits, NAME),
      affine_form(group_size_out, bits_out, NAME),
      eps,
      {start, scale, causal, optional(head_eps), dims, traditional, optional(base), rope_scale}};
  set(res, attention_block(get(x), get(keys), get(values), get(weights), form, get(s)));
})
