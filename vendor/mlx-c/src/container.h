// Vectors and maps: one body for every element type.
#pragma once

#include "handle.h"

namespace mlxc {

inline const mx::array& element(mlx_array value) {
  return get(value);
}

inline const Arrays& element(mlx_vector_array value) {
  return get(value);
}

inline int element(int value) {
  return value;
}

inline std::string element(const char* value) {
  return text(value);
}

template <class H, class E>
held_t<H> elements(const E* data, std::size_t size) {
  if (!data && size) {
    throw std::invalid_argument("expected " + std::to_string(size) + " elements, got NULL");
  }
  held_t<H> values;
  values.reserve(size);
  for (std::size_t i = 0; i < size; ++i) {
    values.push_back(element(data[i]));
  }
  return values;
}

template <class H, class E>
void append(H handle, const E* data, std::size_t size) {
  // Converted first: a bad element leaves the vector as it was.
  auto values = elements<H>(data, size);
  auto& target = get(handle);
  target.insert(
      target.end(),
      std::make_move_iterator(values.begin()),
      std::make_move_iterator(values.end()));
}

template <class H>
auto& at(H handle, std::size_t index) {
  auto& values = get(handle);
  if (index >= values.size()) {
    throw std::out_of_range(
        "index " + std::to_string(index) + " is out of range for " + Held<H>::name + " of size " +
        std::to_string(values.size()));
  }
  return values[index];
}

template <class H, class V>
int look_up(V* value, H map, const char* key) {
  auto& entries = get(map);
  auto entry = entries.find(text(key));
  if (entry == entries.end()) {
    return nothing;
  }
  set(value, entry->second);
  return 0;
}

template <class I, class H>
I begin(H map) {
  auto& entries = get(map);
  return I{new typename held_t<H>::iterator(entries.begin()), &entries};
}

template <class H, class I>
auto& position(I it) {
  if (!it.ctx) {
    throw std::invalid_argument(std::string("expected a non-empty iterator of ") + Held<H>::name);
  }
  return *static_cast<typename held_t<H>::iterator*>(it.ctx);
}

template <class H, class I, class V>
int next(const char** key, V* value, I it) {
  auto& current = position<H>(it);
  if (current == static_cast<held_t<H>*>(it.map_ctx)->end()) {
    return nothing;
  }
  set(key, current->first);
  set(value, current->second);
  ++current;
  return 0;
}

template <class H, class I>
void end(I it) {
  delete static_cast<typename held_t<H>::iterator*>(it.ctx);
}

} // namespace mlxc
