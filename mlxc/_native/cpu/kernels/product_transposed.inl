// Products a @ b.T: both matrices lie along the axis that is summed over, as the weights of linear
// layers do. A vector of partial sums for each element of the result, added up at the end of each
// block of the axis; so a row's sums are the same for any number of rows. Few rows read b where it
// lies, at the speed of memory; many rows share tiles of it that are copied to fit the caches. Half
// types are widened as they are read or copied.
//
// Every instruction set has it. Processors with dot products of bfloat16 pairs take those: twice
// the speed, sums in float32 all the same, but subnormal numbers count as 0.
#include "simd.h"

#include "sums.h"
#include "tiles.h"

namespace mlxc::cpu {
namespace MLXC_ISA {
namespace {

// --- arithmetic: what is loaded, multiplied and packed, and for how few rows b is not -----

template <class A, class B = A>
struct Plain {
  using Left = A;
  using Right = B;
  using Packed = float;
  using V = F;
  static constexpr size_t step = W;
#if defined(MLXC_AVX512) || defined(MLXC_AVX2) || defined(MLXC_NEON)
  static constexpr size_t few = 32;
#else
  static constexpr size_t few = 8; // widening takes long
#endif
  template <class From>
  static V get(const From* from) {
    return load(from);
  }
  template <class From>
  static V get(const From* from, size_t n) {
    return load(from, static_cast<int>(n));
  }
  static void put(Packed* to, V x) {
    store(to, x);
  }
  static V zero() {
    return splat(0);
  }
  static F add_product(V a, V b, F sums) {
    return fma(a, b, sums);
  }
};

#if defined(MLXC_AVX512)
struct Dots {
  using Left = bf16;
  using Right = bf16;
  using Packed = bf16;
  using V = __m512i;
  static constexpr size_t step = 2 * W;
  static constexpr size_t few = 16;
  static V get(const bf16* from) {
    return _mm512_loadu_si512(from);
  }
  static V get(const bf16* from, size_t n) {
    return _mm512_maskz_loadu_epi16(static_cast<__mmask32>((1u << n) - 1), from);
  }
  static void put(Packed* to, V x) {
    _mm512_storeu_si512(to, x);
  }
  static V zero() {
    return _mm512_setzero_si512();
  }
  // The intrinsic would need another target than that of the functions around it.
  static F add_product(V a, V b, F sums) {
    asm("vdpbf16ps %2, %1, %0" : "+v"(sums) : "v"(a), "v"(b));
    return sums;
  }
};
#endif

// --- shapes -----------------------------------------------------------------------------

#if defined(MLXC_AVX512) || defined(MLXC_NEON)
constexpr size_t ROWS = 6; // rows x 4 sums, rows of a and one of b in 32 registers
constexpr size_t FEW_AT_ONCE = 4;
#else
constexpr size_t ROWS = 3; // the same in 16
constexpr size_t FEW_AT_ONCE = 2;
#endif
constexpr size_t COLUMNS = 4;
constexpr size_t TILE_ROWS = 768;
constexpr size_t TILE_COLUMNS = 128;

// Elements of the summed axis after which partial sums are added up.
template <class P>
constexpr size_t BLOCK = block_bytes / sizeof(typename P::Packed);

template <class P>
constexpr size_t steps_in(size_t length) {
  return (length + P::step - 1) / P::step;
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

// --- many rows --------------------------------------------------------------------------

// Copies `length` elements of each of `rows` rows: step by step, those of a group of `Group` rows
// beside each other, with rows of 0 to fill the last group.
template <class P, size_t Group, class T>
void pack(
    typename P::Packed* to, const T* from, std::ptrdiff_t stride, size_t rows, size_t length) {
  size_t steps = steps_in<P>(length);
  for (size_t first = 0; first < rows; first += Group, to += steps * Group * P::step) {
    for (size_t i = 0; i < Group; i++) {
      auto* at = to + i * P::step;
      const T* row = from + static_cast<std::ptrdiff_t>(first + i) * stride;
      for (size_t s = 0; s < steps; s++, at += Group * P::step) {
        size_t rest = length - s * P::step;
        P::put(
            at,
            first + i >= rows    ? P::zero()
                : rest >= P::step ? P::get(row + s * P::step)
                                  : P::get(row + s * P::step, rest));
      }
    }
  }
}

// Adds the products of ROWS packed rows of a and COLUMNS of b.
template <class P>
void multiply_packed(
    const typename P::Packed* a,
    const typename P::Packed* b,
    size_t steps,
    float* sums,
    size_t stride,
    bool more) {
  F partial[ROWS][COLUMNS];
  MLXC_UNROLL
  for (auto& row : partial) {
    MLXC_UNROLL
    for (F& x : row) {
      x = splat(0);
    }
  }
  for (size_t s = 0; s < steps; s++, a += ROWS * P::step, b += COLUMNS * P::step) {
    typename P::V y[COLUMNS];
    MLXC_UNROLL
    for (size_t j = 0; j < COLUMNS; j++) {
      y[j] = P::get(b + j * P::step);
    }
    MLXC_UNROLL
    for (size_t i = 0; i < ROWS; i++) {
      auto x = P::get(a + i * P::step);
      MLXC_UNROLL
      for (size_t j = 0; j < COLUMNS; j++) {
        partial[i][j] = P::add_product(x, y[j], partial[i][j]);
      }
    }
  }
  MLXC_UNROLL
  for (size_t i = 0; i < ROWS; i++) {
    F* four = partial[i];
    add_sums(four[0], four[1], four[2], four[3], sums + i * stride, more);
  }
}

template <class P>
void many_rows(const Product& p, const Place& place, const Tile& t) {
  using Left = typename P::Left;
  using Right = typename P::Right;
  using Packed = typename P::Packed;
  constexpr size_t block = BLOCK<P>;
  auto* a_packed = static_cast<Packed*>(
      scratch((ROWS + TILE_COLUMNS) * block * sizeof(Packed) +
              TILE_ROWS * TILE_COLUMNS * sizeof(float)));
  auto* b_packed = a_packed + ROWS * block;
  auto* sums = reinterpret_cast<float*>(b_packed + TILE_COLUMNS * block);
  auto* a = static_cast<const Left*>(p.a) + place.a + static_cast<std::ptrdiff_t>(t.m) * p.a_row;
  auto* b = static_cast<const Right*>(p.b) + place.b + static_cast<std::ptrdiff_t>(t.n) * p.b_row;
  size_t rows = t.m_end - t.m, columns = t.n_end - t.n;
  for (size_t k = 0; k < p.k; k += block) {
    size_t length = std::min(block, p.k - k), steps = steps_in<P>(length);
    pack<P, COLUMNS>(b_packed, b + k, p.b_row, columns, length);
    for (size_t m = 0; m < rows; m += ROWS) {
      auto* some = a + static_cast<std::ptrdiff_t>(m) * p.a_row + k;
      pack<P, ROWS>(a_packed, some, p.a_row, std::min(ROWS, rows - m), length);
      for (size_t n = 0; n < columns; n += COLUMNS) {
        multiply_packed<P>(
            a_packed,
            b_packed + n * steps * P::step,
            steps,
            sums + m * TILE_COLUMNS + n,
            TILE_COLUMNS,
            k > 0);
      }
    }
  }
  write<Left>(p, place, t, sums, TILE_COLUMNS);
}

template <class P>
void multiply(const Product& p, const Place* places, size_t batches) {
  bool few = p.m <= P::few;
  size_t rows = few ? P::few : rows_of(p, batches, ROWS, TILE_ROWS, TILE_COLUMNS);
  size_t columns = columns_of(p, batches, rows, 8, TILE_COLUMNS);
  each_tile(p, batches, rows, columns, [&](const Tile& t) {
    (few ? few_rows<P> : many_rows<P>)(p, places[t.batch], t);
  });
}

} // namespace
} // namespace MLXC_ISA

const TransposedProducts TransposedProducts::MLXC_ISA = {
    {
        MLXC_ISA::multiply<MLXC_ISA::Plain<float>>,
        MLXC_ISA::multiply<MLXC_ISA::Plain<f16>>,
        MLXC_ISA::multiply<MLXC_ISA::Plain<bf16>>,
    },
    {
        MLXC_ISA::multiply<MLXC_ISA::Plain<float>>,
        MLXC_ISA::multiply<MLXC_ISA::Plain<float, f16>>,
        MLXC_ISA::multiply<MLXC_ISA::Plain<float, bf16>>,
    },
#if defined(MLXC_AVX512)
    MLXC_ISA::multiply<MLXC_ISA::Dots>,
#else
    nullptr,
#endif
};

} // namespace mlxc::cpu

MLXC_END_OF_TARGET
