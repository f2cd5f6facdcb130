// Blocks of keys and values as the products of attention read them: keys with the features one
// below the other, so that a vector holds a feature of several keys; values as they are.
#pragma once

#include "attention.h"

namespace mlxc::cpu::MLXC_ISA {
namespace {

constexpr size_t KEYS = 64; // of a block

// Rows that are read later are asked for while there is work at hand: caches are too long for the
// processor's, and it does not guess how they are read.
struct Ahead {
  ptrdiff_t bytes = 0; // from a row that is read to one for later; none if 0

  void fetch(const void* at) const {
    if (bytes) {
      __builtin_prefetch(static_cast<const char*>(at) + bytes, 0, 2);
    }
  }
};

#if defined(MLXC_AVX512) || defined(MLXC_AVX2)
#define MLXC_COLUMNS

// out[c] holds element c of each of the 8 keys from `from` on, `step` elements apart. On Zen half a
// register of AVX-512 costs half as much, and loads put its two halves together for nothing.
inline void columns(const float* from, ptrdiff_t step, __m256 (&out)[4]) {
  __m256 x[4];
#pragma GCC unroll 4
  for (int i = 0; i < 4; i++) {
    x[i] = _mm256_insertf128_ps(
        _mm256_castps128_ps256(_mm_loadu_ps(from + i * step)), _mm_loadu_ps(from + (i + 4) * step),
        1);
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

// to[d][j] = from[j][d] for n <= KEYS keys of D features, the keys `step` elements apart.
inline void turn(
    const float* from, ptrdiff_t step, size_t n, size_t D, float* to, Ahead = {}) {
  size_t whole = n / 8 * 8, done = D / 4 * 4; // keys and features of whole registers
  for (size_t j = 0; j < whole; j += 8) {
    for (size_t d = 0; d < done; d += 4) {
      __m256 k[4];
      columns(from + static_cast<ptrdiff_t>(j) * step + d, step, k);
#pragma GCC unroll 4
      for (size_t c = 0; c < 4; c++) {
        _mm256_storeu_ps(to + (d + c) * KEYS + j, k[c]);
      }
    }
  }
  for (size_t j = 0; j < n; j++) {
    for (size_t d = j < whole ? done : 0; d < D; d++) {
      to[d * KEYS + j] = from[static_cast<ptrdiff_t>(j) * step + static_cast<ptrdiff_t>(d)];
    }
  }
}

// Half types: a register holds neighbouring features of a key, 8 in each of its lanes.
#if defined(MLXC_AVX512)
using Halves = __m512i;
#define MLXC_HALVES(NAME) _mm512_##NAME
#else
using Halves = __m256i;
#define MLXC_HALVES(NAME) _mm256_##NAME
#endif
constexpr size_t FEATURES = sizeof(Halves) / 2;

template <class T>
Halves load_features(const T* from, size_t n) {
#if defined(MLXC_AVX512)
  auto wanted = n < FEATURES ? (1u << n) - 1 : ~0u;
  return _mm512_maskz_loadu_epi16(wanted, from);
#else
  if (n >= FEATURES) {
    return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from));
  }
  alignas(32) T part[FEATURES] = {};
  std::memcpy(part, from, n * sizeof(T));
  return _mm256_load_si256(reinterpret_cast<const __m256i*>(part));
#endif
}

// Exchanges 8 keys and the 8 features in each lane.
inline void exchange(Halves (&x)[8]) {
  Halves a[8];
#pragma GCC unroll 4
  for (int i = 0; i < 4; i++) { // a[i]: features 0 to 3 of keys 2 i and 2 i + 1; a[i + 4]: 4 to 7
    a[i] = MLXC_HALVES(unpacklo_epi16)(x[2 * i], x[2 * i + 1]);
    a[i + 4] = MLXC_HALVES(unpackhi_epi16)(x[2 * i], x[2 * i + 1]);
  }
#pragma GCC unroll 2
  for (int i = 0; i < 8; i += 4) {
    auto b = MLXC_HALVES(unpacklo_epi32)(a[i], a[i + 1]); // features i and i + 1 of keys 0 to 3
    auto c = MLXC_HALVES(unpacklo_epi32)(a[i + 2], a[i + 3]); // of keys 4 to 7
    auto d = MLXC_HALVES(unpackhi_epi32)(a[i], a[i + 1]);
    auto e = MLXC_HALVES(unpackhi_epi32)(a[i + 2], a[i + 3]);
    x[i] = MLXC_HALVES(unpacklo_epi64)(b, c);
    x[i + 1] = MLXC_HALVES(unpackhi_epi64)(b, c);
    x[i + 2] = MLXC_HALVES(unpacklo_epi64)(d, e);
    x[i + 3] = MLXC_HALVES(unpackhi_epi64)(d, e);
  }
}

#undef MLXC_HALVES

#if defined(MLXC_AVX512)
inline F widened(__m256i x, const f16*) {
  return _mm512_cvtph_ps(x);
}
inline F widened(__m256i x, const bf16*) {
  return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(x), 16));
}
#else
inline F widened(__m128i x, const f16*) {
  return _mm256_cvtph_ps(x);
}
inline F widened(__m128i x, const bf16*) {
  return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(x), 16));
}
#endif

