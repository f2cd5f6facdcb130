#include "row_copy.h"

#ifndef MLXC_FOREIGN
#include <atomic>
#include <cstring>
#include <memory>

namespace mlxc::cpu {

mx::array rows_together(const mx::array& a, mx::Stream stream) {
  bool together = !a.ndim() || a.shape(-1) == 1 || a.strides(-1) == 1;
  return together ? a : row_contiguous(a, stream);
}

RowCopy::RowCopy(const mx::array& from, mx::array& to, int start)
    : to(to.data<char>() + start * to.strides(2) * static_cast<int64_t>(to.itemsize())),
      from(from.data<char>()),
      outer{static_cast<size_t>(from.shape(0)), static_cast<size_t>(from.shape(1))},
      length(from.shape(2)),
      features(from.shape(3)),
      row(features * to.itemsize()) {
  if (from.dtype() != to.dtype()) {
    narrow = pick<Narrow>().run[static_cast<int>(float_of(to.dtype()))];
  }
  for (int axis = 0; axis < 3; axis++) {
    to_strides[axis] = to.strides(axis) * static_cast<int64_t>(to.itemsize());
    from_strides[axis] = from.strides(axis) * static_cast<int64_t>(from.itemsize());
  }
}

void RowCopy::run() const {
  size_t count = outer[0] * outer[1] * length;
  parallel_for(count, 1 + 65536 / row, [this](size_t begin, size_t end) {
    for (size_t i = begin; i < end; i++) {
      size_t at[3] = {i / length / outer[1], i / length % outer[1], i % length};
      char* target = to;
      const char* source = from;
      for (int axis = 0; axis < 3; axis++) {
        target += static_cast<int64_t>(at[axis]) * to_strides[axis];
        source += static_cast<int64_t>(at[axis]) * from_strides[axis];
      }
      if (narrow) {
        narrow(reinterpret_cast<const float*>(source), target, features);
      } else {
        std::memcpy(target, source, row);
      }
    }
  });
}

namespace {

// Whether nobody but tasks of the stream holds the memory of an array. They hold it until they are
// done, so where somebody does, the stream catches up first: a wait is shorter than a copy. Not for
// longer, while other streams have work: this thread has the turn.
bool is_free(const mx::array& a, mx::Stream stream) {
  if (a.is_donatable()) {
    return true;
  }
  auto caught_up = std::make_shared<std::atomic<bool>>(false); // the task may come later than this ends
  mx::scheduler::enqueue(stream, [caught_up] {
    *caught_up = true;
    caught_up->notify_one();
  });
  auto over = [&] { return a.is_donatable() || *caught_up; };
  using Over = decltype(over);
  help([](const void* over) { return (*static_cast<const Over*>(over))(); }, &over);
  if (!a.is_donatable()) {
    caught_up->wait(false);
  }
  return a.is_donatable();
}

} // namespace

void write_over(
    const mx::array& old, mx::array& buffer, mx::Stream stream, std::vector<RowCopy>& copies) {
  if (old.flags().row_contiguous && is_free(old, stream)) {
    buffer.copy_shared_buffer(old);
  } else {
    allocate(buffer);
    copies.emplace_back(rows_together(old, stream), buffer, 0);
  }
}

} // namespace mlxc::cpu
#endif
