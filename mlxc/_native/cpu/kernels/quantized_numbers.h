// The numbers that elements of a quantized matrix stand for, in the order of a row.
#pragma once

#include "quantized_groups.h"

namespace mlxc::cpu::MLXC_ISA {

#define MLXC_EACH _Pragma("GCC unroll 8")

// How many elements come out at once: a group of them at most.
constexpr int unit_of(Packing packing) {
  return packing == Packing::nvfp4 ? 16 : 32;
}

// The numbers of four bits: a sign, two of the exponent and one of the fraction.
alignas(64) constexpr float e2m1[16] = {0,  0.5f,  1,  1.5f,  2,  3,  4,  6,
                                        -0.0f, -0.5f, -1, -1.5f, -2, -3, -4, -6};

// The numbers of a byte as scale: powers of two; and with a sign, four bits of the exponent and three
// of the fraction. The greatest power is infinite, as MLX has it.
struct BytesAsFloats {
  float e8m0[256], e4m3[256];

  constexpr BytesAsFloats() : e8m0(), e4m3() {
    e8m0[0] = 0x1p-127f;
    for (int i = 1; i < 255; i++) {
      e8m0[i] = i == 1 ? 0x1p-126f : e8m0[i - 1] * 2;
    }
    e8m0[255] = std::numeric_limits<float>::infinity();
    for (int i = 0; i < 128; i++) {
      float size = static_cast<float>(i < 8 ? i : 8 + i % 8) * 0x1p-9f;
      for (int power = i / 8; power > 1; power--) {
        size *= 2;
      }
      size = i == 127 ? std::numeric_limits<float>::quiet_NaN() : size;
      e4m3[i] = size;
      e4m3[128 + i] = -size;
    }
  }
};

constexpr BytesAsFloats bytes_as_floats;

#if defined(MLXC_AVX512) || defined(MLXC_AVX2)

// The bytes of 16 elements of four bits.
inline __m128i nibbles(const std::uint8_t* from) {
  __m128i both = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(from));
  __m128i low = _mm_set1_epi8(15);
  return _mm_unpacklo_epi8(_mm_and_si128(both, low), _mm_and_si128(_mm_srli_epi16(both, 4), low));
}

inline __m128i sixteen(const std::uint8_t* from) {
  return _mm_loadu_si128(reinterpret_cast<const __m128i*>(from));
}

// The next bytes, of which there are less than 8: one of each length, as nothing is read beyond them
// and what was written in parts is slow to read as a whole.
template <int count>
inline std::uint64_t bytes_at(const std::uint8_t* from) {
  std::uint32_t four = 0;
  std::uint16_t two = 0;
  std::uint8_t one = 0;
  constexpr int behind_four = count & 4, behind_two = behind_four + (count & 2);
  std::memcpy(&four, from, behind_four);
  std::memcpy(&two, from + behind_four, count & 2);
  std::memcpy(&one, from + behind_two, count & 1);
  return four | std::uint64_t{two} << (8 * behind_four) | std::uint64_t{one} << (8 * behind_two);
}

// Two words of which the first begins with element 0 of eight, the second with element 4.
template <int bits>
inline std::uint64_t two_words(const std::uint8_t* from) {
  std::uint64_t eight = bytes_at<bits>(from);
  return (eight & 0xffffffff) | eight >> (4 * bits) << 32;
}

#endif

#if defined(MLXC_AVX512)

// 16 numbers.
inline void integers(__m128i bytes, F* to) {
  *to = _mm512_cvtepi32_ps(_mm512_cvtepu8_epi32(bytes));
}
template <int bits>
inline void sixteen_integers(const std::uint8_t* from, F* to) {
  auto words = _mm_set_epi64x(
      static_cast<long long>(two_words<bits>(from + bits)),
      static_cast<long long>(two_words<bits>(from)));
  auto places = _mm512_set_epi32(3, 3, 3, 3, 2, 2, 2, 2, 1, 1, 1, 1, 0, 0, 0, 0);
  auto fours = _mm512_permutexvar_epi32(places, _mm512_castsi128_si512(words));
  auto shifts = _mm512_set4_epi32(3 * bits, 2 * bits, bits, 0);
  auto integers =
      _mm512_and_si512(_mm512_srlv_epi32(fours, shifts), _mm512_set1_epi32((1 << bits) - 1));
  *to = _mm512_cvtepi32_ps(integers);
}
inline void of_e2m1(__m128i bytes, F* to) {
  *to = _mm512_permutexvar_ps(_mm512_cvtepu8_epi32(bytes), load(e2m1));
}
// As float16 they are 2 ** 8 times too small, subnormal ones included; only NaN is elsewhere.
inline void of_e4m3(__m128i bytes, F* to) {
  auto wide = _mm256_cvtepu8_epi16(bytes);
  auto size = _mm256_and_si256(wide, _mm256_set1_epi16(0x7f));
  auto sign = _mm256_slli_epi16(_mm256_xor_si256(wide, size), 8);
  auto half = _mm256_or_si256(_mm256_slli_epi16(size, 7), sign);
  auto nan = _mm256_cmpeq_epi16_mask(size, _mm256_set1_epi16(0x7f));
  half = _mm256_mask_mov_epi16(half, nan, _mm256_set1_epi16(0x7e00));
  *to = _mm512_cvtph_ps(half) * splat(256);
}

