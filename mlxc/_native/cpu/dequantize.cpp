// Quantized matrices unpacked, whole or the rows that indices choose, as primitives.
#include "quantized.h"

#include <algorithm>

#ifndef MLXC_FOREIGN
#include "kernels/dequantize.h"
#include "mlx/ops.h"

namespace mlxc::cpu {
namespace {

using Maybe = std::optional<mx::array>;

// Inputs are the matrix, its scales, its biases if there are some, and what a derived class adds.
class Unpacking : public Kernel {
 public:
  Unpacking(mx::Stream stream, Fallback fallback, Form form, mx::Dtype type)
      : Kernel(stream, std::move(fallback)), form_(form), type_(type) {}

  bool is_equivalent(const Primitive& other) const override {
    auto& that = static_cast<const Unpacking&>(other);
    return form_ == that.form_ && type_ == that.type_;
  }

 protected:
  int length(const Arrays& inputs) const {
    return static_cast<int>(
        static_cast<int64_t>(inputs[0].shape(-1)) * 32 / bits_of(form_.packing));
  }

  // All rows of the matrices.
  QuantizedMatrix matrix(const Arrays& inputs) {
    auto packed = row_contiguous(inputs[0], stream());
    auto scales = row_contiguous(inputs[1], stream());
    const void* biases = nullptr;
    if (is_affine(form_.packing)) {
      biases = row_contiguous(inputs[2], stream()).data<void>();
    }
    auto w = matrix_of(packed, scales, biases, form_, length(inputs));
    w.rows = packed.size() / static_cast<size_t>(packed.shape(-1));
    return w;
  }

  // Dispatches the unpacking of row row_of(i) of the matrix to row i of y.
  template <class RowOf>
  void unpack(const QuantizedMatrix& w, mx::array& y, RowOf row_of) {
    dispatch(
        stream(),
        [unpack = pick<Dequantize>().unpack,
         w,
         y = y.data<char>(),
         rows = y.size() / w.length,
         size = w.length * y.itemsize(),
         type = float_of(type_),
         row_of] {
          parallel_for(rows, 1 + 16384 / w.length, [&](size_t begin, size_t end) {
            for (size_t i = begin; i < end; i++) {
              unpack(w, row_of(i), 0, w.length, type, y + i * size);
            }
          });
        });
  }

  Form form_;
  mx::Dtype type_;
};

class DequantizeAll : public Unpacking {
 public:
  using Unpacking::Unpacking;

  DEFINE_NAME(CpuDequantize)

  std::vector<mx::Shape> output_shapes(const Arrays& inputs) override {
    auto shape = inputs[0].shape();
    shape.back() = length(inputs);
    return {shape};
  }

  void eval_cpu(const Arrays& inputs, Arrays& outputs) override {
    allocate(outputs[0]);
    if (outputs[0].size()) {
      unpack(matrix(inputs), outputs[0], [](size_t i) { return i; });
    }
  }
};

// The row of a table that an index means; negative ones count from the end. What is out of bounds
// is held within: there nothing is promised but that memory stays whole.
template <class T>
size_t row_at(const void* indices, size_t i, size_t rows) {
  T index = static_cast<const T*>(indices)[i];
  if constexpr (std::is_signed_v<T>) {
    auto wide = static_cast<int64_t>(index);
    wide += wide < 0 ? static_cast<int64_t>(rows) : 0;
    return static_cast<size_t>(std::clamp<int64_t>(wide, 0, static_cast<int64_t>(rows) - 1));
  } else {
    return std::min(static_cast<size_t>(index), rows - 1);
  }
}

using RowAt = size_t (*)(const void* indices, size_t i, size_t rows);

RowAt reader_of(mx::Dtype type) {
  switch (type) {
    case mx::int8:
      return row_at<int8_t>;
    case mx::int16:
      return row_at<int16_t>;
    case mx::int32:
      return row_at<int32_t>;
    case mx::int64:
      return row_at<int64_t>;
    case mx::uint8:
      return row_at<uint8_t>;
    case mx::uint16:
      return row_at<uint16_t>;
    case mx::uint32:
      return row_at<uint32_t>;
    case mx::uint64:
      return row_at<uint64_t>;
    default:
      return nullptr;
  }
}

class QuantizedTake : public Unpacking {
 public:
  using Unpacking::Unpacking;

  DEFINE_NAME(CpuQuantizedTake)

  std::vector<mx::Shape> output_shapes(const Arrays& inputs) override {
    auto shape = inputs.back().shape();
    shape.push_back(length(inputs));
    return {shape};
  }

  // More indices are no other operation.
  std::pair<Arrays, std::vector<int>> vmap(
      const Arrays& inputs, const std::vector<int>& axes) override {
    if (std::any_of(axes.begin(), axes.end() - 1, [](int axis) { return axis >= 0; })) {
      return Kernel::vmap(inputs, axes);
    }
    auto same = std::make_shared<QuantizedTake>(stream(), fallback(), form_, type_);
    auto shape = output_shapes(inputs)[0];
    return {{mx::array(std::move(shape), type_, std::move(same), inputs)}, {axes.back()}};
  }

