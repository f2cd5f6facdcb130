// Products with quantized matrices on AVX-512: vpdpbusd multiplies 64 bytes and adds four by four.
//
// A strip is 16 rows of the matrix: the lanes of an accumulator. For one x, a chunk of 128 elements
// of each row is unpacked as it streams in, and 16 rows of 16 partial sums are added up to four
// groups of 16 lanes. For many, the strip is unpacked once, transposed in words.
#pragma once

#include "quantized_scales.h"
#include "quantized_x.h"

namespace mlxc::cpu::MLXC_ISA {

inline I row_mask_load(const std::uint8_t* from, std::size_t bytes) {
  __mmask64 mask = bytes >= 64 ? ~0ull : (1ull << bytes) - 1;
  return _mm512_maskz_loadu_epi8(mask, from);
}

// Which bytes of a chunk packed in `Bits` begin the 8 elements of each 64 bits of a half.
template <int Bits, int Half>
struct Places {
  alignas(64) std::uint8_t bytes[64];
  constexpr Places() : bytes() {
    for (int i = 0; i < 64; i++) {
      int eight = i / 16 * 4 + Half * 2 + i / 8 % 2;
      bytes[i] = static_cast<std::uint8_t>((eight * Bits + i % 8) & 127);
    }
  }
};

// How a chunk of a row comes out of its packing: `load` gives registers of bytes, in `raw` many;
// `split` makes of them the halves a and b of four groups. `split` keeps bytes in their place.
template <Packing packing>
struct Unpack {
  static constexpr int bits = bits_of(packing);
  static constexpr Order order = Order::halves;
  static constexpr int raw = 2;

  template <int Half>
  static I half(I first, I last) {
    static constexpr Places<bits, Half> places;
    auto at = _mm512_load_si512(places.bytes);
    auto eights = bits <= 4 ? _mm512_permutexvar_epi8(at, first)
                            : _mm512_permutex2var_epi8(first, at, last);
    auto shifts = _mm512_set1_epi64(0x0706050403020100 * bits);
    auto elements = _mm512_multishift_epi64_epi8(shifts, eights);
    return _mm512_and_si512(elements, _mm512_set1_epi8((1 << bits) - 1));
  }

  static void load(const std::uint8_t* from, std::size_t elements, I* to) {
    std::size_t bytes = elements * bits / 8;
    auto first = row_mask_load(from, bytes);
    auto last = bytes > 64 ? row_mask_load(from + 64, bytes - 64) : _mm512_setzero_si512();
    if (bits == 8) {
      to[0] = _mm512_shuffle_i64x2(first, last, 0x88);
      to[1] = _mm512_shuffle_i64x2(first, last, 0xdd);
    } else {
      to[0] = half<0>(first, last);
      to[1] = half<1>(first, last);
    }
  }

  static void split(const I* raw, I& a, I& b) {
    a = raw[0];
    b = raw[1];
  }
};

template <bool Table>
struct Nibbles {
  static constexpr int bits = 4;
  static constexpr Order order = Order::even_odd;
  static constexpr int raw = 1;

  static void load(const std::uint8_t* from, std::size_t elements, I* to) {
    *to = elements == 128 ? _mm512_loadu_si512(from) : row_mask_load(from, elements / 2);
  }