#elif defined(MLXC_AVX2)

inline void integers(__m128i bytes, F* to) {
  to[0] = _mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(bytes));
  to[1] = _mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(_mm_srli_si128(bytes, 8)));
}
template <int bits>
inline F eight_integers(const std::uint8_t* from) {
  auto words = _mm_cvtsi64_si128(static_cast<long long>(two_words<bits>(from)));
  auto places = _mm256_set_epi32(1, 1, 1, 1, 0, 0, 0, 0);
  auto fours = _mm256_permutevar8x32_epi32(_mm256_castsi128_si256(words), places);
  auto shifts = _mm256_set_epi32(3 * bits, 2 * bits, bits, 0, 3 * bits, 2 * bits, bits, 0);
  auto integers =
      _mm256_and_si256(_mm256_srlv_epi32(fours, shifts), _mm256_set1_epi32((1 << bits) - 1));
  return _mm256_cvtepi32_ps(integers);
}
template <int bits>
inline void sixteen_integers(const std::uint8_t* from, F* to) {
  to[0] = eight_integers<bits>(from);
  to[1] = eight_integers<bits>(from + bits);
}
inline F of_eight_e2m1(__m128i bytes) {
  auto wide = _mm256_cvtepu8_epi32(bytes);
  auto size = _mm256_permutevar8x32_ps(load(e2m1), wide);
  auto sign = _mm256_slli_epi32(_mm256_srli_epi32(wide, 3), 31);
  return _mm256_or_ps(size, _mm256_castsi256_ps(sign));
}
inline void of_e2m1(__m128i bytes, F* to) {
  to[0] = of_eight_e2m1(bytes);
  to[1] = of_eight_e2m1(_mm_srli_si128(bytes, 8));
}
// As float16 they are 2 ** 8 times too small, subnormal ones included; only NaN is elsewhere.
inline F of_eight_e4m3(__m128i bytes) {
  auto wide = _mm_cvtepu8_epi16(bytes);
  auto size = _mm_and_si128(wide, _mm_set1_epi16(0x7f));
  auto sign = _mm_slli_epi16(_mm_xor_si128(wide, size), 8);
  auto nan = _mm_and_si128(
      _mm_cmpeq_epi16(size, _mm_set1_epi16(0x7f)), _mm_set1_epi16(0x7e00));
  auto half = _mm_or_si128(_mm_or_si128(_mm_slli_epi16(size, 7), sign), nan);
  return _mm256_cvtph_ps(half) * splat(256);
}
inline void of_e4m3(__m128i bytes, F* to) {
  to[0] = of_eight_e4m3(bytes);
  to[1] = of_eight_e4m3(_mm_srli_si128(bytes, 8));
}

#endif

// The next elements, as numbers that are still to be scaled, in unit / W registers.
template <Packing packing>
inline void numbers(const std::uint8_t* from, F* to) {
  constexpr int bits = bits_of(packing);
#if defined(MLXC_AVX512) || defined(MLXC_AVX2)
  constexpr int half = 16 / W;
  if constexpr (packing == Packing::mxfp8) {
    of_e4m3(sixteen(from), to);
    of_e4m3(sixteen(from + 16), to + half);
  } else if constexpr (packing == Packing::nvfp4) {
    of_e2m1(nibbles(from), to);
  } else if constexpr (packing == Packing::mxfp4) {
    of_e2m1(nibbles(from), to);
    of_e2m1(nibbles(from + 8), to + half);
  } else if constexpr (bits == 8) {
    integers(sixteen(from), to);
    integers(sixteen(from + 16), to + half);
  } else if constexpr (bits == 4) {
    integers(nibbles(from), to);
    integers(nibbles(from + 8), to + half);
  } else {
    sixteen_integers<bits>(from, to);
    sixteen_integers<bits>(from + 2 * bits, to + half);
  }
#else
  constexpr int unit = unit_of(packing);
  std::uint8_t bytes[unit];
  if constexpr (bits == 4) {
    for (int i = 0; i < unit / 2; i++) {
      bytes[2 * i] = from[i] & 15;
      bytes[2 * i + 1] = from[i] >> 4;
    }
  } else {
    unpack_group<packing>(from, bytes);
  }
  float values[unit];
  for (int i = 0; i < unit; i++) {
    values[i] = is_affine(packing) ? static_cast<float>(bytes[i])
        : bits == 4                ? e2m1[bytes[i]]
                                   : bytes_as_floats.e4m3[bytes[i]];
  }
  MLXC_EACH
  for (int i = 0; i < unit / W; i++) {
    to[i] = load(values + i * W);
  }
#endif
}

} // namespace mlxc::cpu::MLXC_ISA
