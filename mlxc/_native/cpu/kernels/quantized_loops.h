// Products with quantized matrices where there is no AVX-512: a strip of 16 rows is unpacked group by
// group into words of all rows, and multiplied with one row of x at once, or with all of them when it
// is unpacked as a whole.
#pragma once

#include "quantized_dots.h"

namespace mlxc::cpu::MLXC_ISA {

constexpr std::size_t most_rows = 8; // of x that pass a strip at once

inline F as_floats(Int x) {
  return __builtin_convertvector(x, F);
}

// y and the products of group g of W rows with x.
template <Packing packing, int Bytes>
[[gnu::always_inline]] inline F add_group(
    const Words& w, const Chunk<Bytes>& x, std::size_t g, F factors, F offsets, F y) {
  Int sums[Bytes];
  MLXC_UNROLL
  for (int digit = 0; digit < Bytes; digit++) {
    sums[digit] = dots<packing>(w, x.digits[digit][0] + 16 * g);
  }
  auto start = [&](int which) { return is_centred(packing) ? 0 : x.start[which][4 * g]; };
  F dot;
  if constexpr (Bytes == 1) {
    dot = as_floats(sums[0] + start(0));
  } else if constexpr (Bytes == 2) {
    dot = as_floats(sums[0] + (sums[1] << 8) + start(0));
  } else {
    F high = as_floats(sums[2] + start(1));
    dot = fma(high, splat(65536), as_floats(sums[0] + (sums[1] << 8) + start(0)));
  }
  return y + fma(offsets, splat(x.sum[g]), dot * splat(x.scale[g]) * factors);
}

// The rows of a strip, of which the last may repeat.
struct StripRows {
  const std::uint8_t* rows[strip];
  std::size_t stride;

  StripRows(const QuantizedMatrix& w, std::size_t row, std::size_t count)
      : stride(w.length / 8 * static_cast<std::size_t>(bits_of(w.packing))) {
    for (std::size_t n = 0; n < strip; n++) {
      rows[n] = w.packed + (row + std::min(n, count - 1)) * stride;
    }
  }

  // Rows are many streams, too many for the processor to see them coming: each asks for what is as
  // far on in the next strip. Inline, because GCC drops calls of functions that only ask.
  [[gnu::always_inline]] void prefetch(std::size_t at, std::size_t bytes) const {
    for (auto* row : rows) {
      for (std::size_t i = 0; i < bytes; i += 64) {
        __builtin_prefetch(row + strip * stride + at + i, 0, 2);
      }
    }
  }
};

// Calls body(first, groups, factors, offsets) for groups of 32 elements of a strip that share a
// chunk of x; there are scales for each of them.
template <class Body>
inline void each_chunk(
    const QuantizedMatrix& w, std::size_t row, std::size_t count, const Body& body) {
  Scales scales(w, row, count);
  int shift = shift_of(w.group);
  alignas(64) float factors[block][strip], offsets[block][strip];
  std::size_t groups = w.length / 32;
  for (std::size_t g = 0; g < groups; g += 4) {
    if (std::size_t in_block = g % (block << shift); in_block == 0) {
      scales.read(g >> shift, factors, offsets);
    }
    const float *some_factors[4], *some_offsets[4];
    for (std::size_t i = 0; i < 4; i++) {
      some_factors[i] = factors[((g + i) >> shift) % block];
      some_offsets[i] = offsets[((g + i) >> shift) % block];
    }
    body(g, std::min(groups - g, std::size_t{4}), some_factors, some_offsets);
  }
}

// 16 rows, of which the last may repeat, times one x.
template <Packing packing, int Bytes>
inline void strip_times_row(
    const QuantizedMatrix& w, std::size_t row, std::size_t count, const Chunk<Bytes>* x,
    float* to) {
  StripRows from(w, row, count);
  F y[vectors] = {};
  each_chunk(w, row, count, [&](std::size_t g, std::size_t groups, auto& factors, auto& offsets) {
    std::size_t at = g * 4 * bits_of(packing);
    from.prefetch(at, 16 * bits_of(packing));
    for (int v = 0; v < vectors; v++) {
      for (std::size_t i = 0; i < groups; i++) {
        Words words;
        unpack_words<packing>(from.rows + v * W, at + i * 4 * bits_of(packing), words);
        y[v] = add_group<packing, Bytes>(
            words, x[g / 4], i, load(factors[i] + v * W), load(offsets[i] + v * W), y[v]);
      }
    }
  });
  std::memcpy(to, y, sizeof y);
}

// Up to so many rows of x are multiplied as the matrix streams in, more once a strip is unpacked.
constexpr std::size_t few_rows = 1;
constexpr std::size_t rows_at_once = 1;

// The same for a few rows of x, which lie `chunks` apart; how many those were.
template <Packing packing, int Bytes>
inline std::size_t strip_times_few(
    const QuantizedMatrix& w, std::size_t row, std::size_t count, const Chunk<Bytes>* x,
    std::size_t, std::size_t, float (*to)[strip]) {
  strip_times_row<packing, Bytes>(w, row, count, x, *to);
  return 1;
}

// Unpacks 16 rows.
template <Packing packing>
inline void unpack_strip(
    const QuantizedMatrix& w, std::size_t row, std::size_t count, Strip& to) {
  StripRows from(w, row, count);
  each_chunk(w, row, count, [&](std::size_t g, std::size_t groups, auto& factors, auto& offsets) {
    auto* words = reinterpret_cast<Words*>(to.bytes) + g * vectors;
    for (std::size_t i = 0; i < groups; i++) {
      for (int v = 0; v < vectors; v++, words++) {
        unpack_words<packing>(from.rows + v * W, (g + i) * 4 * bits_of(packing), *words);
      }
      std::copy_n(factors[i], strip, to.factors[g + i]);
      std::copy_n(offsets[i], strip, to.offsets[g + i]);
    }
  });
}

// As many rows of x as pass at once, of which there are `count`; returns how many.
template <Packing packing, int Bytes>
std::size_t times_some_rows(
    const Strip& w, const Chunk<Bytes>* x, std::size_t chunks, std::size_t count,
    float (*to)[strip]) {
  std::size_t rows = std::min(count, most_rows);
  F y[most_rows][vectors] = {};
  auto* words = reinterpret_cast<const Words*>(w.bytes);
  for (std::size_t g = 0; g < w.groups; g++) {
    for (int v = 0; v < vectors; v++, words++) {
      Words some;
      MLXC_UNROLL
      for (int i = 0; i < 8; i++) {
        some[i] = (*words)[i];
      }
      F factors = load(w.factors[g] + v * W), offsets = load(w.offsets[g] + v * W);
      for (std::size_t r = 0; r < rows; r++) {
        y[r][v] = add_group<packing, Bytes>(
            some, x[r * chunks + g / 4], g % 4, factors, offsets, y[r][v]);
      }
    }
  }
  std::memcpy(to, y, rows * sizeof y[0]);
  return rows;
}

} // namespace mlxc::cpu::MLXC_ISA
