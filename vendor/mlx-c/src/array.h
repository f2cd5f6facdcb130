// Access to the items and the data of arrays.
#pragma once

#include "handle.h"

namespace mlxc {

// The first element, without an evaluation.
template <class T>
const T* data(mlx_array arr) {
  auto& array = get(arr);
  if (!array.data_shared_ptr()) {
    throw std::invalid_argument("the array has no data yet; evaluate it first");
  }
  // Memory of a GPU may be moved by that.
  static const bool moves = mx::is_available(mx::Device::gpu);
  std::optional<Turn> turn;
  if (moves) {
    turn.emplace();
  }
  return array.data<T>();
}

template <class T>
void item(T* res, mlx_array arr) {
  evaluate(&get(arr), 1, true);
  out(res) = get(arr).item<T>();
}

// An item of a half type, as its two bytes.
void half_item(void* res, mlx_array arr, mx::Dtype dtype);

} // namespace mlxc
