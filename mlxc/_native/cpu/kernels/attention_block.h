// Blocks of keys and values as the products of attention read them: keys with the features one
// below the other, so that a vector holds a feature of several keys; values as they are.
#pragma once

#include "attention.h"

namespace mlxc::cpu::MLXC_ISA {
namespace {

constexpr size_t KEYS = 64; // of a block

#if defined(MLXC_AVX512)
inline void transpose(F (&x)[16]) {
  F y[16];
#pragma GCC unroll 8
  for (int i = 0; i < 16; i += 2) {
    y[i] = _mm512_unpacklo_ps(x[i], x[i + 1]);
    y[i + 1] = _mm512_unpackhi_ps(x[i], x[i + 1]);
  }
#pragma GCC unroll 4
  for (int i = 0; i < 16; i += 4) { // x[i + c]: column c of each 128 bits of rows i to i + 3
    for (int c = 0; c < 4; c += 2) {
      auto a = _mm512_castps_pd(y[i + c / 2]), b = _mm512_castps_pd(y[i + 2 + c / 2]);
      x[i + c] = _mm512_castpd_ps(_mm512_unpacklo_pd(a, b));
      x[i + c + 1] = _mm512_castpd_ps(_mm512_unpackhi_pd(a, b));
    }
  }
#pragma GCC unroll 4
  for (int c = 0; c < 4; c++) {
    F a = _mm512_shuffle_f32x4(x[c], x[4 + c], 0x88), b = _mm512_shuffle_f32x4(x[c], x[4 + c], 0xdd);
    F d = _mm512_shuffle_f32x4(x[8 + c], x[12 + c], 0x88);
    F e = _mm512_shuffle_f32x4(x[8 + c], x[12 + c], 0xdd);
    y[c] = _mm512_shuffle_f32x4(a, d, 0x88);
    y[8 + c] = _mm512_shuffle_f32x4(a, d, 0xdd);
    y[4 + c] = _mm512_shuffle_f32x4(b, e, 0x88);
    y[12 + c] = _mm512_shuffle_f32x4(b, e, 0xdd);
  }
#pragma GCC unroll 16
  for (int i = 0; i < 16; i++) {
    x[i] = y[i];
  }
}
#elif defined(MLXC_AVX2)
inline void transpose(F (&x)[8]) {
  F y[8];
#pragma GCC unroll 4
  for (int i = 0; i < 8; i += 2) {
    y[i] = _mm256_unpacklo_ps(x[i], x[i + 1]);
    y[i + 1] = _mm256_unpackhi_ps(x[i], x[i + 1]);
  }
#pragma GCC unroll 2
  for (int i = 0; i < 8; i += 4) {
    for (int c = 0; c < 4; c += 2) {
      x[i + c] = _mm256_shuffle_ps(y[i + c / 2], y[i + 2 + c / 2], 0x44);
      x[i + c + 1] = _mm256_shuffle_ps(y[i + c / 2], y[i + 2 + c / 2], 0xee);
    }
  }
#pragma GCC unroll 4
  for (int c = 0; c < 4; c++) {
    y[c] = _mm256_permute2f128_ps(x[c], x[4 + c], 0x20);
    y[4 + c] = _mm256_permute2f128_ps(x[c], x[4 + c], 0x31);
  }
#pragma GCC unroll 8
  for (int i = 0; i < 8; i++) {
    x[i] = y[i];
  }
}
#else
inline void transpose(F (&x)[W]) {
  for (int i = 0; i < W; i++) {
    for (int j = 0; j < i; j++) {
      float a = x[i][j];
      x[i][j] = x[j][i];
      x[j][i] = a;
    }
  }
}
#endif

// to[d][j] = from[j][d] for n <= KEYS keys of D features, the keys `step` elements apart; vectors
// of keys are filled up with zeros.
template <class T>
void turn(const T* from, ptrdiff_t step, size_t n, size_t D, float* to) {
  for (size_t j = 0; j < n; j += W) {
    int keys = static_cast<int>(std::min<size_t>(W, n - j));
    for (size_t d = 0; d < D; d += W) {
      int features = static_cast<int>(std::min<size_t>(W, D - d));
      const T* corner = from + static_cast<ptrdiff_t>(j) * step + d;
      F x[W];
      if (keys == W && features == W) {
#pragma GCC unroll 16
        for (int i = 0; i < W; i++) {
          x[i] = load(corner + i * step);
        }
        transpose(x);
#pragma GCC unroll 16
        for (int i = 0; i < W; i++) {
          store(to + (d + i) * KEYS + j, x[i]);
        }
      } else {
        for (int i = 0; i < W; i++) {
          x[i] = i < keys ? load(corner + i * step, features) : splat(0);
        }
        transpose(x);
        for (int i = 0; i < features; i++) {
          store(to + (d + i) * KEYS + j, x[i]);
        }
      }
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

// The W values from `i` on, a multiple of W, of a row of words of `bits` bits a value.
#if defined(MLXC_AVX512)
inline F unpack(const unsigned char* row, size_t i, int bits) {
  alignas(64) static constexpr auto places = [] {
    std::array<std::array<unsigned char, 64>, 9> table{};
    for (int b = 1; b <= 8; b++) {
      for (int j = 0; j < 64; j++) {
        table[b][j] = static_cast<unsigned char>(j / 4 * b / 8 + j % 4);
      }
    }
    return table;
  }();
  auto lanes = _mm512_set_epi32(15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0);
  auto shifts = _mm512_and_si512(
      _mm512_mullo_epi32(lanes, _mm512_set1_epi32(bits)), _mm512_set1_epi32(7));
  auto given = _mm_maskz_loadu_epi8(
      static_cast<__mmask16>((1u << 2 * bits) - 1), row + i / 8 * static_cast<size_t>(bits));
  auto words = _mm512_permutexvar_epi8(
      _mm512_load_si512(places[bits].data()), _mm512_zextsi128_si512(given));
  words = _mm512_and_si512(_mm512_srlv_epi32(words, shifts), _mm512_set1_epi32((1 << bits) - 1));
  return _mm512_cvtepi32_ps(words);
}
#else
inline F unpack(const unsigned char* row, size_t i, int bits) {
  std::uint64_t eight = 0; // values
  std::memcpy(&eight, row + i / 8 * static_cast<size_t>(bits), static_cast<size_t>(bits));
  std::uint64_t mask = (1u << bits) - 1;
  float values[W];
  for (int j = 0; j < W; j++) {
    values[j] = static_cast<float>(eight >> (static_cast<int>(i % 8) + j) * bits & mask);
  }
  return load(values);
}
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
  for (size_t j = 0; j < n; j++, to += width) {
    auto* bytes = reinterpret_cast<const unsigned char*>(words);
    for (size_t d = 0; d < D; d += group) {
      F scale = splat(to_float(scales[d / group])), bias = splat(to_float(biases[d / group]));
      for (size_t i = d; i < d + group; i += W) {
        store(to + i, fma(unpack(bytes, i, rows.bits), scale, bias));
      }
    }
    words += rows.strides[2];
    scales += rows.scale_strides[2];
    biases += rows.bias_strides[2];
  }
}

} // namespace
} // namespace mlxc::cpu::MLXC_ISA
