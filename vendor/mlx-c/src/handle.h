// What stands behind the handles, and how values cross the border.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <unordered_map>
#include <utility>
#include <variant>
#include <vector>

#include "mlx/array.h"
#include "mlx/c/mlx.h"
#include "mlx/device.h"
#include "mlx/stream.h"
#include "turn.h"

namespace mlxc {

using Arrays = std::vector<mx::array>;
using ArrayMap = std::unordered_map<std::string, mx::array>;
using StringMap = std::unordered_map<std::string, std::string>;
using DeviceInfo = std::unordered_map<std::string, std::variant<std::string, std::size_t>>;
using Function = std::function<Arrays(const Arrays&)>;
using NamedFunction = std::function<Arrays(const Arrays&, const ArrayMap&)>;
using ValueAndGrad = std::function<std::pair<Arrays, Arrays>(const Arrays&)>;
using Vjp = std::function<Arrays(const Arrays&, const Arrays&, const Arrays&)>;
using Jvp = std::function<Arrays(const Arrays&, const Arrays&, const std::vector<int>&)>;
using Vmap = std::function<
    std::pair<Arrays, std::vector<int>>(const Arrays&, const std::vector<int>&)>;

// Calls the error handler with the exception in flight; the status of a failed function.
int fail() noexcept;

// The status of a lookup without a result and of an iteration at its end: no error.
inline constexpr int nothing = 2;

// A C callback returned non-zero.
struct CallbackFailure : std::runtime_error {
  using std::runtime_error::runtime_error;
};

template <class H>
struct Held;

#define MLXC_HANDLE(HANDLE, ...)              \
  template <>                                 \
  struct Held<HANDLE> {                       \
    using type = __VA_ARGS__;                 \
    static constexpr const char* name = #HANDLE; \
  }

MLXC_HANDLE(mlx_array, mx::array);
MLXC_HANDLE(mlx_string, std::string);
MLXC_HANDLE(mlx_device, mx::Device);
MLXC_HANDLE(mlx_device_info, DeviceInfo);
MLXC_HANDLE(mlx_stream, mx::Stream);
MLXC_HANDLE(mlx_vector_array, Arrays);
MLXC_HANDLE(mlx_vector_vector_array, std::vector<Arrays>);
MLXC_HANDLE(mlx_vector_int, std::vector<int>);
MLXC_HANDLE(mlx_vector_string, std::vector<std::string>);
MLXC_HANDLE(mlx_map_string_to_array, ArrayMap);
MLXC_HANDLE(mlx_map_string_to_string, StringMap);
MLXC_HANDLE(mlx_closure, Function);
MLXC_HANDLE(mlx_closure_kwargs, NamedFunction);
MLXC_HANDLE(mlx_closure_value_and_grad, ValueAndGrad);
MLXC_HANDLE(mlx_closure_custom, Vjp);
MLXC_HANDLE(mlx_closure_custom_jvp, Jvp);
MLXC_HANDLE(mlx_closure_custom_vmap, Vmap);

template <class H>
using held_t = typename Held<H>::type;

template <class H>
held_t<H>& get(H handle) {
  if (!handle.ctx) {
    throw std::invalid_argument(std::string("expected a non-empty ") + Held<H>::name);
  }
  return *static_cast<held_t<H>*>(handle.ctx);
}

template <class H>
std::optional<held_t<H>> maybe(H handle) {
  return handle.ctx ? std::optional<held_t<H>>(get(handle)) : std::nullopt;
}

template <class H, class... Args>
H make(Args&&... args) {
  return H{new held_t<H>(std::forward<Args>(args)...)};
}

template <class T>
void release_held(void* held) {
  delete static_cast<T*>(held);
}

template <class H>
void release(H handle) {
  using T = held_t<H>;
  if (!handle.ctx) {
    return;
  }
  if constexpr (std::is_same_v<T, mx::array>) {
    // One that was computed, or made of data, is no part of a graph.
    auto& array = *static_cast<T*>(handle.ctx);
    if (array.status() == mx::array::available && !array.has_primitive()) {
      std::atomic_thread_fence(std::memory_order_acquire);
      delete &array;
      return;
    }
  }
  drop(handle.ctx, release_held<T>);
}

template <class T>
T& out(T* res) {
  if (!res) {
    throw std::invalid_argument("expected a place for the result, got NULL");
  }
  return *res;
}

// Assigns to the object behind the handle, or makes one where there is none.
template <class H, class V, class = typename Held<H>::type>
void set(H* res, V&& value) {
  if (H& handle = out(res); handle.ctx) {
    H before = make<H>(std::forward<V>(value));
    std::swap(get(handle), get(before));
    release(before);
  } else {
    handle = make<H>(std::forward<V>(value));
  }
}

inline void set(bool* res, bool value) {
  out(res) = value;
}

inline void set(int* res, int value) {
  out(res) = value;
}

inline void set(std::size_t* res, std::size_t value) {
  out(res) = value;
}

inline void set(char** res, std::string& value) {
  out(res) = value.data();
}

inline void set(const char** res, const std::string& value) {
  out(res) = value.c_str();
}

inline std::string text(const char* chars) {
  if (!chars) {
    throw std::invalid_argument("expected a string, got NULL");
  }
  return chars;
}

template <class Sequence, class T>
Sequence sequence(const T* data, std::size_t size) {
  if (!data && size) {
    throw std::invalid_argument("expected " + std::to_string(size) + " values, got NULL");
  }
  return data ? Sequence(data, data + size) : Sequence();
}

template <class T>
std::vector<T> vector(const T* data, std::size_t size) {
  return sequence<std::vector<T>>(data, size);
}

inline mx::Shape shape(const int* data, std::size_t size) {
  return sequence<mx::Shape>(data, size);
}

inline mx::Strides strides(const std::int64_t* data, std::size_t size) {
  return sequence<mx::Strides>(data, size);
}

inline std::optional<std::vector<int>> maybe_vector(const int* data, std::size_t size) {
  return data ? std::optional(vector(data, size)) : std::nullopt;
}

mx::Dtype dtype(mlx_dtype dtype);

inline std::optional<int> optional(mlx_optional_int value) {
  return value.has_value ? std::optional(value.value) : std::nullopt;
}

inline std::optional<float> optional(mlx_optional_float value) {
  return value.has_value ? std::optional(value.value) : std::nullopt;
}

inline std::optional<mx::Dtype> optional(mlx_optional_dtype value) {
  return value.has_value ? std::optional(dtype(value.value)) : std::nullopt;
}

// C and C++ enums that count alike; a value past the last one is refused.
template <class E, class C>
E enumerator(C value, C last) {
  if (static_cast<unsigned>(value) > static_cast<unsigned>(last)) {
    throw std::invalid_argument("unknown enum value " + std::to_string(static_cast<int>(value)));
  }
  return static_cast<E>(value);
}

// A handle that lives as long as this object.
template <class H>
struct Owned {
  H handle{nullptr};

  Owned() = default;
  explicit Owned(const held_t<H>& value) : handle(make<H>(value)) {}
  Owned(const Owned&) = delete;
  Owned& operator=(const Owned&) = delete;
  ~Owned() {
    release(handle);
  }
};

} // namespace mlxc
