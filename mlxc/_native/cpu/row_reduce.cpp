// Softmax and what reduces the last axis to one element, as primitives.
#include "primitive.h"

#ifndef MLXC_FOREIGN
#include "kernels/arg_reduce.h"
#include "kernels/softmax.h"
#include "mlx/ops.h"

namespace mlxc::cpu {
namespace {

class RowSoftmax : public Kernel {
 public:
  using Kernel::Kernel;

  DEFINE_NAME(CpuSoftmax)

  bool is_equivalent(const Primitive&) const override {
    return true;
  }

  std::vector<mx::Shape> output_shapes(const Arrays& inputs) override {
    return {inputs[0].shape()};
  }

  void eval_cpu(const Arrays& inputs, Arrays& outputs) override {
    auto& y = outputs[0];
    donate_or_allocate(inputs[0], y);
    if (!y.size()) {
      return;
    }
    auto& x = inputs[0];
    auto length = static_cast<size_t>(x.shape(-1));
    dispatch(
        stream(),
        [kernel = pick<Softmax>().softmax[static_cast<int>(float_of(x.dtype()))],
         x = rows_of(x, stream()),
         y = y.data<void>(),
         rows = y.size() / length,
         length] { kernel(x, y, rows, length); });
  }
};

// Reduces the last axis, which stays with length 1 or goes.
class RowReduction : public Kernel {
 public:
  RowReduction(mx::Stream stream, Fallback fallback, bool keepdims)
      : Kernel(stream, std::move(fallback)), keepdims_(keepdims) {}

  static mx::Shape reduced(const mx::Shape& shape, bool keepdims) {
    auto result = shape;
    result.pop_back();
    if (keepdims) {
      result.push_back(1);
    }
    return result;
  }

  std::vector<mx::Shape> output_shapes(const Arrays& inputs) override {
    return {reduced(inputs[0].shape(), keepdims_)};
  }

 protected:
  // Dispatches kernel(rows, y, number of rows, length).
  template <class Y, class Find>
  void reduce(Find kernel, const mx::array& x, mx::array& y) {
    allocate(y);
    auto length = static_cast<size_t>(x.shape(-1));
    dispatch(
        stream(),
        [kernel,
         x = rows_of(x, stream()),
         y = y.data<Y>(),
         rows = length ? x.size() / length : 0,
         length] {
          kernel(x, y, rows, length);
        });
  }

  bool keepdims_;
};

class LogSumExp : public RowReduction {
 public:
  using RowReduction::RowReduction;

  DEFINE_NAME(CpuLogSumExp)

  bool is_equivalent(const Primitive& other) const override {
    return keepdims_ == static_cast<const LogSumExp&>(other).keepdims_;
  }

  void eval_cpu(const Arrays& inputs, Arrays& outputs) override {
    auto type = static_cast<int>(float_of(inputs[0].dtype()));
    reduce<void>(pick<Softmax>().logsumexp[type], inputs[0], outputs[0]);
  }
};

class ArgOfRow : public RowReduction {
 public:
  ArgOfRow(mx::Stream stream, Fallback fallback, bool keepdims, bool least)
      : RowReduction(stream, std::move(fallback), keepdims), least_(least) {}

  DEFINE_NAME(CpuArgReduce)

  bool is_equivalent(const Primitive& other) const override {
    auto& arg = static_cast<const ArgOfRow&>(other);
    return keepdims_ == arg.keepdims_ && least_ == arg.least_;
  }

  void eval_cpu(const Arrays& inputs, Arrays& outputs) override {
    auto type = static_cast<int>(float_of(inputs[0].dtype()));
    auto& table = pick<ArgReduce>();
    reduce<uint32_t>(least_ ? table.least[type] : table.greatest[type], inputs[0], outputs[0]);
  }

