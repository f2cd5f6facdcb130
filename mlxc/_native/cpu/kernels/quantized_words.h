// Groups of 16 rows of a quantized matrix as words: where there is no AVX-512, rows and columns of
// what is packed are exchanged before it is unpacked, so that the rows are lanes of dot products.
#pragma once

#include "quantized_groups.h"
#include "quantized_x.h"

namespace mlxc::cpu::MLXC_ISA {

typedef std::uint8_t Bytes __attribute__((vector_size(sizeof(F))));

// A group of W rows: 8 words of four bytes in each of them, the first 4 of half a.
using Words = Bytes[8];

constexpr int vectors = strip / W; // of the rows of a strip

constexpr Order order_of(Packing packing) {
  return bits_of(packing) == 4 ? Order::even_odd : Order::halves;
}

constexpr int greatest_of(Packing packing) {
  return packing == Packing::mxfp4 ? 24 : (1 << bits_of(packing)) - 1;
}

#if defined(MLXC_NEON)
// Dot products are of signed bytes: those of eight bits count from the middle of their range.
constexpr bool is_centred(Packing packing) {
  return packing == Packing::bits8;
}
#else
constexpr bool is_centred(Packing) {
  return false;
}
#endif

#if defined(MLXC_AVX2)

inline __m128i sixteen_bytes(const void* from) {
  return _mm_loadu_si128(static_cast<const __m128i*>(from));
}

// words[c] holds word c of the 16 bytes from `at` on of each of W rows.
inline void exchange(const std::uint8_t* const* rows, std::size_t at, Bytes (&words)[4]) {
  I x[4];
  MLXC_UNROLL
  for (int i = 0; i < 4; i++) {
    x[i] = _mm256_inserti128_si256(
        _mm256_castsi128_si256(sixteen_bytes(rows[i] + at)), sixteen_bytes(rows[i + 4] + at), 1);
  }
  I a = _mm256_unpacklo_epi32(x[0], x[1]), b = _mm256_unpackhi_epi32(x[0], x[1]);
  I c = _mm256_unpacklo_epi32(x[2], x[3]), d = _mm256_unpackhi_epi32(x[2], x[3]);
  words[0] = reinterpret_cast<Bytes>(_mm256_unpacklo_epi64(a, c));
  words[1] = reinterpret_cast<Bytes>(_mm256_unpackhi_epi64(a, c));
  words[2] = reinterpret_cast<Bytes>(_mm256_unpacklo_epi64(b, d));
  words[3] = reinterpret_cast<Bytes>(_mm256_unpackhi_epi64(b, d));
}

inline Bytes of_e2m1(Bytes nibbles) {
  auto table = _mm256_broadcastsi128_si256(sixteen_bytes(e2m1_above_least));
  return reinterpret_cast<Bytes>(_mm256_shuffle_epi8(table, reinterpret_cast<I>(nibbles)));
}

#elif defined(MLXC_NEON)

inline void exchange(const std::uint8_t* const* rows, std::size_t at, Bytes (&words)[4]) {
  uint32x4_t x[4];
  MLXC_UNROLL
  for (int i = 0; i < 4; i++) {
    x[i] = vreinterpretq_u32_u8(vld1q_u8(rows[i] + at));
  }
  auto even = [](uint32x4_t a, uint32x4_t b) {
    return vreinterpretq_u64_u32(vtrn1q_u32(a, b));
  };
  auto odd = [](uint32x4_t a, uint32x4_t b) {
    return vreinterpretq_u64_u32(vtrn2q_u32(a, b));
  };
  auto a = even(x[0], x[1]), b = odd(x[0], x[1]), c = even(x[2], x[3]), d = odd(x[2], x[3]);
  words[0] = vreinterpretq_u8_u64(vtrn1q_u64(a, c));
  words[1] = vreinterpretq_u8_u64(vtrn1q_u64(b, d));
  words[2] = vreinterpretq_u8_u64(vtrn2q_u64(a, c));
  words[3] = vreinterpretq_u8_u64(vtrn2q_u64(b, d));
}

inline Bytes of_e2m1(Bytes nibbles) {
  return vqtbl1q_u8(vld1q_u8(e2m1_above_least), nibbles);
}

#else

inline void exchange(const std::uint8_t* const* rows, std::size_t at, Bytes (&words)[4]) {
  std::uint32_t exchanged[4][W];
  for (int n = 0; n < W; n++) {
    for (int c = 0; c < 4; c++) {
      std::memcpy(&exchanged[c][n], rows[n] + at + 4 * c, 4);
    }
  }
  std::memcpy(words, exchanged, sizeof exchanged);
}

inline Bytes of_e2m1(Bytes nibbles) {
  for (std::size_t i = 0; i < sizeof nibbles; i++) {
    nibbles[i] = e2m1_above_least[nibbles[i]];
  }
  return nibbles;
}

#endif

// Unpacks a group of W rows, which begins at byte `at` of each.
template <Packing packing>
inline void unpack_words(const std::uint8_t* const* rows, std::size_t at, Words& to) {
  Bytes some[4];
  if constexpr (bits_of(packing) == 4) {
    exchange(rows, at, some);
    MLXC_UNROLL
    for (int i = 0; i < 4; i++) {
      Bytes a = some[i] & 15, b = some[i] >> 4;
      to[i] = packing == Packing::mxfp4 ? of_e2m1(a) : a;
      to[4 + i] = packing == Packing::mxfp4 ? of_e2m1(b) : b;
    }
  } else {
    std::uint8_t unpacked[W][32];
    const std::uint8_t* from[W];
    for (int i = 0; i < W; i++) {
      from[i] = rows[i] + at;
      if constexpr (packing != Packing::bits8) {
        unpack_group<packing>(from[i], unpacked[i]);
        from[i] = unpacked[i];
      }
    }
    MLXC_UNROLL
    for (int half = 0; half < 8; half += 4) {
      exchange(from, 4 * static_cast<std::size_t>(half), some);
      MLXC_UNROLL
      for (int i = 0; i < 4; i++) {
        to[half + i] = is_centred(packing) ? some[i] ^ 128 : some[i];
      }
    }
  }
}

} // namespace mlxc::cpu::MLXC_ISA
