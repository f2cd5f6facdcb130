// Rows written into buffers in place, and views of what the buffers hold then: a step of a cache.
#include "row_copy.h"

#ifndef MLXC_FOREIGN
#include "mlx/backend/common/utils.h"
#include "mlx/ops.h"

namespace mlxc::cpu {
namespace {

// Inputs: buffers (B, H, S, D), then as many rows (B, H, L, D) of their types, or float32 ones for
// buffers of half types. Outputs: the buffers after the rows were written, then, if any are to be
// shown, views of their first rows.
class WriteRows : public Kernel {
 public:
  WriteRows(mx::Stream stream, Fallback fallback, int start, int shown)
      : Kernel(stream, std::move(fallback)), start_(start), shown_(shown) {}

  DEFINE_NAME(CpuWriteRows)

  std::vector<mx::Shape> output_shapes(const Arrays& inputs) override {
    std::vector<mx::Shape> shapes;
    for (size_t i = 0; i < inputs.size() / 2; i++) {
      shapes.push_back(inputs[i].shape());
    }
    for (size_t i = 0; shown_ && i < inputs.size() / 2; i++) {
      shapes.push_back(inputs[i].shape());
      shapes.back()[2] = shown_;
    }
    return shapes;
  }

  bool is_equivalent(const Primitive& other) const override {
    auto& o = static_cast<const WriteRows&>(other);
    return start_ == o.start_ && shown_ == o.shown_;
  }

  void eval_cpu(const Arrays& inputs, Arrays& outputs) override {
    letting_go(inputs, outputs, [&] { write(inputs, outputs); });
  }

 private:
  void write(const Arrays& inputs, Arrays& outputs) {
    size_t count = inputs.size() / 2;
    std::vector<RowCopy> copies;
    for (size_t i = 0; i < count; i++) {
      auto& buffer = outputs[i];
      write_over(inputs[i], buffer, stream(), copies);
      copies.emplace_back(rows_together(inputs[count + i], stream()), buffer, start_);
      if (shown_) {
        show(buffer, outputs[count + i]);
      }
    }
    dispatch(stream(), [copies = std::move(copies)] {
      for (auto& each : copies) {
        each.run();
      }
    });
  }

  static void show(const mx::array& buffer, mx::array& view) {
    auto [size, rows, columns] = mx::check_contiguity(view.shape(), buffer.strides());
    int64_t reach = 1; // elements from the first to the last
    for (int axis = 0; axis < 4; axis++) {
      reach += (view.shape(axis) - 1) * buffer.strides(axis);
    }
    mx::array::Flags flags{static_cast<size_t>(reach) == view.size(), rows, columns};
    view.copy_shared_buffer(buffer, buffer.strides(), flags, static_cast<size_t>(reach));
  }

  int start_, shown_;
};

void check(const Arrays& buffers, const Arrays& rows, int start, int shown) {
  auto fail = [](const char* rule) {
    throw std::invalid_argument(std::string("[write_rows] ") + rule);
  };
  if (buffers.empty() || buffers.size() != rows.size()) {
    fail("there must be as many rows as buffers, one at least.");
  }
  for (size_t i = 0; i < buffers.size(); i++) {
    auto &buffer = buffers[i], &row = rows[i];
    if (buffer.ndim() != 4 || row.ndim() != 4) {
      fail("buffers and rows must have 4 dimensions.");
    }
    if (buffer.shape(0) != row.shape(0) || buffer.shape(1) != row.shape(1) ||
        buffer.shape(3) != row.shape(3)) {
      fail("buffers and rows must not differ but in their third dimension.");
    }
    if (start < 0 || row.shape(2) > buffer.shape(2) - start) {
      fail("the rows must lie within the buffers.");
    }
    if (shown < 0 || shown > buffer.shape(2)) {
      fail("there are not as many rows as are to be shown.");
    }
  }
}

Arrays composed(const Arrays& inputs, int start, int shown, mx::Stream s) {
  size_t count = inputs.size() / 2;
  Arrays outputs;
  for (size_t i = 0; i < count; i++) {
    auto& rows = inputs[count + i];
    mx::Shape stop = inputs[i].shape();
    stop[2] = start + rows.shape(2);
    outputs.push_back(mx::slice_update(inputs[i], rows, {0, 0, start, 0}, std::move(stop), s));
  }
  for (size_t i = 0; shown && i < count; i++) {
    mx::Shape stop = outputs[i].shape();
    stop[2] = shown;
    outputs.push_back(mx::slice(outputs[i], {0, 0, 0, 0}, std::move(stop), s));
  }
  return outputs;
}

Arrays write_rows(
    const Arrays& buffers, const Arrays& rows, int start, int shown, mx::Stream s) {
  check(buffers, rows, start, shown);
  Arrays inputs = buffers;
  bool something = true;
  for (size_t i = 0; i < rows.size(); i++) {
    auto type = buffers[i].dtype();
    bool taken = rows[i].dtype() == type || (rows[i].dtype() == mx::float32 && is_float(type));
    inputs.push_back(taken ? rows[i] : mx::astype(rows[i], type, s));
    something = something && rows[i].size();
  }
  if (!usable(s) || !something) {
    return composed(inputs, start, shown, s);
  }
  auto theirs = [start, shown, s](const Arrays& inputs) { return composed(inputs, start, shown, s); };
  auto primitive = std::make_shared<WriteRows>(s, theirs, start, shown);
  std::vector<mx::Dtype> types;
  for (int i = 0; i < (shown ? 2 : 1); i++) {
    for (auto& buffer : buffers) {
      types.push_back(buffer.dtype());
    }
  }
  return mx::array::make_arrays(primitive->output_shapes(inputs), types, primitive, inputs);
}

} // namespace
} // namespace mlxc::cpu
#endif

extern "C" int mlxc_cpu_write_rows(
    mlx_vector_array* res,
    const mlx_vector_array buffers,
    const mlx_vector_array rows,
    int start,
    int shown,
    const mlx_stream s)
    MLXC_BODY(set(res, cpu::write_rows(get(buffers), get(rows), start, shown, get(s))))
