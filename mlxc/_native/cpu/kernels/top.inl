// The greatest elements of rows, without sorting: the element from which on they are kept is found by
// bisection among all floats, each step of which adds up what lies below a bound, a register at a
// time. Scores of a vocabulary fit the caches, so the steps are short. Every instruction set has it.
#include "simd.h"

#include "top.h"

namespace mlxc::cpu {
namespace MLXC_ISA {
namespace {

// Floats in their order as integers: 0 is zero.
float float_of(std::int64_t key) {
  auto bits = static_cast<std::uint32_t>(key >= 0 ? key : -key | 0x80000000);
  float x;
  std::memcpy(&x, &bits, 4);
  return x;
}

// The sum of `weights`, or the count where that is null, of elements below a bound. Counts up to
// 2 ** 24 a lane are exact.
double below(const float* x, const float* weights, std::size_t length, float bound) {
  F limit = splat(bound), zero = splat(0), one = splat(1), sums[4] = {zero, zero, zero, zero};
  auto some = [&](std::size_t i) {
    return where_less(load(x + i), limit, weights ? load(weights + i) : one, zero);
  };
  std::size_t i = 0;
  for (; i + 4 * W <= length; i += 4 * W) {
#pragma GCC unroll 4
    for (std::size_t j = 0; j < 4; j++) {
      sums[j] = sums[j] + some(i + j * W);
    }
  }
  double total = 0;
  float lanes[W];
  for (F lane : sums) {
    store(lanes, lane);
    for (float value : lanes) {
      total += value;
    }
  }
  for (; i < length; i++) {
    total += x[i] < bound ? (weights ? weights[i] : 1) : 0;
  }
  return total;
}

constexpr float nothing = -std::numeric_limits<float>::infinity();

// The same element by element; if all would go, the last of the greatest stays.
void keep_slowly(
    const float* x, const float* weights, float* y, std::size_t length, float bound, double weight,
    double limit) {
  bool some = false;
  std::size_t greatest = 0;
  for (std::size_t i = 0; i < length; i++) {
    bool stays = !(x[i] < bound);
    if (x[i] == bound) {
      weight += weights ? weights[i] : 1;
      stays = weight > limit;
    }
    some |= stays;
    greatest = x[i] >= x[greatest] ? i : greatest;
    y[i] = stays ? x[i] : nothing;
  }
  if (!some) {
    y[greatest] = x[greatest];
  }
}

// Keeps an element if those up to it, in ascending order, weigh more than `limit`; equal ones are in
// the order of the row.
void keep(const float* x, const float* weights, float* y, std::size_t length, double limit) {
  constexpr std::int64_t infinity = 0x7f800000;
  std::int64_t low = -infinity, high = infinity;
  while (low < high) {
    std::int64_t middle = low + (high - low) / 2;
    if (below(x, weights, length, float_of(middle + 1)) > limit) {
      high = middle;
    } else {
      low = middle + 1;
    }
  }
  float bound = float_of(high);
  double weight = below(x, weights, length, bound);
  // One of those at the bound weighs what all of them do: what is lost by adding is less.
  double one = weights ? std::exp(static_cast<double>(bound)) : 1;
  if (high == infinity || weight + one * (1 - 1e-5) <= limit) {
    return keep_slowly(x, weights, y, length, bound, weight, limit);
  }
  F least = splat(bound);
  each_vector(length, [=](std::size_t i, int n) {
    F value = load_part(x + i, n);
    store_part(y + i, where_less(value, least, splat(nothing), value), n);
  });
}

void top_k(Rows x, float* y, std::size_t rows, std::size_t length, std::size_t k) {
  parallel_for(rows, 1, [=](std::size_t begin, std::size_t end) {
    x.each<float>(begin, end, [=](std::size_t row, const float* from) {
      keep(from, nullptr, y + row * length, length, static_cast<double>(length - k));
    });
  });
}

void top_p(
    Rows x, float* y, std::size_t rows, std::size_t length, double p, float* memory) {
  x.each<float>(0, rows, [=](std::size_t row, const float* from) {
    each_vector(length, [=](std::size_t i, int n) {
      store_part(memory + i, exp(load_part(from + i, n)), n);
    });
    keep(from, memory, y + row * length, length, 1 - p);
  });
}

} // namespace
} // namespace MLXC_ISA

const Top Top::MLXC_ISA = {MLXC_ISA::top_k, MLXC_ISA::top_p};

} // namespace mlxc::cpu

MLXC_END_OF_TARGET
