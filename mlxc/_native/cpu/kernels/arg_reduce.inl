// The greatest element of a row: of blocks first, then its place in the first best block. Written
// on vectors of float32, so every instruction set has it.
#include "simd.h"

#include "arg_reduce.h"

namespace mlxc::cpu {
namespace MLXC_ISA {
namespace {

constexpr size_t block = 1024;

// Least elements are the greatest with the sign turned.
template <bool turned>
F turn(F x) {
  return turned ? splat(0.0f) - x : x;
}

// The greatest element of x[0] to x[length - 1], NaN if there is one.
template <class T, bool turned>
float greatest_of(const T* x, size_t length) {
  F found = splat(-std::numeric_limits<float>::infinity()), others = splat(0.0f);
  each_vector(length, [&](size_t i, int n) {
    F part = load_part(x + i, n);
    if (n < W) { // instead of zeros behind the row, its first element again
      T filled[W];
      std::fill(filled, filled + W, x[0]);
      std::memcpy(filled, x + i, n * sizeof(T));
      part = load(filled);
    }
    found = greatest(turn<turned>(part), found);
    others = where_nan(part, splat(1.0f), others);
  });
  return greatest(others) > 0 ? std::numeric_limits<float>::quiet_NaN() : greatest(found);
}

template <class T, bool turned>
std::uint32_t find(const T* x, size_t length) {
  float best = 0;
  size_t place = length;
  for (size_t start = 0; start < length; start += block) {
    float found = greatest_of<T, turned>(x + start, std::min(block, length - start));
    bool is_nan = found != found;
    if (place == length || found > best || is_nan) {
      place = start;
      best = found;
    }
    if (is_nan) {
      break;
    }
  }
  for (;; place++) {
    float here = turned ? 0.0f - to_float(x[place]) : to_float(x[place]);
    if (here == best || (here != here && best != best)) {
      return static_cast<std::uint32_t>(place);
    }
  }
}

template <class T, bool turned>
void arg_reduce(Rows x, std::uint32_t* y, size_t rows, size_t length) {
  parallel_for(rows, 1 + 16384 / (length + 1), [=](size_t begin, size_t end) {
    x.each<T>(begin, end, [=](size_t row, const T* from) {
      y[row] = find<T, turned>(from, length);
    });
  });
}

} // namespace
} // namespace MLXC_ISA

#define MLXC_FIND(TURNED)                                                    \
  {MLXC_ISA::arg_reduce<float, TURNED>, MLXC_ISA::arg_reduce<f16, TURNED>, \
   MLXC_ISA::arg_reduce<bf16, TURNED>}

const ArgReduce ArgReduce::MLXC_ISA = {MLXC_FIND(false), MLXC_FIND(true)};

#undef MLXC_FIND

} // namespace mlxc::cpu

MLXC_END_OF_TARGET
