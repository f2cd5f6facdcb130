// Products along the rows of both matrices for few rows of a, which read b where it lies: processors
// find out what is next best where memory is read in its order, or is asked for in it.
#pragma once

#include "product_arithmetic.h"

namespace mlxc::cpu::MLXC_ISA {
namespace {

// --- one row ----------------------------------------------------------------------------

// A row of b at a time is the order of memory, which is read fastest so. There is one sum at a time
// then, so where registers are narrow a processor would see too few additions that need not wait.
constexpr bool ROW_BY_ROW = W >= 8;
constexpr size_t AHEAD = 8192; // bytes from what is multiplied to what is asked for

// Partial sums of the products of a and a row of b, along one block.
template <class P>
inline F multiply_one(
    const typename P::Left* a, const typename P::Right* b, size_t begin, size_t end) {
  constexpr size_t line = std::max<size_t>(1, 64 / sizeof(typename P::Right) / P::step); // steps
  F sums = splat(0);
  size_t k = begin;
  for (; k + line * P::step <= end; k += line * P::step) {
    __builtin_prefetch(reinterpret_cast<const char*>(b + k) + AHEAD);
    MLXC_UNROLL
    for (size_t s = 0; s < line; s++) {
      size_t at = k + s * P::step;
      sums = P::add_product(P::get(a + at), P::get(b + at), sums);
    }
  }
  for (; k < end; k += P::step) {
    sums = k + P::step <= end ? P::add_product(P::get(a + k), P::get(b + k), sums)
                              : P::add_product(P::get(a + k, end - k), P::get(b + k, end - k), sums);
  }
  return sums;
}

template <class P>
void one_row(const Product& p, const Place& place, const Tile& t) {
  using Left = typename P::Left;
  using Right = typename P::Right;
  constexpr size_t blocks = 8; // whose partial sums are added up for four rows at once
  float sums[TILE_COLUMNS];
  F partial[blocks][COLUMNS];
  auto* a = static_cast<const Left*>(p.a) + place.a;
  auto* b = static_cast<const Right*>(p.b) + place.b;
  for (size_t n = t.n; n < t.n_end; n += COLUMNS) {
    for (size_t begin = 0; begin < p.k; begin += blocks * BLOCK<P>) {
      size_t end = std::min(begin + blocks * BLOCK<P>, p.k);
      for (size_t j = 0; j < COLUMNS; j++) {
        auto* row = b + static_cast<std::ptrdiff_t>(std::min(n + j, t.n_end - 1)) * p.b_row;
        for (size_t i = 0, k = begin; k < end; i++, k += BLOCK<P>) {
          partial[i][j] = multiply_one<P>(a, row, k, std::min(k + BLOCK<P>, end));
        }
      }
      for (size_t i = 0, k = begin; k < end; i++, k += BLOCK<P>) {
        F* four = partial[i];
        add_sums(four[0], four[1], four[2], four[3], sums + (n - t.n), k > 0);
      }
    }
  }
  write<Left>(p, place, t, sums, TILE_COLUMNS);
}

// --- few rows ---------------------------------------------------------------------------

// Asks for what lies at `step` of the rows of b that are next: in the order of memory, which is read
// faster than four rows at once.
template <class P>
[[gnu::always_inline]] inline void ask_for(const typename P::Right* next, size_t step) {
  constexpr size_t bytes = COLUMNS * P::step * sizeof(typename P::Right);
  auto* from = reinterpret_cast<const char*>(next) + step * bytes;
  MLXC_UNROLL
  for (size_t i = 0; i < bytes; i += 64) {
    __builtin_prefetch(from + i);
  }
}

// Adds the products of R rows of a and COLUMNS of b, along one block.
template <class P, int R>
void multiply_few(
    const typename P::Left* const* a,
    const typename P::Right* const* b,
    const typename P::Right* next, // or null
    size_t begin,
    size_t end,
    float* sums,
    size_t stride) {
  F partial[R][COLUMNS];
  MLXC_UNROLL
  for (auto& row : partial) {
    MLXC_UNROLL
    for (F& x : row) {
      x = splat(0);
    }
  }
  size_t k = begin;
  for (; k + P::step <= end; k += P::step) {
    if (next) {
      ask_for<P>(next, k / P::step);
    }
    typename P::V x[R];
    MLXC_UNROLL
    for (int i = 0; i < R; i++) {
      x[i] = P::get(a[i] + k);
    }
    MLXC_UNROLL
    for (size_t j = 0; j < COLUMNS; j++) {
      auto y = P::get(b[j] + k);
      MLXC_UNROLL
      for (int i = 0; i < R; i++) {
        partial[i][j] = P::add_product(x[i], y, partial[i][j]);
      }
    }
  }
  if (k < end) {
    MLXC_UNROLL
    for (size_t j = 0; j < COLUMNS; j++) {
      auto y = P::get(b[j] + k, end - k);
      MLXC_UNROLL
      for (int i = 0; i < R; i++) {
        partial[i][j] = P::add_product(P::get(a[i] + k, end - k), y, partial[i][j]);
      }
    }
  }
  MLXC_UNROLL
  for (int i = 0; i < R; i++) {
    F* four = partial[i];
    add_sums(four[0], four[1], four[2], four[3], sums + i * stride, begin > 0);
  }
}

template <class P>
void few_rows(const Product& p, const Place& place, const Tile& t) {
  using Left = typename P::Left;
  using Right = typename P::Right;
  constexpr size_t stride = TILE_COLUMNS;
  float sums[P::few * stride];
  auto* a = static_cast<const Left*>(p.a) + place.a;
  auto* b = static_cast<const Right*>(p.b) + place.b;
  constexpr decltype(&multiply_few<P, 1>) some[] = {
      multiply_few<P, 1>,
      multiply_few<P, 2>,
#if defined(MLXC_AVX512) || defined(MLXC_NEON)
      multiply_few<P, 3>,
      multiply_few<P, 4>,
#endif
  };
  const Left* rows[P::few];
  for (size_t m = t.m; m < t.m_end; m++) {
    rows[m - t.m] = a + static_cast<std::ptrdiff_t>(m) * p.a_row;
  }
  for (size_t n = t.n; n < t.n_end; n += COLUMNS) {
    const Right* columns[COLUMNS];
    for (size_t j = 0; j < COLUMNS; j++) {
      columns[j] = b + static_cast<std::ptrdiff_t>(std::min(n + j, t.n_end - 1)) * p.b_row;
    }
    auto* next = columns[0] + static_cast<std::ptrdiff_t>(COLUMNS) * p.b_row;
    for (size_t k = 0; k < p.k; k += BLOCK<P>) {
      size_t end = std::min(k + BLOCK<P>, p.k);
      for (size_t m = 0; m < t.m_end - t.m; m += FEW_AT_ONCE) {
        size_t now = std::min(FEW_AT_ONCE, t.m_end - t.m - m);
        float* to = sums + m * stride + (n - t.n);
        some[now - 1](rows + m, columns, m ? nullptr : next, k, end, to, stride);
      }
    }
  }
  write<Left>(p, place, t, sums, stride);
}

} // namespace
} // namespace mlxc::cpu::MLXC_ISA
