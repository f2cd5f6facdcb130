// Dot products of the words of W rows with a group of x.
//
// AVX2 multiplies unsigned bytes with signed ones and adds pairs in 16 bits, where as many words are
// added up as fit; pairs of eight bits would not, and are widened before. AVX-VNNI adds four
// products of bytes in 32 bits, as NEON's dot products do. NEON without them multiplies signed bytes
// and adds up in 16 bits.
#pragma once

#include "quantized_words.h"

namespace mlxc::cpu::MLXC_ISA {

// For how many of the 8 words of a group 16 bits hold the sums of products with bytes of x, of which
// `products` a word are added to the same sum.
constexpr int words_in_16_bits(Packing packing, int products) {
  int most = 32767 / (128 * products * greatest_of(packing));
  return most >= 8 ? 8 : most >= 4 ? 4 : most >= 2 ? 2 : 1;
}

// x is the 16 bytes of half a; those of half b lie so much further on.
constexpr std::size_t half_b = 64;

inline std::int32_t word_of(const std::int8_t* x, int i) {
  std::int32_t word;
  std::memcpy(&word, x + half_b * static_cast<std::size_t>(i / 4) + 4 * (i % 4), 4);
  return word;
}

#if defined(MLXC_AVX_VNNI)

template <Packing>
[[gnu::always_inline]] inline Int dots(const Words& w, const std::int8_t* x) {
  I sums[2] = {_mm256_setzero_si256(), _mm256_setzero_si256()}; // each waits for the one before
  MLXC_UNROLL
  for (int i = 0; i < 8; i++) {
    auto bytes = reinterpret_cast<I>(w[i]);
    sums[i % 2] =
        _mm256_dpbusd_avx_epi32(sums[i % 2], bytes, _mm256_set1_epi32(word_of(x, i)));
  }
  return reinterpret_cast<Int>(_mm256_add_epi32(sums[0], sums[1]));
}

#elif defined(MLXC_AVX2)

template <Packing packing>
[[gnu::always_inline]] inline Int dots(const Words& w, const std::int8_t* x) {
  I sum, some;
  if constexpr (packing == Packing::bits8) {
    // Bytes as 16 bits: those at even places of words, then those at odd ones.
    I both = _mm256_inserti128_si256(
        _mm256_castsi128_si256(sixteen_bytes(x)), sixteen_bytes(x + half_b), 1);
    Int evens = reinterpret_cast<Int>(_mm256_srai_epi16(_mm256_slli_epi16(both, 8), 8));
    Int odds = reinterpret_cast<Int>(_mm256_srai_epi16(both, 8));
    MLXC_UNROLL
    for (int i = 0; i < 8; i++) {
      auto bytes = reinterpret_cast<I>(w[i]);
      I even = _mm256_and_si256(bytes, _mm256_set1_epi16(255));
      I odd = _mm256_srli_epi16(bytes, 8);
      some = _mm256_add_epi32(
          _mm256_madd_epi16(even, _mm256_set1_epi32(evens[i])),
          _mm256_madd_epi16(odd, _mm256_set1_epi32(odds[i])));
      sum = i ? _mm256_add_epi32(sum, some) : some;
    }
  } else {
    constexpr int at_once = words_in_16_bits(packing, 2);
    MLXC_UNROLL
    for (int i = 0; i < 8; i++) {
      auto bytes = reinterpret_cast<I>(w[i]);
      I pairs = _mm256_maddubs_epi16(bytes, _mm256_set1_epi32(word_of(x, i)));
      some = i % at_once ? _mm256_add_epi16(some, pairs) : pairs;
      if (i % at_once == at_once - 1) {
        I fours = _mm256_madd_epi16(some, _mm256_set1_epi16(1));
        sum = i >= at_once ? _mm256_add_epi32(sum, fours) : fours;
      }
    }
  }
  return reinterpret_cast<Int>(sum);
}

#elif defined(MLXC_NEON_DOT)

// The intrinsic would need another target than that of the compiler's header.
template <int lane>
inline void add_dots(int32x4_t& sum, Bytes w, int8x16_t x) {
  asm("sdot %0.4s, %1.16b, %2.4b[%3]" : "+w"(sum) : "w"(w), "w"(x), "i"(lane));
}

template <Packing>
[[gnu::always_inline]] inline Int dots(const Words& w, const std::int8_t* x) {
  int32x4_t sums[2] = {vdupq_n_s32(0), vdupq_n_s32(0)}; // each waits for the one before
  MLXC_UNROLL
  for (int half = 0; half < 2; half++) {
    auto four = vld1q_s8(x + half_b * static_cast<std::size_t>(half));
    add_dots<0>(sums[0], w[4 * half], four);
    add_dots<1>(sums[1], w[4 * half + 1], four);
    add_dots<2>(sums[0], w[4 * half + 2], four);
    add_dots<3>(sums[1], w[4 * half + 3], four);
  }
  return vaddq_s32(sums[0], sums[1]);
}

#elif defined(MLXC_NEON)

template <Packing packing>
[[gnu::always_inline]] inline Int dots(const Words& w, const std::int8_t* x) {
  constexpr int at_once = words_in_16_bits(packing, 1);
  int32x4_t low, high; // two sums for each of two rows
  int16x8_t some_low, some_high;
  MLXC_UNROLL
  for (int i = 0; i < 8; i++) {
    auto four = vreinterpretq_s8_s32(vdupq_n_s32(word_of(x, i)));
    auto bytes = vreinterpretq_s8_u8(w[i]);
    if (i % at_once) {
      some_low = vmlal_s8(some_low, vget_low_s8(bytes), vget_low_s8(four));
      some_high = vmlal_high_s8(some_high, bytes, four);
    } else {
      some_low = vmull_s8(vget_low_s8(bytes), vget_low_s8(four));
      some_high = vmull_high_s8(bytes, four);
    }
    if (i % at_once == at_once - 1) {
      low = i >= at_once ? vpadalq_s16(low, some_low) : vpaddlq_s16(some_low);
      high = i >= at_once ? vpadalq_s16(high, some_high) : vpaddlq_s16(some_high);
    }
  }
  return vpaddq_s32(low, high);
}

#else

template <Packing>
[[gnu::always_inline]] inline Int dots(const Words& w, const std::int8_t* x) {
  Int sums{};
  for (int i = 0; i < 8; i++) {
    auto* four = x + half_b * static_cast<std::size_t>(i / 4) + 4 * (i % 4);
    for (int n = 0; n < W; n++) {
      for (int j = 0; j < 4; j++) {
        sums[n] += w[i][4 * n + j] * four[j];
      }
    }
  }
  return sums;
}

#endif

} // namespace mlxc::cpu::MLXC_ISA