  static void split(const I* raw, I& a, I& b) {
    auto low = _mm512_set1_epi8(15);
    a = _mm512_and_si512(*raw, low);
    b = _mm512_and_si512(_mm512_srli_epi16(*raw, 4), low);
    if constexpr (Table) {
      auto table = _mm512_broadcast_i32x4(
          _mm_loadu_si128(reinterpret_cast<const __m128i*>(e2m1_above_least)));
      a = _mm512_shuffle_epi8(table, a);
      b = _mm512_shuffle_epi8(table, b);
    }
  }
};
template <>
struct Unpack<Packing::bits4> : Nibbles<false> {};
template <>
struct Unpack<Packing::mxfp4> : Nibbles<true> {};

inline F from_two(I high, I low) { // 65536 high + low
  return fma(_mm512_cvtepi32_ps(high), splat(65536), _mm512_cvtepi32_ps(low));
}

// The sums of the four lanes of each group of four rows: lane 4 g + n is of group g and row n.
inline I sums_of_fours(const I r[4]) {
  auto low = _mm512_add_epi32(_mm512_unpacklo_epi32(r[0], r[1]), _mm512_unpackhi_epi32(r[0], r[1]));
  auto high = _mm512_add_epi32(_mm512_unpacklo_epi32(r[2], r[3]), _mm512_unpackhi_epi32(r[2], r[3]));
  return _mm512_add_epi32(_mm512_unpacklo_epi64(low, high), _mm512_unpackhi_epi64(low, high));
}

// Lane n of dots[g] for 16 rows n, of lanes 4 g + n % 4 of four[n / 4].
inline void by_group(const F four[4], F dots[4]) {
  F a = _mm512_shuffle_f32x4(four[0], four[1], 0x88), b = _mm512_shuffle_f32x4(four[0], four[1], 0xdd);
  F c = _mm512_shuffle_f32x4(four[2], four[3], 0x88), d = _mm512_shuffle_f32x4(four[2], four[3], 0xdd);
  dots[0] = _mm512_shuffle_f32x4(a, c, 0x88);
  dots[1] = _mm512_shuffle_f32x4(b, d, 0x88);
  dots[2] = _mm512_shuffle_f32x4(a, c, 0xdd);
  dots[3] = _mm512_shuffle_f32x4(b, d, 0xdd);
}

// A scale for each lane 4 g + n of four rows n: of the first groups of the matrix in a chunk.
struct ScalesOfChunk {
  __mmask16 groups; // which there are
  alignas(64) std::uint16_t words[16]; // where they lie among four groups of four rows
  I lanes;

  explicit ScalesOfChunk(int shift) {
    for (int i = 0; i < 16; i++) {
      words[i] = static_cast<std::uint16_t>(i % 4 * 4 + (i / 4 >> shift));
    }
    lanes = _mm512_cvtepu16_epi32(_mm256_load_si256(reinterpret_cast<__m256i*>(words)));
  }

  __m256i halves(const void* base, const std::size_t* rows) const {
    auto row = [&](int n) {
      return _mm_maskz_loadu_epi16(groups, static_cast<const std::uint16_t*>(base) + rows[n]);
    };
    auto all = _mm256_set_m128i(
        _mm_unpacklo_epi64(row(2), row(3)), _mm_unpacklo_epi64(row(0), row(1)));
    return _mm256_permutexvar_epi16(
        _mm256_load_si256(reinterpret_cast<const __m256i*>(words)), all);
  }
  F load(const f16* base, const std::size_t* rows) const {
    return _mm512_cvtph_ps(halves(base, rows));
  }
  F load(const bf16* base, const std::size_t* rows) const {
    return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(halves(base, rows)), 16));
  }
  F load(const float* base, const std::size_t* rows) const {
    auto row = [&](int n) { return _mm_maskz_loadu_ps(groups, base + rows[n]); };
    F all = _mm512_castps128_ps512(row(0));
    all = _mm512_insertf32x4(all, row(1), 1);
    all = _mm512_insertf32x4(all, row(2), 2);
    all = _mm512_insertf32x4(all, row(3), 3);
    return _mm512_permutexvar_ps(lanes, all);
  }
  F load(const e8m0* base, const std::size_t* rows) const {
    alignas(64) std::int32_t all[16];
    for (int n = 0; n < 4; n++) {
      auto row = _mm_maskz_loadu_epi8(groups, base + rows[n]);
      _mm_store_si128(reinterpret_cast<__m128i*>(all) + n, _mm_cvtepu8_epi32(row));
    }
    I bytes = _mm512_permutexvar_epi32(lanes, _mm512_load_si512(all));
    I bits = _mm512_slli_epi32(_mm512_sub_epi32(bytes, _mm512_set1_epi32(1)), 23);
    auto least = _mm512_cmplt_epi32_mask(bytes, _mm512_set1_epi32(2));
    bits = _mm512_mask_sllv_epi32(bits, least, _mm512_set1_epi32(0x200000), bytes);
    auto none = _mm512_cmpeq_epi32_mask(bytes, _mm512_set1_epi32(255));
    return _mm512_castsi512_ps(_mm512_mask_mov_epi32(bits, none, _mm512_set1_epi32(0x7fc00000)));
  }
};

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
        prefetch(biases + n + next_scales);
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
    biases += 4 >> shift;
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

