// A quantized matrix times many x on AVX-512: a strip is unpacked once, transposed in words of four
// bytes of 16 rows, which vpdpbusd multiplies with four bytes of x.
#pragma once

#include "quantized_avx512_row.h"

namespace mlxc::cpu::MLXC_ISA {

// Exchanges rows and columns of 16 by 16 words.
inline void transpose(I r[16]) {
  I t[16];
#pragma GCC unroll 16
  for (int i = 0; i < 16; i += 2) {
    t[i] = _mm512_unpacklo_epi32(r[i], r[i + 1]);
    t[i + 1] = _mm512_unpackhi_epi32(r[i], r[i + 1]);
  }
#pragma GCC unroll 16
  for (int i = 0; i < 16; i += 4) {
    r[i] = _mm512_unpacklo_epi64(t[i], t[i + 2]);
    r[i + 1] = _mm512_unpackhi_epi64(t[i], t[i + 2]);
    r[i + 2] = _mm512_unpacklo_epi64(t[i + 1], t[i + 3]);
    r[i + 3] = _mm512_unpackhi_epi64(t[i + 1], t[i + 3]);
  }
#pragma GCC unroll 16
  for (int i = 0; i < 4; i++) {
    t[i] = _mm512_shuffle_i32x4(r[i], r[4 + i], 0x88);
    t[4 + i] = _mm512_shuffle_i32x4(r[i], r[4 + i], 0xdd);
    t[8 + i] = _mm512_shuffle_i32x4(r[8 + i], r[12 + i], 0x88);
    t[12 + i] = _mm512_shuffle_i32x4(r[8 + i], r[12 + i], 0xdd);
  }
#pragma GCC unroll 16
  for (int i = 0; i < 4; i++) {
    r[i] = _mm512_shuffle_i32x4(t[i], t[8 + i], 0x88);
    r[4 + i] = _mm512_shuffle_i32x4(t[4 + i], t[12 + i], 0x88);
    r[8 + i] = _mm512_shuffle_i32x4(t[i], t[8 + i], 0xdd);
    r[12 + i] = _mm512_shuffle_i32x4(t[4 + i], t[12 + i], 0xdd);
  }
}

// The factors and offsets of 16 rows for each group of 32 elements; of eight groups at a time, for
// which the strip has room.
template <class S>
inline void read_scales(const QuantizedMatrix& w, std::size_t row, std::size_t count, Strip& to) {
  int shift = shift_of(w.group);
  std::size_t groups = w.length / 32, of_row = groups >> shift;
  std::size_t rows[strip];
  for (std::size_t n = 0; n < strip; n++) {
    rows[n] = (row + std::min(n, count - 1)) * of_row;
  }
  ScalesOfFour of_four(shift);
  F centre = splat(static_cast<float>(centre_of(w.packing)));
  for (std::size_t g = 0; g < groups; g += 8) {
    F factors[2][4], offsets[2][4];
#pragma GCC unroll 4
    for (int i = 0; i < 4; i++) {
      F of_rows[2];
      auto load = [&](const void* base) __attribute__((always_inline)) {
        auto* from = static_cast<const S*>(base) + (g >> shift);
        of_four.load(
            [&](std::size_t n) { return from + rows[4 * i + n]; }, of_row - (g >> shift), of_rows);
      };
      load(w.scales);
      factors[0][i] = of_rows[0], factors[1][i] = of_rows[1];
      offsets[0][i] = offsets[1][i] = splat(0);
      if (w.biases) {
        load(w.biases);
        offsets[0][i] = fma(centre, factors[0][i], of_rows[0]);
        offsets[1][i] = fma(centre, factors[1][i], of_rows[1]);
      }
    }
#pragma GCC unroll 2
    for (std::size_t chunk = 0; chunk < 2; chunk++) {
      auto write = [&](const F four[4], float(*to)[strip]) __attribute__((always_inline)) {
        F columns[4];
        by_group(four, columns);
#pragma GCC unroll 4
        for (std::size_t i = 0; i < 4; i++) {
          store(to[g + 4 * chunk + i], columns[i]);
        }
      };
      write(factors[chunk], to.factors);
      write(offsets[chunk], to.offsets);
    }
  }
}

inline void read_scales(const QuantizedMatrix& w, std::size_t row, std::size_t count, Strip& to) {
  switch (w.scale) {
    case Scale::f32:
      return read_scales<float>(w, row, count, to);
    case Scale::f16:
      return read_scales<f16>(w, row, count, to);
    case Scale::bf16:
      return read_scales<bf16>(w, row, count, to);
    default:
      return read_scales<e8m0>(w, row, count, to);
  }
}

// Unpacks 16 rows: for each group of 32 elements 8 registers of four bytes of 16 rows; the first
// four belong to half a.
template <Packing packing>
inline void unpack_strip(
    const QuantizedMatrix& w, std::size_t row, std::size_t count, Strip& strip_of) {
  using From = Unpack<packing>;
  auto* to = strip_of.bytes;
  read_scales(w, row, count, strip_of);
  constexpr int bits = bits_of(packing);
  std::size_t stride = w.length * bits / 8;
  for (std::size_t at = 0; at < w.length; at += 128) {
    I raw[From::raw][16];
    std::size_t elements = std::min(w.length - at, std::size_t{128});
    for (std::size_t n = 0; n < strip; n++) {
      I one[From::raw];
      From::load(
          w.packed + (row + std::min(n, count - 1)) * stride + at * bits / 8, elements, one);
#pragma GCC unroll 16
      for (int i = 0; i < From::raw; i++) {
        raw[i][n] = one[i];
      }
    }
    for (auto& half : raw) {
      transpose(half);
    }
    for (std::size_t i = 0; i < elements / 8; i++, to += 64) {
      I one[From::raw], a, b;
#pragma GCC unroll 16
      for (int j = 0; j < From::raw; j++) {
        one[j] = raw[j][i];
      }
      From::split(one, a, b);
      to += i % 4 == 0 && i ? 256 : 0;
      _mm512_store_si512(to, a);
      _mm512_store_si512(to + 256, b);
    }
    to += 256;
  }
}

inline I four_bytes(const std::int8_t* from) {
  std::int32_t word;
  std::memcpy(&word, from, 4);
  return _mm512_set1_epi32(word);
}

// Where the dot products of group g begin.
template <int Bytes>
inline I start_of(const Chunk<Bytes>& x, int which, int g) {
  return _mm512_set1_epi32(x.start[which][4 * g]);
}

template <int Chains>
inline void begin(I (&sums)[Chains], I start) {
  sums[0] = start;
#pragma GCC unroll 16
  for (int i = 1; i < Chains; i++) {
    sums[i] = _mm512_setzero_si512();
  }
}

// A strip times `Rows` rows of x, `chunks` apart: Rows results of 16.
template <int Bytes, bool Word, int Rows>
[[gnu::noinline]] void strip_times_rows(
    const Strip& w, const Chunk<Bytes>* x, std::size_t chunks, float (*to)[strip]) {
  F y[Rows];
#pragma GCC unroll 16
  for (F& one : y) {
    one = splat(0);
  }
  auto* weights = w.bytes;
  for (std::size_t group = 0; group < w.groups; group++, weights += 512) {
    auto* from = x + group / 4;
    int g = static_cast<int>(group % 4);
    // A dot product waits for the one before: there are to be eight at a time.
    constexpr int chains = Rows < 8 ? 8 / Rows : 1;
    I dots[Rows][chains];
    auto multiply = [&](int digit) {
#pragma GCC unroll 16
      for (int i = 0; i < 8; i++) {
        I bytes = _mm512_load_si512(weights + 64 * i);
#pragma GCC unroll 16
        for (int r = 0; r < Rows; r++) {
          auto* digits = from[r * chunks].digits[digit][i / 4] + 16 * g + 4 * (i % 4);
          I& sum = dots[r][i % chains];
          sum = _mm512_dpbusd_epi32(sum, bytes, four_bytes(digits));
        }
      }
#pragma GCC unroll 16
      for (int r = 0; r < Rows; r++) {
#pragma GCC unroll 16
        for (int c = 1; c < chains; c++) {
          dots[r][0] = _mm512_add_epi32(dots[r][0], dots[r][c]);
        }
      }
    };
    F high[Rows];
    if constexpr (Bytes == 3) {
#pragma GCC unroll 16
      for (int r = 0; r < Rows; r++) {
        begin(dots[r], Word ? _mm512_setzero_si512() : start_of(from[r * chunks], 1, g));
      }
      multiply(2);
#pragma GCC unroll 16
      for (int r = 0; r < Rows; r++) {
        high[r] = _mm512_cvtepi32_ps(dots[r][0]);
        begin(dots[r], Word ? _mm512_slli_epi32(dots[r][0], 8) : _mm512_setzero_si512());
      }
    } else if constexpr (Bytes == 2) {
#pragma GCC unroll 16
      for (int r = 0; r < Rows; r++) {
        begin(dots[r], _mm512_setzero_si512());
      }
    }
    if constexpr (Bytes > 1) {
      multiply(1);
    }
#pragma GCC unroll 16
    for (int r = 0; r < Rows; r++) {
      I start = start_of(from[r * chunks], 0, g);
      if constexpr (Bytes > 1) {
        start = _mm512_add_epi32(start, _mm512_slli_epi32(dots[r][0], 8));
      }
      begin(dots[r], start);
    }
    multiply(0);
    F factor = load(w.factors[group]), offset = load(w.offsets[group]);
#pragma GCC unroll 16
    for (int r = 0; r < Rows; r++) {
      auto& one = from[r * chunks];
      F dot = _mm512_cvtepi32_ps(dots[r][0]);
      dot = Bytes == 3 && !Word ? fma(high[r], splat(65536), dot) : dot;
      F term = dot * splat(one.scale[g]) * factor;
      y[r] = y[r] + fma(offset, splat(one.sum[g]), term);
    }
  }
#pragma GCC unroll 16
  for (int r = 0; r < Rows; r++) {
    store(to[r], y[r]);
  }
}

constexpr std::size_t most_rows = 8;

// As many rows of x as fit, of which there are `count`; returns how many.
template <Packing packing, int Bytes>
std::size_t times_some_rows(
    const Strip& w, const Chunk<Bytes>* x, std::size_t chunks, std::size_t count,
    float (*to)[strip]) {
  if (count >= 8) {
    strip_times_rows<Bytes, fits_word(packing), 8>(w, x, chunks, to);
    return 8;
  }
  if (count >= 4) {
    strip_times_rows<Bytes, fits_word(packing), 4>(w, x, chunks, to);
    return 4;
  }
  if (count >= 2) {
    strip_times_rows<Bytes, fits_word(packing), 2>(w, x, chunks, to);
    return 2;
  }
  strip_times_rows<Bytes, fits_word(packing), 1>(w, x, chunks, to);
  return 1;
}

} // namespace mlxc::cpu::MLXC_ISA
