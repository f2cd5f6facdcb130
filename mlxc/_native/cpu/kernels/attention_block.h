// Blocks of keys and values as the products of attention read them: keys with the features one
// below the other, so that a vector holds a feature of several keys; values as they are.
#pragma once

#include "attention.h"

namespace mlxc::cpu::MLXC_ISA {
namespace {

constexpr size_t KEYS = 64; // of a block

#if defined(MLXC_AVX512) || defined(MLXC_AVX2)
#define MLXC_COLUMNS

// out[c] holds word c of each of the 8 keys from `from` on, `step` bytes apart. On Zen half a
// register of AVX-512 costs half as much, and loads put its two halves together for nothing.
inline void columns(const char* from, ptrdiff_t step, __m256 (&out)[4]) {
  __m256 x[4];
#pragma GCC unroll 4
  for (int i = 0; i < 4; i++) {
    auto low = _mm_loadu_ps(reinterpret_cast<const float*>(from + i * step));
    auto high = _mm_loadu_ps(reinterpret_cast<const float*>(from + (i + 4) * step));
    x[i] = _mm256_insertf128_ps(_mm256_castps128_ps256(low), high, 1);
  }
  auto a = _mm256_castps_pd(_mm256_unpacklo_ps(x[0], x[1]));
  auto b = _mm256_castps_pd(_mm256_unpacklo_ps(x[2], x[3]));
  auto c = _mm256_castps_pd(_mm256_unpackhi_ps(x[0], x[1]));
  auto d = _mm256_castps_pd(_mm256_unpackhi_ps(x[2], x[3]));
  out[0] = _mm256_castpd_ps(_mm256_unpacklo_pd(a, b));
  out[1] = _mm256_castpd_ps(_mm256_unpackhi_pd(a, b));
  out[2] = _mm256_castpd_ps(_mm256_unpacklo_pd(c, d));
  out[3] = _mm256_castpd_ps(_mm256_unpackhi_pd(c, d));
}

// The features of a word, one or two.
inline void features(__m256 word, const float*, __m256 (&out)[1]) {
  out[0] = word;
}
inline void features(__m256 word, const bf16*, __m256 (&out)[2]) {
  auto bits = _mm256_castps_si256(word);
  out[0] = _mm256_castsi256_ps(_mm256_slli_epi32(bits, 16));
  out[1] = _mm256_castsi256_ps(_mm256_and_si256(bits, _mm256_set1_epi32(-65536)));
}
inline void features(__m256 word, const f16*, __m256 (&out)[2]) {
  auto bits = _mm256_castps_si256(word);
  auto low = _mm256_and_si256(bits, _mm256_set1_epi32(0xffff));
  auto packed = _mm256_packus_epi32(low, _mm256_srli_epi32(bits, 16)); // of 128 bits each
  packed = _mm256_permute4x64_epi64(packed, 0b11011000);
  out[0] = _mm256_cvtph_ps(_mm256_castsi256_si128(packed));
  out[1] = _mm256_cvtph_ps(_mm256_extracti128_si256(packed, 1));
}
#endif

// to[d][j] = from[j][d] for n <= KEYS keys of D features, the keys `step` elements apart.
template <class T>
void turn(const T* from, ptrdiff_t step, size_t n, size_t D, float* to) {
  size_t whole = 0, done = 0; // keys and features of whole registers
#if defined(MLXC_COLUMNS)
  constexpr size_t PER_WORD = 4 / sizeof(T);
  whole = n / 8 * 8;
  done = D / (4 * PER_WORD) * (4 * PER_WORD);
  for (size_t j = 0; j < whole; j += 8) {
    for (size_t d = 0; d < done; d += 4 * PER_WORD) {
      __m256 words[4];
      columns(
          reinterpret_cast<const char*>(from + static_cast<ptrdiff_t>(j) * step + d),
          step * static_cast<ptrdiff_t>(sizeof(T)), words);
#pragma GCC unroll 4
      for (size_t c = 0; c < 4; c++) {
        __m256 k[PER_WORD];
        features(words[c], from, k);
#pragma GCC unroll 2
        for (size_t p = 0; p < PER_WORD; p++) {
          _mm256_storeu_ps(to + (d + c * PER_WORD + p) * KEYS + j, k[p]);
        }
      }
    }
  }
#endif
  for (size_t j = 0; j < n; j++) {
    const T* row = from + static_cast<ptrdiff_t>(j) * step;
    for (size_t d = j < whole ? done : 0; d < D; d++) {
      to[d * KEYS + j] = to_float(row[d]);
    }
  }
}

// to[j][d] = from[j][d]: values of a type as float32, `width` elements apart.
template <class T>
void widen(const T* from, ptrdiff_t step, size_t n, size_t D, float* to, size_t width) {
  for (size_t j = 0; j < n; j++, from += step, to += width) {
    size_t d = 0;
    for (; d + W <= D; d += W) {
      store(to + d, load(from + d));
    }
    if (d < D) {
      store(to + d, load(from + d, static_cast<int>(D - d)));
    }
  }
}

// Reads rows of words of `bits` bits a value, W values at a time.
#if defined(MLXC_AVX512)
class Unpack {
 public:
  explicit Unpack(int bits) : bits(static_cast<size_t>(bits)) {
    alignas(64) unsigned char bytes[64];
    alignas(64) int begin[16];
    for (int j = 0; j < 64; j++) {
      bytes[j] = static_cast<unsigned char>(j / 4 * bits / 8 + j % 4);
      begin[j / 4] = j / 4 * bits % 8;
    }
    places = _mm512_load_si512(bytes);
    shifts = _mm512_load_si512(begin);
    mask = _mm512_set1_epi32((1 << bits) - 1);
    used = static_cast<__mmask16>((1u << 2 * bits) - 1);
  }