 private:
  bool least_;
};

// Whether the axis is the last one of an array with elements that kernels know.
bool fits(const mx::array& a, int axis, mx::Stream s) {
  int last = static_cast<int>(a.ndim()) - 1;
  return usable(s) && last >= 0 && (axis == last || axis == -1) && a.size() && is_float(a.dtype());
}

mx::array softmax(const mx::array& a, int axis, bool precise, mx::Stream s) {
  if (!fits(a, axis, s)) {
    return mx::softmax(a, axis, precise, s);
  }
  auto theirs = [precise, s](const Arrays& inputs) -> Arrays {
    return {mx::softmax(inputs[0], -1, precise, s)};
  };
  return mx::array(a.shape(), a.dtype(), std::make_shared<RowSoftmax>(s, theirs), {a});
}

mx::array logsumexp(const mx::array& a, int axis, bool keepdims, mx::Stream s) {
  if (!fits(a, axis, s)) {
    return mx::logsumexp(a, axis, keepdims, s);
  }
  auto theirs = [keepdims, s](const Arrays& inputs) -> Arrays {
    return {mx::logsumexp(inputs[0], -1, keepdims, s)};
  };
  auto shape = RowReduction::reduced(a.shape(), keepdims);
  return mx::array(shape, a.dtype(), std::make_shared<LogSumExp>(s, theirs, keepdims), {a});
}

mx::array arg_reduce(const mx::array& a, int axis, bool keepdims, bool least, mx::Stream s) {
  if (!fits(a, axis, s)) {
    return least ? mx::argmin(a, axis, keepdims, s) : mx::argmax(a, axis, keepdims, s);
  }
  auto theirs = [keepdims, least, s](const Arrays& inputs) -> Arrays {
    auto& a = inputs[0];
    return {least ? mx::argmin(a, -1, keepdims, s) : mx::argmax(a, -1, keepdims, s)};
  };
  auto shape = RowReduction::reduced(a.shape(), keepdims);
  auto primitive = std::make_shared<ArgOfRow>(s, theirs, keepdims, least);
  return mx::array(shape, mx::uint32, primitive, {a});
}

} // namespace
} // namespace mlxc::cpu
#endif

extern "C" int mlxc_cpu_softmax_axis(
    mlx_array* res, const mlx_array a, int axis, bool precise, const mlx_stream s)
    MLXC_CPU_BODY(
        mlx_softmax_axis(res, a, axis, precise, s),
        set(res, cpu::softmax(get(a), axis, precise, get(s))))

extern "C" int mlxc_cpu_logsumexp_axis(
    mlx_array* res, const mlx_array a, int axis, bool keepdims, const mlx_stream s)
    MLXC_CPU_BODY(
        mlx_logsumexp_axis(res, a, axis, keepdims, s),
        set(res, cpu::logsumexp(get(a), axis, keepdims, get(s))))

extern "C" int mlxc_cpu_argmax_axis(
    mlx_array* res, const mlx_array a, int axis, bool keepdims, const mlx_stream s)
    MLXC_CPU_BODY(
        mlx_argmax_axis(res, a, axis, keepdims, s),
        set(res, cpu::arg_reduce(get(a), axis, keepdims, false, get(s))))

extern "C" int mlxc_cpu_argmin_axis(
    mlx_array* res, const mlx_array a, int axis, bool keepdims, const mlx_stream s)
    MLXC_CPU_BODY(
        mlx_argmin_axis(res, a, axis, keepdims, s),
        set(res, cpu::arg_reduce(get(a), axis, keepdims, true, get(s))))

// Over all axes: with one axis that is the last.

extern "C" int mlxc_cpu_softmax(mlx_array* res, const mlx_array a, bool precise, const mlx_stream s) {
  return mlx_array_ndim(a) == 1 ? mlxc_cpu_softmax_axis(res, a, 0, precise, s)
                                : mlx_softmax(res, a, precise, s);
}

extern "C" int mlxc_cpu_logsumexp(
    mlx_array* res, const mlx_array a, bool keepdims, const mlx_stream s) {
  return mlx_array_ndim(a) == 1 ? mlxc_cpu_logsumexp_axis(res, a, 0, keepdims, s)
                                : mlx_logsumexp(res, a, keepdims, s);
}

extern "C" int mlxc_cpu_argmax(mlx_array* res, const mlx_array a, bool keepdims, const mlx_stream s) {
  return mlx_array_ndim(a) == 1 ? mlxc_cpu_argmax_axis(res, a, 0, keepdims, s)
                                : mlx_argmax(res, a, keepdims, s);
}

extern "C" int mlxc_cpu_argmin(mlx_array* res, const mlx_array a, bool keepdims, const mlx_stream s) {
  return mlx_array_ndim(a) == 1 ? mlxc_cpu_argmin_axis(res, a, 0, keepdims, s)
                                : mlx_argmin(res, a, keepdims, s);
}
