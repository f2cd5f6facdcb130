// How 16 rows of a quantized matrix come out of their packing on AVX-512, with their scales.
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

// Lane n of dots[g] for 16 rows n, of lanes 4 g + n % 4 of four[n / 4].
inline void by_group(const F four[4], F dots[4]) {
  F a = _mm512_shuffle_f32x4(four[0], four[1], 0x88);
  F b = _mm512_shuffle_f32x4(four[0], four[1], 0xdd);
  F c = _mm512_shuffle_f32x4(four[2], four[3], 0x88);
  F d = _mm512_shuffle_f32x4(four[2], four[3], 0xdd);
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

constexpr Order order_of(Packing packing) {
  return bits_of(packing) == 4 ? Order::even_odd : Order::halves;
}

} // namespace mlxc::cpu::MLXC_ISA
