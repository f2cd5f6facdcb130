// C functions as C++ callables: arguments become handles for the time of the call.
#pragma once

#include <tuple>
#include <type_traits>

#include "handle.h"

namespace mlxc {

template <class T>
struct Lent;

template <>
struct Lent<Arrays> : Owned<mlx_vector_array> {
  using Owned::Owned;
  auto arguments() const {
    return std::make_tuple(handle);
  }
};

template <>
struct Lent<ArrayMap> : Owned<mlx_map_string_to_array> {
  using Owned::Owned;
  auto arguments() const {
    return std::make_tuple(handle);
  }
};

template <>
struct Lent<std::vector<int>> {
  const std::vector<int>& values;
  explicit Lent(const std::vector<int>& values) : values(values) {}
  auto arguments() const {
    return std::make_tuple(values.data(), values.size());
  }
};

template <class T>
struct IsPair : std::false_type {};

template <class A, class B>
struct IsPair<std::pair<A, B>> : std::true_type {};

inline Owned<mlx_vector_array> result(const Arrays*) {
  return {};
}

inline Owned<mlx_vector_int> result(const std::vector<int>*) {
  return {};
}

inline void check(int status) {
  if (status) {
    throw CallbackFailure("a callback returned status " + std::to_string(status));
  }
}

// Results go to the callback as empty handles, to be set or replaced by it. It may take as long as
// it likes, and wait for other threads.
template <class Result, class F, class... In>
Result call(const F& fun, const In&... in) {
  Pause pause;
  if constexpr (IsPair<Result>::value) {
    auto first = result(static_cast<typename Result::first_type*>(nullptr));
    auto second = result(static_cast<typename Result::second_type*>(nullptr));
    auto results = std::make_tuple(&first.handle, &second.handle);
    check(std::apply(fun, std::tuple_cat(results, Lent<In>(in).arguments()...)));
    return {std::move(get(first.handle)), std::move(get(second.handle))};
  } else {
    auto only = result(static_cast<Result*>(nullptr));
    auto results = std::make_tuple(&only.handle);
    check(std::apply(fun, std::tuple_cat(results, Lent<In>(in).arguments()...)));
    return std::move(get(only.handle));
  }
}

template <class H, class... Args>
H closure(int (*fun)(Args...)) {
  using Result = typename held_t<H>::result_type;
  return make<H>([fun](const auto&... in) { return call<Result>(fun, in...); });
}

// The payload belongs to the closure and its copies: the last one calls dtor.
template <class H, class... Args>
H closure(int (*fun)(Args...), void* payload, void (*dtor)(void*)) {
  using Result = typename held_t<H>::result_type;
  auto release_payload = [dtor](void* p) {
    if (dtor) {
      dtor(p);
    }
  };
  std::shared_ptr<void> owner(payload, release_payload);
  return make<H>([fun, owner](const auto&... in) {
    auto with_payload = [&](auto... args) { return fun(args..., owner.get()); };
    return call<Result>(with_payload, in...);
  });
}

} // namespace mlxc