  // The values from `i` on, a multiple of W.
  F operator()(const unsigned char* row, size_t i) const {
    auto given = _mm_maskz_loadu_epi8(used, row + i / 8 * bits);
    auto words = _mm512_permutexvar_epi8(places, _mm512_castsi128_si512(given));
    return _mm512_cvtepi32_ps(_mm512_and_si512(_mm512_srlv_epi32(words, shifts), mask));
  }

 private:
  size_t bits;
  I places, shifts, mask;
  __mmask16 used;
};
#else
class Unpack {
 public:
  explicit Unpack(int bits) : bits(bits), mask((1u << bits) - 1) {}

  F operator()(const unsigned char* row, size_t i) const {
    std::uint64_t eight = 0; // values
    std::memcpy(&eight, row + i / 8 * static_cast<size_t>(bits), static_cast<size_t>(bits));
    float values[W];
    for (int j = 0; j < W; j++) {
      values[j] = static_cast<float>(eight >> (static_cast<int>(i % 8) + j) * bits & mask);
    }
    return load(values);
  }

 private:
  int bits;
  std::uint64_t mask;
};
#endif

// to[j][d] = the packed value, for n rows of D from row `first` of (b, h) on.
template <class T>
void unpack_rows(
    const AttentionRows& rows, size_t b, size_t h, size_t first, size_t n, size_t D, float* to,
    size_t width) {
  auto place = [&](const ptrdiff_t (&strides)[3]) {
    return static_cast<ptrdiff_t>(b) * strides[0] + static_cast<ptrdiff_t>(h) * strides[1] +
        static_cast<ptrdiff_t>(first) * strides[2];
  };
  auto* words = static_cast<const std::uint32_t*>(rows.data) + place(rows.strides);
  auto* scales = static_cast<const T*>(rows.scales) + place(rows.scale_strides);
  auto* biases = static_cast<const T*>(rows.biases) + place(rows.bias_strides);
  auto group = static_cast<size_t>(rows.group_size);
  Unpack unpack(rows.bits);
  for (size_t j = 0; j < n; j++, to += width) {
    auto* bytes = reinterpret_cast<const unsigned char*>(words);
    for (size_t d = 0; d < D; d += group) {
      F scale = splat(to_float(scales[d / group])), bias = splat(to_float(biases[d / group]));
      for (size_t i = d; i < d + group; i += W) {
        store(to + i, fma(unpack(bytes, i), scale, bias));
      }
    }
    words += rows.strides[2];
    scales += rows.scale_strides[2];
    biases += rows.bias_strides[2];
  }
}

} // namespace
} // namespace mlxc::cpu::MLXC_ISA
