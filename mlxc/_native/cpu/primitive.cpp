#include "primitive.h"

#ifndef MLXC_FOREIGN
#include <cstring>
#include <utility>

#include "mlx/allocator.h"
#include "mlx/ops.h"

namespace mlxc::cpu {
namespace {

thread_local size_t allocated = 0; // bytes, by this thread

// Copies elements of `Size` bytes from strided places to consecutive ones.
template <size_t Size>
void gather(
    char* to, const char* from, const mx::Shape& shape, const mx::Strides& strides, size_t axis) {
  auto step = strides[axis] * static_cast<int64_t>(Size);
  if (axis + 1 == shape.size()) {
    for (int i = 0; i < shape[axis]; i++) {
      std::memcpy(to + i * Size, from + i * step, Size);
    }
    return;
  }
  size_t inner = Size;
  for (size_t i = axis + 1; i < shape.size(); i++) {
    inner *= static_cast<size_t>(shape[i]);
  }
  for (int i = 0; i < shape[axis]; i++) {
    gather<Size>(to + i * inner, from + i * step, shape, strides, axis + 1);
  }
}

} // namespace

Arrays Kernel::jvp(const Arrays& primals, const Arrays& tangents, const std::vector<int>& argnums) {
  auto varied = [&](const Arrays& some) {
    Arrays all = primals;
    for (size_t i = 0; i < argnums.size(); i++) {
      all[argnums[i]] = some[i];
    }
    return fallback_(all);
  };
  Arrays some;
  for (int i : argnums) {
    some.push_back(primals[i]);
  }
  return mx::jvp(varied, some, tangents).second;
}

Arrays Kernel::vjp(
    const Arrays& primals,
    const Arrays& cotangents,
    const std::vector<int>& argnums,
    const Arrays&) {
  auto varied = [&](const Arrays& some) {
    Arrays all = primals;
    for (size_t i = 0; i < argnums.size(); i++) {
      all[argnums[i]] = some[i];
    }
    return fallback_(all);
  };
  Arrays some;
  for (int i : argnums) {
    some.push_back(primals[i]);
  }
  return mx::vjp(varied, some, cotangents).second;
}

std::pair<Arrays, std::vector<int>> Kernel::vmap(
    const Arrays& inputs, const std::vector<int>& axes) {
  auto outputs = mx::vmap(fallback_, axes)(inputs);
  return {outputs, std::vector<int>(outputs.size(), 0)};
}

mx::array row_contiguous(const mx::array& a, mx::Stream stream) {
  if (a.flags().row_contiguous) {
    return a;
  }
  mx::array copy(a.shape(), a.dtype(), nullptr, {});
  allocate(copy);
  auto& encoder = mx::cpu::get_command_encoder(stream);
  encoder.add_temporary(copy);
  encoder.dispatch([to = copy.data<char>(),
                    from = a.data<char>(),
                    shape = a.shape(),
                    strides = a.strides(),
                    size = a.itemsize()] {
    for (int length : shape) {
      if (!length) {
        return;
      }
    }
    switch (size) {
      case 1:
        return gather<1>(to, from, shape, strides, 0);
      case 2:
        return gather<2>(to, from, shape, strides, 0);
      case 4:
        return gather<4>(to, from, shape, strides, 0);
      default:
        return gather<8>(to, from, shape, strides, 0);
    }
  });
  return copy;
}

Rows rows_of(const mx::array& a, mx::Stream stream) {
  Rows rows;
  rows.data = a.data<void>();
  if (!a.ndim() || !a.size()) {
    return rows;
  }
  int used = 0; // axes are merged from the innermost outward
  int last = static_cast<int>(a.ndim()) - 1;
  bool fits = a.shape(last) == 1 || a.strides(last) == 1;
  for (int axis = last - 1; axis >= 0 && fits; axis--) {
    auto length = static_cast<size_t>(a.shape(axis));
    auto stride = static_cast<std::ptrdiff_t>(a.strides(axis));
    if (length == 1) {
      continue;
    }
    int place = Rows::most - used;
    if (used && stride == rows.strides[place] * static_cast<std::ptrdiff_t>(rows.lengths[place])) {
      rows.lengths[place] *= length;
      continue;
    }
    if ((fits = used < Rows::most)) {
      used++;
      rows.lengths[place - 1] = length;
      rows.strides[place - 1] = stride;
    }
  }
  return fits ? rows : rows_of(row_contiguous(a, stream), stream);
}

bool much_allocated() {
  constexpr size_t much = 1 << 19;
  return std::exchange(allocated, 0) >= much;
}

std::future<void> caught_up(mx::Stream stream) {
  static const bool alone = !mx::is_available(mx::Device::gpu);
  if (!alone) {
    return {};
  }
  auto done = std::make_shared<std::promise<void>>();
  mx::scheduler::enqueue(stream, [done] { done->set_value(); });
  return done->get_future();
}

void allocate(mx::array& out) {
  allocated += out.nbytes();
  out.set_data(mx::allocator::malloc(out.nbytes()));
}

void donate_or_allocate(const mx::array& in, mx::array& out) {
  if (in.is_donatable() && in.itemsize() == out.itemsize() && in.flags().row_contiguous) {
    out.copy_shared_buffer(in);
  } else {
    allocate(out);
  }
}

} // namespace mlxc::cpu
#endif