// A register of keys and as many features as one holds. The keys behind the last are copies of it.
template <class T>
void turn(const T* from, ptrdiff_t step, size_t n, size_t D, float* to, Ahead ahead = {}) {
  constexpr size_t AT_ONCE = W;
  for (size_t j = 0; j < n; j += AT_ONCE) {
    const T* rows[AT_ONCE];
    for (size_t k = 0; k < AT_ONCE; k++) {
      rows[k] = from + static_cast<ptrdiff_t>(std::min(j + k, n - 1)) * step;
    }
    for (size_t d = 0; d < D; d += FEATURES) {
      Halves x[AT_ONCE / 8][8];
#pragma GCC unroll 2
      for (size_t i = 0; i < AT_ONCE / 8; i++) {
#pragma GCC unroll 8
        for (size_t k = 0; k < 8; k++) {
          const T* at = rows[8 * i + k] + d;
          ahead.fetch(at);
          x[i][k] = load_features(at, D - d);
        }
        exchange(x[i]);
      }
      auto put = [&](size_t feature, auto keys) {
        if (feature < D) {
          store(to + feature * KEYS + j, widened(keys, from));
        }
      };
#if defined(MLXC_AVX512)
      auto first = _mm512_set_epi64(11, 10, 3, 2, 9, 8, 1, 0);
      auto second = _mm512_set_epi64(15, 14, 7, 6, 13, 12, 5, 4);
#pragma GCC unroll 8
      for (size_t f = 0; f < 8; f++) {
        auto a = _mm512_permutex2var_epi64(x[0][f], first, x[1][f]); // two lanes of either
        auto b = _mm512_permutex2var_epi64(x[0][f], second, x[1][f]);
        put(d + f, _mm512_castsi512_si256(a));
        put(d + f + 8, _mm512_extracti64x4_epi64(a, 1));
        put(d + f + 16, _mm512_castsi512_si256(b));
        put(d + f + 24, _mm512_extracti64x4_epi64(b, 1));
      }
#else
#pragma GCC unroll 8
      for (size_t f = 0; f < 8; f++) {
        put(d + f, _mm256_castsi256_si128(x[0][f]));
        put(d + f + 8, _mm256_extracti128_si256(x[0][f], 1));
      }
#endif
    }
  }
}
#else
// to[d][j] = from[j][d] for n <= KEYS keys of D features, the keys `step` elements apart.
template <class T>
void turn(const T* from, ptrdiff_t step, size_t n, size_t D, float* to, Ahead = {}) {
  for (size_t j = 0; j < n; j++, from += step) {
    for (size_t d = 0; d < D; d++) {
      to[d * KEYS + j] = to_float(from[d]);
    }
  }
}
#endif

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
