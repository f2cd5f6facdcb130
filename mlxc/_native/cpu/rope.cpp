// Rotary positions as a primitive.
#include "primitive.h"

#ifndef MLXC_FOREIGN
#include "angles.h"
#include "kernels/rope.h"
#include "mlx/fast.h"
#include "mlx/ops.h"

namespace mlxc::cpu {
namespace {

using Maybe = std::optional<mx::array>;

struct Spec {
  int dims;
  bool traditional;
  std::optional<float> base; // else the last input has frequencies
  float scale;
  std::optional<int> offset; // else input 1 has one or one a sequence

  bool operator==(const Spec&) const = default;
};

class RotaryPositions : public Kernel {
 public:
  RotaryPositions(mx::Stream stream, Fallback fallback, Spec spec)
      : Kernel(stream, std::move(fallback)), spec_(spec) {}

  DEFINE_NAME(CpuRoPE)

  std::vector<mx::Shape> output_shapes(const Arrays& inputs) override {
    return {inputs[0].shape()};
  }

  bool is_equivalent(const Primitive& other) const override {
    return spec_ == static_cast<const RotaryPositions&>(other).spec_;
  }

  void eval_cpu(const Arrays& inputs, Arrays& outputs) override {
    auto& y = outputs[0];
    donate_or_allocate(inputs[0], y);
    if (!y.size()) {
      return;
    }
    auto& x = inputs[0];
    auto type = static_cast<int>(float_of(x.dtype()));
    auto& table = pick<Rope>();
    Rope::Job job{};
    job.x = rows_of(x, stream());
    job.y = y.data<void>();
    job.features = static_cast<size_t>(x.shape(-1));
    job.rows = x.size() / job.features;
    job.dims = static_cast<size_t>(spec_.dims);
    job.positions = static_cast<size_t>(x.shape(-2));
    job.rows_per_sequence = job.rows / static_cast<size_t>(x.shape(0));
    dispatch(
        stream(),
        [kernel = spec_.traditional ? table.neighbours[type] : table.halves[type],
         job,
         offset = spec_.offset.value_or(0),
         offsets = spec_.offset ? nullptr : row_contiguous(inputs[1], stream()).data<int32_t>(),
         sequences = spec_.offset ? 1 : inputs[1].size(),
         is_unsigned = !spec_.offset && inputs[1].dtype() == mx::uint32,
         freqs = spec_.base ? nullptr : row_contiguous(inputs.back(), stream()).data<float>(),
         spec = spec_]() mutable {
          AngleSpec wanted{
              spec.dims, spec.traditional, spec.base.value_or(0), spec.scale, {}, {}, job.positions};
          if (freqs) {
            wanted.freqs.assign(freqs, freqs + spec.dims / 2);
          }
          for (size_t i = 0; i < sequences; i++) {
            int64_t first = offsets ? offsets[i] : offset;
            wanted.offsets.push_back(is_unsigned ? static_cast<uint32_t>(first) : first);
          }
          auto& found = angles(std::move(wanted));
          job.cosines = found.cosines.data();
          job.sines = found.sines.data();
          job.sequence_step = sequences > 1 ? job.positions * job.dims : 0;
          kernel(job);
        });
  }

 private:
  Spec spec_;
};

// Whether these are arguments that MLX accepts and kernels know.
bool fits(const mx::array& x, const Spec& spec, const Maybe& offset, const Maybe& freqs) {
  if (x.ndim() < 3 || !is_float(x.dtype()) || spec.dims <= 0 || spec.dims % 2 ||
      spec.dims > x.shape(-1) || spec.base.has_value() == freqs.has_value()) {
    return false;
  }
  if (freqs && (!is_float(freqs->dtype()) || freqs->shape() != mx::Shape{spec.dims / 2})) {
    return false;
  }
  return !offset ||
      (offset->ndim() <= 1 && mx::issubdtype(offset->dtype(), mx::integer) &&
       (offset->size() == 1 || offset->size() == static_cast<size_t>(x.shape(0))));
}

mx::array rope(
    const mx::array& x, const Spec& spec, const Maybe& offset, const Maybe& freqs, mx::Stream s) {
  auto theirs = [spec, s, dynamic = offset.has_value()](const Arrays& inputs) -> Arrays {
    auto freqs = spec.base ? std::nullopt : Maybe(inputs.back());
    auto& [dims, traditional, base, scale, start] = spec;
    return {
        dynamic ? mx::fast::rope(inputs[0], dims, traditional, base, scale, inputs[1], freqs, s)
                : mx::fast::rope(inputs[0], dims, traditional, base, scale, *start, freqs, s)};
  };
  Arrays inputs{x};
  if (offset) {
    inputs.push_back(offset->dtype().size() == 4 ? *offset : mx::astype(*offset, mx::int32, s));
  }
  if (freqs) {
    inputs.push_back(mx::astype(*freqs, mx::float32, s));
  }
  return mx::array(
      x.shape(), x.dtype(), std::make_shared<RotaryPositions>(s, theirs, spec), inputs);
}

} // namespace
} // namespace mlxc::cpu
#endif

extern "C" int mlxc_cpu_rope(
    mlx_array* res,
    const mlx_array x,
    int dims,
    bool traditional,
    mlx_optional_float base,
    float scale,
    int offset,
    const mlx_array freqs,
    const mlx_stream s)
    MLXC_CPU_BODY(mlx_fast_rope(res, x, dims, traditional, base, scale, offset, freqs, s), {
      cpu::Spec spec{dims, traditional, optional(base), scale, offset};
      bool fits = cpu::usable(get(s)) && cpu::fits(get(x), spec, std::nullopt, maybe(freqs));
      set(res,
          fits ? cpu::rope(get(x), spec, std::nullopt, maybe(freqs), get(s))
               : mlx::core::fast::rope(
                     get(x), dims, traditional, spec.base, scale, offset, maybe(freqs), get(s)));
    })

extern "C" int mlxc_cpu_rope_dynamic(
    mlx_array* res,
    const mlx_array x,
    int dims,
    bool traditional,
    mlx_optional_float base,
    float scale,
    const mlx_array offset,
    const mlx_array freqs,
    const mlx_stream s)
    MLXC_CPU_BODY(mlx_fast_rope_dynamic(res, x, dims, traditional, base, scale, offset, freqs, s), {
      cpu::Spec spec{dims, traditional, optional(base), scale, std::nullopt};
      bool fits = cpu::usable(get(s)) && cpu::fits(get(x), spec, get(offset), maybe(freqs));
      set(res,
          fits ? cpu::rope(get(x), spec, get(offset), maybe(freqs), get(s))
               : mlx::core::fast::rope(
                     get(x), dims, traditional, spec.base, scale, get(offset), maybe(freqs), get(s)));
    })
