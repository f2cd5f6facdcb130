// float32 as a half type, as a primitive. MLX converts to float16 one element after the other.
#include "primitive.h"

#ifndef MLXC_FOREIGN
#include "kernels/narrow.h"
#include "mlx/ops.h"

namespace mlxc::cpu {
namespace {

class Narrowed : public Kernel {
 public:
  Narrowed(mx::Stream stream, mx::Dtype type)
      : Kernel(
            stream,
            [stream, type](const Arrays& inputs) -> Arrays {
              return {mx::astype(inputs[0], type, stream)};
            }),
        type_(type) {}

  DEFINE_NAME(CpuNarrowed)

  bool is_equivalent(const Primitive& other) const override {
    return type_ == static_cast<const Narrowed&>(other).type_;
  }

  std::vector<mx::Shape> output_shapes(const Arrays& inputs) override {
    return {inputs[0].shape()};
  }

  void eval_cpu(const Arrays& inputs, Arrays& outputs) override {
    auto& y = outputs[0];
    bool dense = inputs[0].flags().contiguous; // in any order of axes: y takes the same
    auto x = dense ? inputs[0] : row_contiguous(inputs[0], stream());
    auto data = mx::allocator::malloc(x.data_size() * y.itemsize());
    y.set_data(std::move(data), x.data_size(), x.strides(), x.flags());
    dispatch(
        stream(),
        [narrow = pick<Narrow>().run[static_cast<int>(float_of(type_))],
         x = x.data<float>(),
         y = y.data<char>(),
         size = y.data_size(),
         itemsize = y.itemsize()] {
          parallel_for(size, 65536, [&](size_t begin, size_t end) {
            narrow(x + begin, y + begin * itemsize, end - begin);
          });
        });
  }

 private:
  mx::Dtype type_;
};

mx::array astype(const mx::array& a, mx::Dtype type, mx::Stream s) {
  bool narrows = a.dtype() == mx::float32 && is_float(type) && type != mx::float32;
  if (!usable(s) || !narrows || !a.size()) {
    return mx::astype(a, type, s);
  }
  return mx::array(a.shape(), type, std::make_shared<Narrowed>(s, type), {a});
}

} // namespace
} // namespace mlxc::cpu
#endif

extern "C" int mlxc_cpu_astype(
    mlx_array* res, const mlx_array a, mlx_dtype dtype, const mlx_stream s)
    MLXC_CPU_BODY(
        mlx_astype(res, a, dtype, s),
        set(res, cpu::astype(get(a), mlxc::dtype(dtype), get(s))))
