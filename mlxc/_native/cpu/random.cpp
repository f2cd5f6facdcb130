// Random numbers as primitives: those that MLX draws with the same key.
#include "primitive.h"

#ifndef MLXC_FOREIGN
#include <limits>

#include "kernels/random.h"
#include "mlx/ops.h"
#include "mlx/random.h"

namespace mlxc::cpu {
namespace {

Arrays theirs(
    const mx::Shape& shape, const mx::array& key, Distribution distribution, mx::Stream s) {
  return {
      distribution == Distribution::gumbel ? mx::random::gumbel(shape, mx::float32, key, s)
                                           : mx::random::uniform(shape, mx::float32, key, s)};
}

class Draw : public Kernel {
 public:
  Draw(mx::Stream stream, mx::Shape shape, Distribution distribution)
      : Kernel(
            stream,
            [stream, shape, distribution](const Arrays& inputs) {
              return theirs(shape, inputs[0], distribution, stream);
            }),
        shape_(std::move(shape)),
        distribution_(distribution) {}

  DEFINE_NAME(CpuRandom)

  std::vector<mx::Shape> output_shapes(const Arrays&) override {
    return {shape_};
  }

  bool is_equivalent(const Primitive& other) const override {
    auto& that = static_cast<const Draw&>(other);
    return shape_ == that.shape_ && distribution_ == that.distribution_;
  }

  void eval_cpu(const Arrays& inputs, Arrays& outputs) override {
    auto& y = outputs[0];
    allocate(y);
    if (!y.size()) {
      return;
    }
    auto key = row_contiguous(inputs[0], stream());
    dispatch(
        stream(),
        [draw = pick<Random>().draw[static_cast<int>(distribution_)],
         key = key.data<uint32_t>(),
         y = y.data<float>(),
         size = y.size()] { draw(key, y, size); });
  }

 private:
  mx::Shape shape_;
  Distribution distribution_;
};

// Numbers of float32 drawn with one key, if that is what is asked for.
std::optional<mx::array> drawn(
    const mx::Shape& shape,
    mx::Dtype type,
    const std::optional<mx::array>& key,
    Distribution distribution,
    mx::Stream s) {
  uint64_t size = 1;
  for (int length : shape) {
    if (length < 0 || (size *= static_cast<uint64_t>(length)) > std::numeric_limits<int>::max()) {
      return std::nullopt;
    }
  }
  if (!usable(s) || type != mx::float32 || !key || key->dtype() != mx::uint32 ||
      key->shape() != mx::Shape{2}) {
    return std::nullopt;
  }
  return mx::array(shape, type, std::make_shared<Draw>(s, shape, distribution), {*key});
}

mx::array gumbel(
    const mx::Shape& shape, mx::Dtype type, const std::optional<mx::array>& key, mx::Stream s) {
  auto y = drawn(shape, type, key, Distribution::gumbel, s);
  return y ? *y : mx::random::gumbel(shape, type, key, s);
}

mx::array uniform(
    const mx::array& low,
    const mx::array& high,
    const mx::Shape& shape,
    mx::Dtype type,
    const std::optional<mx::array>& key,
    mx::Stream s) {
  auto y = drawn(shape, type, key, Distribution::uniform, s);
  if (!y || low.ndim() || high.ndim()) {
    return mx::random::uniform(low, high, shape, type, key, s);
  }
  auto from = mx::astype(low, type, s);
  auto width = mx::subtract(mx::astype(high, type, s), from, s);
  return mx::add(mx::multiply(width, *y, s), from, s);
}

} // namespace
} // namespace mlxc::cpu
#endif

extern "C" int mlxc_cpu_random_gumbel(
    mlx_array* res,
    const int* shape,
    size_t shape_num,
    mlx_dtype dtype,
    const mlx_array key,
    const mlx_stream s)
    MLXC_CPU_BODY(
        mlx_random_gumbel(res, shape, shape_num, dtype, key, s),
        set(res,
            cpu::gumbel(
                mlxc::shape(shape, shape_num), mlxc::dtype(dtype), maybe(key), get(s))))

extern "C" int mlxc_cpu_random_uniform(
    mlx_array* res,
    const mlx_array low,
    const mlx_array high,
    const int* shape,
    size_t shape_num,
    mlx_dtype dtype,
    const mlx_array key,
    const mlx_stream s)
    MLXC_CPU_BODY(
        mlx_random_uniform(res, low, high, shape, shape_num, dtype, key, s),
        set(res,
            cpu::uniform(
                get(low),
                get(high),
                mlxc::shape(shape, shape_num),
                mlxc::dtype(dtype),
                maybe(key),
                get(s))))
