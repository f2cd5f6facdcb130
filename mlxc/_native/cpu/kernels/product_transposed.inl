// Products a @ b.T: both matrices lie along the axis that is summed over, as the weights of linear
// layers do. A vector of partial sums for each element of the result, added up at the end of each
// block of the axis; so a row's sums are the same for any number of rows. Few rows read b where it
// lies, at the speed of memory; many rows share tiles of it that are copied to fit the caches. Half
// types are widened as they are read or copied.
//
// Every instruction set has it. Processors with dot products of bfloat16 pairs take those: twice
// the speed, sums in float32 all the same, but subnormal numbers count as 0.
#include "simd.h"

#include "product_few_rows.h"

namespace mlxc::cpu {
namespace MLXC_ISA {
namespace {

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
    auto multiply = p.m == 1 && ROW_BY_ROW ? one_row<P> : few ? few_rows<P> : many_rows<P>;
    multiply(p, places[t.batch], t);
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