// Unpacks 16 rows: for each group of 32 elements 8 registers of four bytes of 16 rows; the first
// four belong to half a.
template <Packing packing>
inline void unpack_strip(
    const QuantizedMatrix& w, std::size_t row, std::size_t count, std::uint8_t* to) {
  using From = Unpack<packing>;
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

// A strip times `Rows` rows of x, `chunks` apart: Rows results of 16.
template <int Bytes, int Rows>
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
    I dots[Rows];
    F high[Rows];
    auto multiply = [&](int digit) {
#pragma GCC unroll 16
      for (int i = 0; i < 8; i++) {
        I bytes = _mm512_load_si512(weights + 64 * i);
#pragma GCC unroll 16
        for (int r = 0; r < Rows; r++) {
          auto* digits = from[r * chunks].digits[digit][i / 4] + 16 * g + 4 * (i % 4);
          dots[r] = _mm512_dpbusd_epi32(dots[r], bytes, four_bytes(digits));
        }
      }
    };
    auto start = [&](int which, int r) {
      return _mm512_set1_epi32(from[r * chunks].start[which][4 * g]);
    };
    if constexpr (Bytes > 1) {
#pragma GCC unroll 16
      for (int r = 0; r < Rows; r++) {
        dots[r] = start(1, r);
      }
      multiply(2);
#pragma GCC unroll 16
      for (int r = 0; r < Rows; r++) {
        high[r] = _mm512_cvtepi32_ps(dots[r]);
        dots[r] = _mm512_setzero_si512();
      }
      multiply(1);
#pragma GCC unroll 16
      for (int r = 0; r < Rows; r++) {
        dots[r] = _mm512_add_epi32(_mm512_slli_epi32(dots[r], 8), start(0, r));
      }
    } else {
#pragma GCC unroll 16
      for (int r = 0; r < Rows; r++) {
        dots[r] = start(0, r);
      }
    }
    multiply(0);
    F factor = load(w.factors[group >> w.shift]), offset = load(w.offsets[group >> w.shift]);
#pragma GCC unroll 16
    for (int r = 0; r < Rows; r++) {
      auto& one = from[r * chunks];
      F dot = _mm512_cvtepi32_ps(dots[r]);
      dot = Bytes > 1 ? fma(high[r], splat(65536), dot) : dot;
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
template <Packing, int Bytes>
std::size_t times_some_rows(
    const Strip& w, const Chunk<Bytes>* x, std::size_t chunks, std::size_t count,
    float (*to)[strip]) {
  if (count >= 8) {
    strip_times_rows<Bytes, 8>(w, x, chunks, to);
    return 8;
  }
  if (count >= 4) {
    strip_times_rows<Bytes, 4>(w, x, chunks, to);
    return 4;
  }
  if (count >= 2) {
    strip_times_rows<Bytes, 2>(w, x, chunks, to);
    return 2;
  }
  strip_times_rows<Bytes, 1>(w, x, chunks, to);
  return 1;
}

constexpr Order order_of(Packing packing) {
  return bits_of(packing) == 4 ? Order::even_odd : Order::halves;
}

} // namespace mlxc::cpu::MLXC_ISA
