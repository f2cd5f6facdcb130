// A quantized matrix times one x on AVX-512: vpdpbusd multiplies 64 bytes and adds four by four.
//
// A strip is 16 rows of the matrix, the lanes of an accumulator. A chunk of 128 elements of each is
// unpacked as it streams in, and 16 partial sums of a row become those of four groups.
#pragma once

#include "quantized_avx512_strip.h"

namespace mlxc::cpu::MLXC_ISA {

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

// The rows of a strip are many streams, too many for the processor to see them coming.
inline void prefetch(const void* from) {
  _mm_prefetch(static_cast<const char*>(from), _MM_HINT_T1);
}

// The dot products of a chunk of four rows with x, in lanes 4 g + n.
template <Packing packing, int Bytes>
inline F dots_of_four(
    const std::uint8_t* const* rows, std::size_t offset, std::size_t next_strip,
    std::size_t elements, const Chunk<Bytes>& x) {
  using From = Unpack<packing>;
  I low[4], high[4];
#pragma GCC unroll 4
  for (int n = 0; n < 4; n++) {
    I raw[From::raw], a, b;
    prefetch(rows[n] + offset + next_strip);
    From::load(rows[n] + offset, elements, raw);
    From::split(raw, a, b);
    auto add = [&](I sum, int digit) {
      sum = _mm512_dpbusd_epi32(sum, a, _mm512_load_si512(x.digits[digit][0]));
      return _mm512_dpbusd_epi32(sum, b, _mm512_load_si512(x.digits[digit][1]));
    };
    low[n] = _mm512_load_si512(x.start[0]);
    if constexpr (Bytes > 1) {
      I middle = add(_mm512_setzero_si512(), 1);
      low[n] = _mm512_add_epi32(_mm512_slli_epi32(middle, 8), low[n]);
      high[n] = add(_mm512_load_si512(x.start[1]), 2);
    }
    low[n] = add(low[n], 0);
  }
  I sum = sums_of_fours(low);
  return Bytes > 1 ? from_two(sums_of_fours(high), sum) : _mm512_cvtepi32_ps(sum);
}

// 16 rows, of which the last may repeat, times one x.
template <Packing packing, int Bytes, class S>
inline void strip_times_row_of(
    const QuantizedMatrix& w, std::size_t row, std::size_t count, const Chunk<Bytes>* x,
    float* to) {
  constexpr int bits = bits_of(packing);
  std::size_t stride = w.length * bits / 8;
  int shift = shift_of(w.group);
  const std::uint8_t* rows[strip];
  std::size_t scale_rows[strip];
  for (std::size_t n = 0; n < strip; n++) {
    rows[n] = w.packed + (row + std::min(n, count - 1)) * stride;
    scale_rows[n] = (row + std::min(n, count - 1)) * (w.length / 32 >> shift);
  }
  std::size_t next_scales = strip * (w.length / 32 >> shift);
  auto* scales = static_cast<const S*>(w.scales);
  auto* biases = static_cast<const S*>(w.biases);
  ScalesOfChunk of_chunk(shift);
  F centre = splat(static_cast<float>(centre_of(packing)));
  F y = splat(0);
  auto add_chunk = [&](std::size_t at, auto elements) {
    of_chunk.groups = static_cast<__mmask16>((1u << (elements / 32 >> shift)) - 1);
    F scale = by_fours(x->scale), sum = by_fours(x->sum);
    F terms[4], groups[4];
    if (at % 1024 == 0) {
      for (std::size_t n : scale_rows) {
        prefetch(scales + n + next_scales);
        if constexpr (packing != Packing::mxfp4) {
          prefetch(biases + n + next_scales);
        }
      }
    }
#pragma GCC unroll 4
    for (int i = 0; i < 4; i++) {
      F dots = dots_of_four<packing>(
          rows + 4 * i, at * bits / 8, stride * strip, elements, *x);
      F factor = of_chunk.load(scales, scale_rows + 4 * i);
      terms[i] = dots * scale * factor;
      if constexpr (packing != Packing::mxfp4) {
        F offset = fma(centre, factor, of_chunk.load(biases, scale_rows + 4 * i));
        terms[i] = fma(offset, sum, terms[i]);
      }
    }
    by_group(terms, groups);
#pragma GCC unroll 4
    for (F group : groups) {
      y = y + group;
    }
    x++;
    scales += 4 >> shift;
    biases += packing == Packing::mxfp4 ? 0 : 4 >> shift;
  };
  std::size_t at = 0;
  for (; at + 128 <= w.length; at += 128) {
    add_chunk(at, std::integral_constant<std::size_t, 128>());
  }
  if (at < w.length) {
    add_chunk(at, w.length - at);
  }
  store(to, y);
}

template <Packing packing, int Bytes>
inline void strip_times_row(
    const QuantizedMatrix& w, std::size_t row, std::size_t count, const Chunk<Bytes>* x,
    float* to) {
  if constexpr (packing == Packing::mxfp4) {
    strip_times_row_of<packing, Bytes, e8m0>(w, row, count, x, to);
  } else if (w.scale == Scale::f32) {
    strip_times_row_of<packing, Bytes, float>(w, row, count, x, to);
  } else if (w.scale == Scale::f16) {
    strip_times_row_of<packing, Bytes, f16>(w, row, count, x, to);
  } else {
    strip_times_row_of<packing, Bytes, bf16>(w, row, count, x, to);
  }
}

} // namespace mlxc::cpu::MLXC_ISA
