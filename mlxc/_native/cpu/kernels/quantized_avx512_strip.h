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

// Where the scales of two chunks of four rows lie, of which eight words a row are read: lane
// 4 g + n of a chunk is of group g and row n.
struct PlacesOfScales {
  alignas(64) std::uint16_t words[3][32]; // for each size of the matrix's groups
  constexpr PlacesOfScales() : words() {
    for (int shift = 0; shift < 3; shift++) {
      for (int i = 0; i < 32; i++) {
        words[shift][i] = static_cast<std::uint16_t>(i % 4 * 8 + (i / 4 >> shift));
      }
    }
  }
};
inline constexpr PlacesOfScales places_of_scales;

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

// The scales of two chunks of four rows, as lanes.
class ScalesOfFour {
 public:
  explicit ScalesOfFour(int shift)
      : shift_(shift),
        most_(8u >> shift),
        places_(_mm512_load_si512(places_of_scales.words[shift])) {}

  // How many scales a row has in two chunks, and altogether.
  std::size_t most() const {
    return most_;
  }
  std::size_t groups(std::size_t length) const {
    return length / 32 >> shift_;
  }

  // Those of row n are at rows(n), `left` of them.
  template <class Rows>
  [[gnu::always_inline]] void load(const Rows& rows, std::size_t left, F to[2]) const {
    std::remove_cvref_t<decltype(*rows(0))> type;
    if (left >= 8 && most_ == 8) {
      as_lanes([&](std::size_t n) { return row(rows(n)); }, type, to);
    } else {
      auto mask = static_cast<__mmask8>((1u << std::min<std::size_t>(left, most_)) - 1);
      as_lanes([&](std::size_t n) { return row(rows(n), mask); }, type, to);
    }
  }

 private:
  static __m128i row(const void* from) {
    return _mm_loadu_si128(static_cast<const __m128i*>(from));
  }
  static __m128i row(const e8m0* from) {
    return _mm_cvtepu8_epi16(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(from)));
  }
  static __m256 row(const float* from) {
    return _mm256_loadu_ps(from);
  }
  static __m128i row(const void* from, __mmask8 mask) {
    return _mm_maskz_loadu_epi16(mask, from);
  }
  static __m128i row(const e8m0* from, __mmask8 mask) {
    return _mm_cvtepu8_epi16(_mm_maskz_loadu_epi8(mask, from));
  }
  static __m256 row(const float* from, __mmask8 mask) {
    return _mm256_maskz_loadu_ps(mask, from);
  }

  template <class Row, class S>
  [[gnu::always_inline]] void as_lanes(const Row& row, S, F to[2]) const {
    I all = _mm512_castsi128_si512(row(0));
    all = _mm512_inserti32x4(all, row(1), 1);
    all = _mm512_inserti32x4(all, row(2), 2);
    all = _mm512_inserti32x4(all, row(3), 3);
    all = _mm512_permutexvar_epi16(places_, all);
    to[0] = floats(_mm512_castsi512_si256(all), S());
    to[1] = floats(_mm512_extracti64x4_epi64(all, 1), S());
  }
  template <class Row>
  [[gnu::always_inline]] void as_lanes(const Row& row, float, F to[2]) const {
    F first = _mm512_insertf32x8(_mm512_castps256_ps512(row(0)), row(1), 1);
    F last = _mm512_insertf32x8(_mm512_castps256_ps512(row(2)), row(3), 1);
    to[0] = _mm512_permutex2var_ps(
        first, _mm512_cvtepu16_epi32(_mm512_castsi512_si256(places_)), last);
    to[1] = _mm512_permutex2var_ps(
        first, _mm512_cvtepu16_epi32(_mm512_extracti64x4_epi64(places_, 1)), last);
  }

  static F floats(__m256i halves, f16) {
    return _mm512_cvtph_ps(halves);
  }
  static F floats(__m256i halves, bf16) {
    return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(halves), 16));
  }
  static F floats(__m256i halves, e8m0) {
    I bytes = _mm512_cvtepu16_epi32(halves);
    I bits = _mm512_slli_epi32(_mm512_sub_epi32(bytes, _mm512_set1_epi32(1)), 23);
    auto least = _mm512_cmplt_epi32_mask(bytes, _mm512_set1_epi32(2));
    bits = _mm512_mask_sllv_epi32(bits, least, _mm512_set1_epi32(0x200000), bytes);
    auto none = _mm512_cmpeq_epi32_mask(bytes, _mm512_set1_epi32(255));
    return _mm512_castsi512_ps(_mm512_mask_mov_epi32(bits, none, _mm512_set1_epi32(0x7fc00000)));
  }

  int shift_;
  std::size_t most_;
  I places_;
};

constexpr Order order_of(Packing packing) {
  return bits_of(packing) == 4 ? Order::even_odd : Order::halves;
}

} // namespace mlxc::cpu::MLXC_ISA
