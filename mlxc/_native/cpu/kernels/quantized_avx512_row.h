// A quantized matrix times a few rows of x on AVX-512: vpdpbusd multiplies 64 bytes and adds four by
// four.
//
// Four rows of the matrix pass at a time, which lie together: one stretch of memory. A chunk of 128
// elements of each is unpacked as it streams in; 16 partial sums of a row become those of four groups.
#pragma once

#include "quantized_avx512_strip.h"

namespace mlxc::cpu::MLXC_ISA {

// Whether one sum holds all three bytes of x.
constexpr bool fits_word(Packing packing) {
  return centre_of(packing) <= most_centre_of_word;
}

inline F from_two(I high, I low) { // 65536 high + low
  return fma(_mm512_cvtepi32_ps(high), splat(65536), _mm512_cvtepi32_ps(low));
}

inline I twos(I a, I b) {
  return _mm512_add_epi32(_mm512_unpacklo_epi32(a, b), _mm512_unpackhi_epi32(a, b));
}

// The sums of the four lanes of each group of four rows: lane 4 g + n is of group g and row n.
inline I sums_of_fours(const I r[4]) {
  I low = twos(r[0], r[1]), high = twos(r[2], r[3]);
  return _mm512_add_epi32(_mm512_unpacklo_epi64(low, high), _mm512_unpackhi_epi64(low, high));
}

// x[g] in lanes 4 g to 4 g + 3.
inline F by_fours(const float* x) {
  auto lanes = _mm512_setr_epi32(0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3);
  return _mm512_permutexvar_ps(lanes, _mm512_castps128_ps512(_mm_load_ps(x)));
}

// A chunk of four rows in bytes: its even elements, and its odd ones.
struct FourBytes {
  I even[4], odd[4];
};

template <Packing packing, class Elements>
[[gnu::always_inline]] inline FourBytes unpack_four(
    const std::uint8_t* rows, std::size_t stride, Elements elements) {
  using From = Unpack<packing>;
  FourBytes w;
#pragma GCC unroll 4
  for (int n = 0; n < 4; n++) {
    I raw[From::raw];
    From::load(rows + n * stride, elements, raw);
    From::split(raw, w.even[n], w.odd[n]);
  }
  return w;
}

// The dot products of a chunk of four rows with x, in lanes 4 g + n.
template <Packing packing, int Bytes>
[[gnu::always_inline]] inline F dots_of_four(const FourBytes& w, const Chunk<Bytes>& x) {
  I low[4], high[4];
#pragma GCC unroll 4
  for (int n = 0; n < 4; n++) {
    auto add = [&](I sum, int digit) {
      sum = _mm512_dpbusd_epi32(sum, w.even[n], _mm512_load_si512(x.digits[digit][0]));
      return _mm512_dpbusd_epi32(sum, w.odd[n], _mm512_load_si512(x.digits[digit][1]));
    };
    low[n] = _mm512_setzero_si512();
    if constexpr (Bytes == 3) {
      high[n] = add(low[n], 2);
      low[n] = fits_word(packing) ? _mm512_slli_epi32(high[n], 8) : low[n];
    }
    if constexpr (Bytes > 1) {
      low[n] = _mm512_slli_epi32(add(low[n], 1), 8);
    }
    low[n] = add(low[n], 0);
  }
  I sum = _mm512_add_epi32(sums_of_fours(low), _mm512_load_si512(x.start[0]));
  if constexpr (Bytes == 3 && !fits_word(packing)) {
    return from_two(
        _mm512_add_epi32(sums_of_fours(high), _mm512_load_si512(x.start[1])), sum);
  }
  return _mm512_cvtepi32_ps(sum);
}

constexpr std::size_t ahead = 8 << 10; // bytes that are asked for before their time

// Asks for memory before its time, which is needed soon.
[[gnu::always_inline]] inline void prefetch(const void* from) {
  _mm_prefetch(static_cast<const char*>(from), _MM_HINT_T0);
}

// Four rows of a matrix, so far apart; with no distance it is one row.
template <class S>
struct FourRows {
  const std::uint8_t* packed;
  const S *scales, *biases;
  std::size_t stride, scale_stride;
  std::size_t to_packed, to_scales; // which are asked for meanwhile, in bytes
};

// Some rows of x, so many chunks apart.
template <int Bytes>
struct RowsOfX {
  const Chunk<Bytes>* first;
  std::size_t chunks;
};

// Adds the dot products of a chunk of four rows with rows of x to y. A stream of memory for each of
// the four: as the processor sees them come, it fetches more.
template <Packing packing, int Bytes, int Rows, class Elements>
[[gnu::always_inline]] inline void add_chunk(
    __m128 (&y)[Rows], const std::uint8_t* rows, std::size_t stride, std::size_t to_rows,
    Elements elements, F factor, F bias, const RowsOfX<Bytes>& x, std::size_t chunk) {
#pragma GCC unroll 4
  for (std::size_t n = 0; n < 4; n++) {
    prefetch(rows + n * stride + to_rows);
    if (bits_of(packing) > 4) {
      prefetch(rows + n * stride + to_rows + 64);
    }
  }
  FourBytes w = unpack_four<packing>(rows, stride, elements);
  F centre = splat(static_cast<float>(centre_of(packing)));
  F offset = packing == Packing::mxfp4 ? bias : fma(centre, factor, bias);
#pragma GCC unroll 4
  for (int m = 0; m < Rows; m++) {
    auto& part = x.first[static_cast<std::size_t>(m) * x.chunks + chunk];
    F terms = dots_of_four<packing>(w, part) * by_fours(part.scale) * factor;
    if constexpr (packing != Packing::mxfp4) {
      terms = fma(offset, by_fours(part.sum), terms);
    }
    y[m] = _mm_add_ps(y[m], _mm512_castps512_ps128(terms));
    y[m] = _mm_add_ps(y[m], _mm512_extractf32x4_ps(terms, 1));
    y[m] = _mm_add_ps(y[m], _mm512_extractf32x4_ps(terms, 2));
    y[m] = _mm_add_ps(y[m], _mm512_extractf32x4_ps(terms, 3));
  }
}

// The same for chunks 2 i and 2 i + 1, of which the last may have no elements.
template <Packing packing, int Bytes, int Rows, class S, class Elements>
[[gnu::always_inline]] inline void add_two(
    __m128 (&y)[Rows], const FourRows<S>& w, std::size_t i, const ScalesOfFour& of_four,
    Elements first, Elements last, std::size_t length, const RowsOfX<Bytes>& x) {
  constexpr std::size_t bytes = 16 * bits_of(packing);
  std::size_t at = i * of_four.most(), left = of_four.groups(length) - at;
  auto scales_of = [&](const S* first, F to[2]) __attribute__((always_inline)) {
    prefetch(reinterpret_cast<const char*>(first + 4 * at) + w.to_scales);
    of_four.load([&](std::size_t n) { return first + at + n * w.scale_stride; }, left, to);
  };
  F factors[2], biases[2]{};
  scales_of(w.scales, factors);
  if constexpr (packing != Packing::mxfp4) {
    scales_of(w.biases, biases);
  }
  auto* rows = w.packed + 2 * i * bytes;
  add_chunk<packing>(y, rows, w.stride, w.to_packed, first, factors[0], biases[0], x, 2 * i);
  if (last) {
    add_chunk<packing>(
        y, rows + bytes, w.stride, w.to_packed, last, factors[1], biases[1], x, 2 * i + 1);
  }
}

// The dot products of four rows with rows of x.
template <Packing packing, int Bytes, int Rows, class S>
[[gnu::always_inline]] inline void four_rows_times_rows(
    __m128 (&y)[Rows], const FourRows<S>& w, const ScalesOfFour& of_four, std::size_t length,
    const RowsOfX<Bytes>& x) {
  constexpr std::integral_constant<std::size_t, 128> whole;
  for (auto& sum : y) {
    sum = _mm_setzero_ps();
  }
  std::size_t i = 0;
  for (; i < length / 256; i++) {
    add_two<packing>(y, w, i, of_four, whole, whole, length, x);
  }
  if (std::size_t left = length % 256) {
    std::size_t first = std::min(left, std::size_t{128});
    add_two<packing>(y, w, i, of_four, first, left - first, length, x);
  }
}

// Up to 16 rows times some rows of x.
template <Packing packing, int Bytes, int Rows, class S>
inline void strip_times_rows_of(
    const QuantizedMatrix& w, std::size_t row, std::size_t count, const RowsOfX<Bytes>& x,
    float (*to)[strip]) {
  ScalesOfFour of_four(shift_of(w.group));
  std::size_t stride = w.length * bits_of(packing) / 8, scale_stride = of_four.groups(w.length);
  std::size_t rows_ahead = (ahead / stride + 3) / 4 * 4;
  auto multiply = [&](std::size_t n, std::size_t apart, __m128 (&y)[Rows])
                      __attribute__((always_inline)) {
    FourRows<S> rows{
        w.packed + (row + n) * stride,
        static_cast<const S*>(w.scales) + (row + n) * scale_stride,
        w.biases ? static_cast<const S*>(w.biases) + (row + n) * scale_stride : nullptr,
        apart * stride,
        apart * scale_stride,
        rows_ahead * stride,
        rows_ahead * scale_stride * sizeof(S)};
    four_rows_times_rows<packing>(y, rows, of_four, w.length, x);
  };
  std::size_t n = 0;
  __m128 y[Rows];
  for (; n + 4 <= count; n += 4) {
    multiply(n, 1, y);
    for (int m = 0; m < Rows; m++) {
      _mm_storeu_ps(to[m] + n, y[m]);
    }
  }
  for (; n < count; n++) {
    multiply(n, 0, y);
    for (int m = 0; m < Rows; m++) {
      _mm_store_ss(to[m] + n, y[m]);
    }
  }
}

// Up to so many rows of x are multiplied as the matrix streams in, more once a strip is unpacked.
constexpr std::size_t few_rows = 8;
constexpr std::size_t rows_at_once = 2; // more would save a tenth, and make two of such code

// Up to 16 rows times a few rows of x, which lie `chunks` apart; how many those were.
template <Packing packing, int Bytes>
inline std::size_t strip_times_few(
    const QuantizedMatrix& w, std::size_t row, std::size_t count, const Chunk<Bytes>* x,
    std::size_t chunks, std::size_t rows, float (*to)[strip]) {
  auto times = [&]<class S>(S) {
    RowsOfX<Bytes> some{x, chunks};
    rows > 1 ? strip_times_rows_of<packing, Bytes, 2, S>(w, row, count, some, to)
             : strip_times_rows_of<packing, Bytes, 1, S>(w, row, count, some, to);
  };
  if constexpr (packing == Packing::mxfp4) {
    times(e8m0{});
  } else if (w.scale == Scale::f32) {
    times(float{});
  } else if (w.scale == Scale::f16) {
    times(f16{});
  } else {
    times(bf16{});
  }
  return rows > 1 ? 2 : 1;
}

} // namespace mlxc::cpu::MLXC_ISA