  void eval_cpu(const Arrays& inputs, Arrays& outputs) override {
    allocate(outputs[0]);
    if (!outputs[0].size()) {
      return;
    }
    auto w = matrix(inputs);
    auto indices = row_contiguous(inputs.back(), stream());
    unpack(
        w,
        outputs[0],
        [read = reader_of(indices.dtype()), at = indices.data<void>(), rows = w.rows](size_t i) {
          return read(at, i, rows);
        });
  }
};

mx::Dtype type_of_numbers(
    const mx::array& scales, const std::string& mode, std::optional<mx::Dtype> asked) {
  return asked.value_or(mode == "affine" ? scales.dtype() : mx::bfloat16);
}

// The form of a matrix that kernels unpack.
std::optional<Form> unpackable(
    const mx::array& w,
    const mx::array& scales,
    const Maybe& biases,
    std::optional<int> group_size,
    std::optional<int> bits,
    const std::string& mode,
    mx::Dtype type,
    mx::Stream s) {
  auto form = form_of(group_size, bits, mode);
  if (!usable(s) || !form || w.ndim() < 2 || !is_float(type)) {
    return std::nullopt;
  }
  form->bytes = bytes_of_float32; // no operand is rounded
  int64_t length = static_cast<int64_t>(w.shape(-1)) * 32 / bits_of(form->packing);
  bool fits = length <= std::numeric_limits<int>::max() &&
      is_matrix(w, scales, biases, *form, static_cast<int>(length));
  return fits ? form : std::nullopt;
}

mx::array dequantize(
    const mx::array& w,
    const mx::array& scales,
    const Maybe& biases,
    std::optional<int> group_size,
    std::optional<int> bits,
    const std::string& mode,
    const Maybe& global_scale,
    std::optional<mx::Dtype> dtype,
    mx::Stream s) {
  auto type = type_of_numbers(scales, mode, dtype);
  auto form = global_scale
      ? std::nullopt
      : unpackable(w, scales, biases, group_size, bits, mode, type, s);
  if (!form) {
    return mx::dequantize(w, scales, biases, group_size, bits, mode, global_scale, dtype, s);
  }
  auto theirs = [=](const Arrays& inputs) -> Arrays {
    auto biases = inputs.size() > 2 ? Maybe(inputs[2]) : std::nullopt;
    return {mx::dequantize(
        inputs[0], inputs[1], biases, group_size, bits, mode, std::nullopt, dtype, s)};
  };
  Arrays inputs{w, scales};
  if (biases) {
    inputs.push_back(*biases);
  }
  auto primitive = std::make_shared<DequantizeAll>(s, theirs, *form, type);
  auto shape = primitive->output_shapes(inputs)[0];
  return mx::array(std::move(shape), type, std::move(primitive), std::move(inputs));
}

mx::array quantized_take(
    const mx::array& w,
    const mx::array& scales,
    const Maybe& biases,
    const mx::array& indices,
    std::optional<int> group_size,
    std::optional<int> bits,
    const std::string& mode,
    std::optional<mx::Dtype> dtype,
    mx::Stream s) {
  auto type = type_of_numbers(scales, mode, dtype);
  auto theirs = [=](const Arrays& inputs) -> Arrays {
    auto chosen = [&](const mx::array& table) { return mx::take(table, inputs.back(), 0, s); };
    auto scales = chosen(inputs[1]);
    auto biases = inputs.size() > 3 ? Maybe(chosen(inputs[2])) : std::nullopt;
    if (biases && is_float(type)) { // else they would be rounded to the type of the scales first
      scales = mx::astype(scales, type, s);
      biases = mx::astype(*biases, type, s);
    }
    auto words = chosen(inputs[0]);
    bool one = words.ndim() == 1; // less than MLX unpacks
    auto rows = mx::dequantize(
        one ? mx::expand_dims(words, 0, s) : words,
        one ? mx::expand_dims(scales, 0, s) : scales,
        one && biases ? mx::expand_dims(*biases, 0, s) : biases,
        group_size, bits, mode, std::nullopt, dtype, s);
    return {one ? mx::squeeze(rows, 0, s) : rows};
  };
  if (w.ndim() != 2 || scales.ndim() != 2 || (biases && biases->ndim() != 2)) {
    throw std::invalid_argument("[quantized_take] The table must have 2 dimensions.");
  }
  Arrays inputs{w, scales};
  if (biases) {
    inputs.push_back(*biases);
  }
  inputs.push_back(indices);
  auto form = unpackable(w, scales, biases, group_size, bits, mode, type, s);
  if (!form || !reader_of(indices.dtype()) || !w.shape(0)) {
    return theirs(inputs)[0];
  }
  auto primitive = std::make_shared<QuantizedTake>(s, theirs, *form, type);
  auto shape = primitive->output_shapes(inputs)[0];
  return mx::array(std::move(shape), type, std::move(primitive), std::move(inputs));
}

} // namespace
} // namespace mlxc::cpu
#endif

extern "C" int mlxc_cpu_dequantize(
    mlx_array* res,
    const mlx_array w,
    const mlx_array scales,
    const mlx_array biases,
    mlx_optional_int group_size,
    mlx_optional_int bits,
    const char* mode,
    const mlx_array global_scale,
    mlx_optional_dtype dtype,
    const mlx_stream s)
    MLXC_CPU_BODY(
        mlx_dequantize(res, w, scales, biases, group_size, bits, mode, global_scale, dtype, s),
        set(res,
            cpu::dequantize(
                get(w),
                get(scales),
                maybe(biases),
                optional(group_size),
                optional(bits),
                text(mode),
                maybe(global_scale),
                optional(dtype),
                get(s))))

// No operation of mlx-c's stands for this one; what calls it elsewhere composes it.
extern "C" int mlxc_cpu_quantized_take(
    mlx_array* res,
    const mlx_array w,
    const mlx_array scales,
    const mlx_array biases,
    const mlx_array indices,
    mlx_optional_int group_size,
    mlx_optional_int bits,
    const char* mode,
    mlx_optional_dtype dtype,
    const mlx_stream s)
    MLXC_BODY(
        set(res,
            cpu::quantized_take(
                get(w),
                get(scales),
                maybe(biases),
                get(indices),
                optional(group_size),
                optional(bits),
                text(mode),
                optional(dtype),
                get(s))))
