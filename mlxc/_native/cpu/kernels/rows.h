// Where the rows of an array lie: its last axis is without gaps, the others may be strided.
#pragma once

#include <cstddef>

namespace mlxc::cpu {

struct Rows {
  static constexpr int most = 3; // axes before the last one, after merging

  const void* data = nullptr;
  std::size_t lengths[most] = {1, 1, 1};
  std::ptrdiff_t strides[most] = {0, 0, 0}; // in elements, from the outermost axis inward

  // Calls body(row, its first element) for rows begin to end - 1, in row-major order.
  template <class T, class Body>
  void each(std::size_t begin, std::size_t end, Body&& body) const {
    std::size_t inner = begin % lengths[2], outer = begin / lengths[2];
    for (std::size_t row = begin; row < end; outer++, inner = 0) {
      auto* from = static_cast<const T*>(data) +
          static_cast<std::ptrdiff_t>(outer / lengths[1]) * strides[0] +
          static_cast<std::ptrdiff_t>(outer % lengths[1]) * strides[1] +
          static_cast<std::ptrdiff_t>(inner) * strides[2];
      for (; inner < lengths[2] && row < end; inner++, row++, from += strides[2]) {
        body(row, from);
      }
    }
  }
};

} // namespace mlxc::cpu
