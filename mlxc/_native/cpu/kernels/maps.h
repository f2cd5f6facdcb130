// Functions of one element, on vectors of float32.
#pragma once

#include "pointwise.h"
#include "simd.h"

namespace mlxc::cpu::MLXC_ISA {
namespace {

// Φ(-z), the normal distribution function, for z >= 0: its logarithm is close to a polynomial,
// fitted so that z * Φ(-z) errs by less than 1e-7; it is 0 from 14 on, where that rounds to 0.
F upper_tail(F z) {
  constexpr float terms[] = {
      -9.262849376412419e-10f,
      4.463167968538073e-08f,
      -8.836522624733334e-07f,
      9.472463716519997e-06f,
      -6.013790698489174e-05f,
      2.098886325256899e-04f,
      -2.016475445998367e-05f,
      -4.802936688065529e-03f,
      3.634772449731827e-02f,
      3.183065652847290e-01f,
      7.978848814964294e-01f,
  };
  F p = splat(terms[0]);
  for (int i = 1; i < static_cast<int>(std::size(terms)); i++) {
    p = fma(p, z, splat(terms[i]));
  }
  F tail = splat(0.5f) * exp(splat(0.0f) - p * z);
  return where_less(splat(14.0f), z, splat(0.0f), tail);
}

// x / (1 + exp(-v)): the activation whose gate is the logistic function of v.
F logistic_gate(F x, F v) {
  return x / (splat(1.0f) + exp(splat(0.0f) - v));
}

template <Map map>
F apply(F x) {
  if constexpr (map == Map::exp) {
    return exp(x);
  } else if constexpr (map == Map::sigmoid) {
    return logistic_gate(splat(1.0f), x);
  } else if constexpr (map == Map::log) {
    return log(x);
  } else if constexpr (map == Map::silu) {
    return logistic_gate(x, x);
  } else if constexpr (map == Map::gelu) {
    F zero = splat(0.0f), minus = zero - x;
    F tail = upper_tail(where_less(x, zero, minus, x));
    return x * where_less(x, zero, tail, splat(1.0f) - tail);
  } else if constexpr (map == Map::gelu_tanh) {
    // (1 + tanh(u)) / 2 is the logistic function of 2 u, with u = sqrt(2 / pi) * (x + c * x ** 3).
    F cubic = fma(x * x, splat(0.044715f), splat(1.0f));
    return logistic_gate(x, x * cubic * splat(1.59576912f));
  } else {
    return logistic_gate(x, x * splat(1.702f));
  }
}

} // namespace
} // namespace mlxc::cpu::MLXC_ISA
