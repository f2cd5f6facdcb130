// Products a @ b of matrices without gaps in their rows: each row of b, times an element of a, is
// added to a row of sums. So every sum runs over k in order, however many rows there are. Few rows
// read b where it lies, at the speed of memory; many rows share tiles of it in the caches.
//
// Every instruction set has it; half types are widened as they are read or copied.
#include "simd.h"

#include "tiles.h"

namespace mlxc::cpu {
namespace MLXC_ISA {
namespace {

#if defined(MLXC_AVX512) || defined(MLXC_NEON)
constexpr size_t ROWS = 8; // rows x 3 vectors of sums and 3 of b in 32 registers
constexpr size_t FEW_AT_ONCE = 4;
#else
constexpr size_t ROWS = 4; // the same in 16
constexpr size_t FEW_AT_ONCE = 2;
#endif
constexpr size_t VECTORS = 3;
constexpr size_t COLUMNS = VECTORS * W;
constexpr size_t FEW = 8; // up to here, copying b costs more than it saves
constexpr size_t FEW_COLUMNS = 1024;
constexpr size_t TILE_ROWS = 768;
constexpr size_t TILE_COLUMNS = 4 * COLUMNS;
constexpr size_t BLOCK = 512;

// --- few rows ---------------------------------------------------------------------------

// Adds R elements in each of K rows of a, times those rows of b, to R rows of sums.
template <class A, class B, int R, int K>
void add_rows(
    const A* const* a, const B* b, std::ptrdiff_t b_row, size_t length, float* sums) {
  F factors[R][K];
  MLXC_UNROLL
  for (int i = 0; i < R; i++) {
    MLXC_UNROLL
    for (int j = 0; j < K; j++) {
      factors[i][j] = splat(to_float(a[i][j]));
    }
  }
  auto add = [&](size_t n, auto... rest) {
    F rows[K];
    MLXC_UNROLL
    for (int j = 0; j < K; j++) {
      const B* from = b + j * b_row + static_cast<std::ptrdiff_t>(n);
      rows[j] = load(from, rest...);
      // The next rows: what the processor fetches by itself ends with a row.
      __builtin_prefetch(from + K * b_row);
    }
    MLXC_UNROLL
    for (int i = 0; i < R; i++) {
      float* to = sums + i * FEW_COLUMNS + n;
      F sum = load(to);
      MLXC_UNROLL
      for (int j = 0; j < K; j++) {
        sum = fma(factors[i][j], rows[j], sum);
      }
      store(to, sum);
    }
  };
  size_t n = 0;
  for (; n + W <= length; n += W) {
    add(n);
  }
  if (n < length) {
    add(n, static_cast<int>(length - n));
  }
}

template <class A, class B, int R>
void sum_rows(const A* const* a, const B* b, const Product& p, size_t length, float* sums) {
  constexpr int at_once = 4;
  const A* at[R];
  size_t k = 0;
  auto row = [&](size_t k) {
    for (int i = 0; i < R; i++) {
      at[i] = a[i] + k;
    }
    return b + static_cast<std::ptrdiff_t>(k) * p.b_row;
  };
  for (; k + at_once <= p.k; k += at_once) {
    auto* from = row(k);
    add_rows<A, B, R, at_once>(at, from, p.b_row, length, sums);
  }
  for (; k < p.k; k++) {
    auto* from = row(k);
    add_rows<A, B, R, 1>(at, from, p.b_row, length, sums);
  }
}

template <class A, class B>
void few_rows(const Product& p, const Place& place, const Tile& t) {
  auto* sums = static_cast<float*>(scratch(FEW * FEW_COLUMNS * sizeof(float)));
  auto* a = static_cast<const A*>(p.a) + place.a;
  auto* b = static_cast<const B*>(p.b) + place.b + t.n;
  std::fill_n(sums, (t.m_end - t.m) * FEW_COLUMNS, 0.0f);
  using Some = decltype(&sum_rows<A, B, 1>);
  constexpr Some some[] = {
      sum_rows<A, B, 1>,
      sum_rows<A, B, 2>,
#if defined(MLXC_AVX512) || defined(MLXC_NEON)
      sum_rows<A, B, 3>,
      sum_rows<A, B, 4>,
#endif
  };
  for (size_t m = t.m; m < t.m_end; m += FEW_AT_ONCE) {
    size_t now = std::min(FEW_AT_ONCE, t.m_end - m);
    const A* rows[FEW_AT_ONCE];
    for (size_t i = 0; i < now; i++) {
      rows[i] = a + static_cast<std::ptrdiff_t>(m + i) * p.a_row;
    }
    some[now - 1](rows, b, p, t.n_end - t.n, sums + (m - t.m) * FEW_COLUMNS);
  }
  write<A>(p, place, t, sums, FEW_COLUMNS);
}

// --- many rows --------------------------------------------------------------------------

// Adds the products of `length` columns of ROWS packed rows of a, and as many packed rows of b.
inline void multiply_packed(
    const float* a, const float* b, size_t length, float* sums, size_t stride, bool more) {
  F partial[ROWS][VECTORS];
  MLXC_UNROLL
  for (size_t i = 0; i < ROWS; i++) {
    MLXC_UNROLL
    for (size_t j = 0; j < VECTORS; j++) {
      partial[i][j] = more ? load(sums + i * stride + j * W) : splat(0);
    }
  }
  for (size_t k = 0; k < length; k++, a += ROWS, b += COLUMNS) {
    F row[VECTORS];
    MLXC_UNROLL
    for (size_t j = 0; j < VECTORS; j++) {
      row[j] = load(b + j * W);
    }
    MLXC_UNROLL
    for (size_t i = 0; i < ROWS; i++) {
      F factor = splat(a[i]);
      MLXC_UNROLL
      for (size_t j = 0; j < VECTORS; j++) {
        partial[i][j] = fma(factor, row[j], partial[i][j]);
      }
    }
  }
  MLXC_UNROLL
  for (size_t i = 0; i < ROWS; i++) {
    MLXC_UNROLL
    for (size_t j = 0; j < VECTORS; j++) {
      store(sums + i * stride + j * W, partial[i][j]);
    }
  }
}

// ROWS rows, column by column, filled up with zeros.
template <class T>
void pack_a(float* to, const T* from, std::ptrdiff_t stride, size_t rows, size_t length) {
  for (size_t i = 0; i < ROWS; i++) {
    const T* row = from + static_cast<std::ptrdiff_t>(i) * stride;
    for (size_t k = 0; k < length; k++) {
      to[k * ROWS + i] = i < rows ? to_float(row[k]) : 0.0f;
    }
  }
}

// Groups of COLUMNS columns, row by row, filled up with zeros.
template <class T>
void pack_b(float* to, const T* from, std::ptrdiff_t stride, size_t columns, size_t length) {
  for (size_t first = 0; first < columns; first += COLUMNS) {
    for (size_t k = 0; k < length; k++, to += COLUMNS) {
      const T* row = from + static_cast<std::ptrdiff_t>(k) * stride + first;
      for (size_t i = 0; i < COLUMNS; i += W) {
        size_t rest = first + i < columns ? columns - first - i : 0;
        F x = splat(0);
        if (rest >= W) {
          x = load(row + i);
        } else if (rest) {
          x = load(row + i, static_cast<int>(rest));
        }
        store(to + i, x);
      }
    }
  }
}

template <class A, class B>
void many_rows(const Product& p, const Place& place, const Tile& t) {
  auto* a_packed = static_cast<float*>(
      scratch(((ROWS + TILE_COLUMNS) * BLOCK + TILE_ROWS * TILE_COLUMNS) * sizeof(float)));
  auto* b_packed = a_packed + ROWS * BLOCK;
  auto* sums = b_packed + TILE_COLUMNS * BLOCK;
  auto* a = static_cast<const A*>(p.a) + place.a + static_cast<std::ptrdiff_t>(t.m) * p.a_row;
  auto* b = static_cast<const B*>(p.b) + place.b + t.n;
  size_t rows = t.m_end - t.m, columns = t.n_end - t.n;
  for (size_t k = 0; k < p.k; k += BLOCK) {
    size_t length = std::min(BLOCK, p.k - k);
    pack_b(
        b_packed, b + static_cast<std::ptrdiff_t>(k) * p.b_row, p.b_row, columns, length);
    for (size_t m = 0; m < rows; m += ROWS) {
      auto* some = a + static_cast<std::ptrdiff_t>(m) * p.a_row + k;
      pack_a(a_packed, some, p.a_row, std::min(ROWS, rows - m), length);
      for (size_t n = 0; n < columns; n += COLUMNS) {
        multiply_packed(
            a_packed,
            b_packed + n * length,
            length,
            sums + m * TILE_COLUMNS + n,
            TILE_COLUMNS,
            k > 0);
      }
    }
  }
  write<A>(p, place, t, sums, TILE_COLUMNS);
}

template <class A, class B = A>
void multiply(const Product& p, const Place* places, size_t batches) {
  bool few = p.m <= FEW;
  size_t rows = few ? FEW : rows_of(p, batches, ROWS, TILE_ROWS, TILE_COLUMNS);
  size_t columns = few ? columns_of(p, batches, rows, 64, FEW_COLUMNS)
                       : columns_of(p, batches, rows, COLUMNS, TILE_COLUMNS);
  each_tile(p, batches, rows, columns, [&](const Tile& t) {
    (few ? few_rows<A, B> : many_rows<A, B>)(p, places[t.batch], t);
  });
}

} // namespace
} // namespace MLXC_ISA

const Products Products::MLXC_ISA = {
    {
        MLXC_ISA::multiply<float>,
        MLXC_ISA::multiply<f16>,
        MLXC_ISA::multiply<bf16>,
    },
    {
        MLXC_ISA::multiply<float>,
        MLXC_ISA::multiply<float, f16>,
        MLXC_ISA::multiply<float, bf16>,
    },
};

} // namespace mlxc::cpu

MLXC_END_OF_TARGET
