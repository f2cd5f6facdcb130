// Where the rows of an array lie: its last axis is without gaps, the others may be strided.
#pragma once

#include <cstddef>

namespace mlxc::cpu {

struct Rows {
  static constexpr int most = 3; // axes before the last one, after merging

  const void* data = nullptr;
  std::size_t lengths[most] = {1, 1, 1};
  std::ptrdiff_t strides[most] = {0, 0, 0}; // in elements, from the outermost axis inward

  // The first element of row `i`, in row-major order.
  template <class T>
  const T* row(std::size_t i) const {
    auto* start = static_cast<const T*>(data);
    if (lengths[0] * lengths[1] == 1) {
      return start + static_cast<std::ptrdiff_t>(i) * strides[2];
    }
    auto inner = static_cast<std::ptrdiff_t>(i % lengths[2]);
    i /= lengths[2];
    auto middle = static_cast<std::ptrdiff_t>(i % lengths[1]);
    auto outer = static_cast<std::ptrdiff_t>(i / lengths[1]);
    return start + outer * strides[0] + middle * strides[1] + inner * strides[2];
  }
};

} // namespace mlxc::cpu
