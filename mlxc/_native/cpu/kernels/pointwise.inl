// Functions of one element. Written on vectors of float32, so every instruction set has them.
#include "simd.h"

#include "pointwise.h"

namespace mlxc::cpu {
namespace MLXC_ISA {
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
  } else if constexpr (map == Map::gumbel) {
    return splat(0.0f) - log(splat(0.0f) - log(x));
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

constexpr size_t block = 4096;

template <class T, Map map>
void plain(const void* x_, void* y_, size_t size) {
  auto* x = static_cast<const T*>(x_);
  auto* y = static_cast<T*>(y_);
  parallel_for((size + block - 1) / block, 2, [=](size_t begin, size_t end) {
    size_t start = begin * block, stop = std::min(end * block, size);
    each_vector(stop - start, [x = x + start, y = y + start](size_t i, int n) {
      store_part(y + i, apply<map>(load_part(x + i, n)), n);
    });
  });
}

template <class T, Map map>
void gated(Rows gate, Rows x, void* y_, size_t rows, size_t length) {
  auto* y = static_cast<T*>(y_);
  parallel_for(rows, 1 + 2 * block / (length + 1), [=](size_t begin, size_t end) {
    gate.each<T>(begin, end, [=](size_t row, const T* g) {
      x.each<T>(row, row + 1, [=](size_t, const T* from) {
        T* to = y + row * length;
        each_vector(length, [=](size_t i, int n) {
          store_part(to + i, apply<map>(load_part(g + i, n)) * load_part(from + i, n), n);
        });
      });
    });
  });
}

} // namespace
} // namespace MLXC_ISA

#define MLXC_TYPES(KERNEL, MAP)                                                            \
  {MLXC_ISA::KERNEL<float, MAP>, MLXC_ISA::KERNEL<f16, MAP>, MLXC_ISA::KERNEL<bf16, MAP>}

const Pointwise Pointwise::MLXC_ISA = {
    {MLXC_TYPES(plain, Map::silu),
     MLXC_TYPES(plain, Map::gelu),
     MLXC_TYPES(plain, Map::gelu_tanh),
     MLXC_TYPES(plain, Map::gelu_sigmoid),
     MLXC_TYPES(plain, Map::exp),
     MLXC_TYPES(plain, Map::sigmoid),
     MLXC_TYPES(plain, Map::log),
     MLXC_TYPES(plain, Map::gumbel)},
    {MLXC_TYPES(gated, Map::silu),
     MLXC_TYPES(gated, Map::gelu),
     MLXC_TYPES(gated, Map::gelu_tanh),
     MLXC_TYPES(gated, Map::gelu_sigmoid)},
};

#undef MLXC_TYPES

} // namespace mlxc::cpu

MLXC_END_OF_TARGET
