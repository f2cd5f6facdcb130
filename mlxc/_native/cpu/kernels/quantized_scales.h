// The scales and biases of a strip of 16 rows of a quantized matrix, as lanes.
#pragma once

#include "quantized.h"
#include "simd.h"

namespace mlxc::cpu::MLXC_ISA {

constexpr int strip = 16; // rows
constexpr int block = 16; // groups of the matrix

// The integers of mxfp4: twice its numbers, above the least of them.
constexpr std::uint8_t e2m1_above_least[16] = {12, 13, 14, 15, 16, 18, 20, 24,
                                               12, 11, 10, 9,  8,  6,  4,  0};

// What integers are taken relative to, so that little cancels between products and biases.
inline int centre_of(Packing packing) {
  return packing == Packing::mxfp4 ? 12 : 1 << (bits_of(packing) - 1);
}

inline int shift_of(int group) { // group = 32 << shift
  return group == 32 ? 0 : group == 64 ? 1 : 2;
}

struct e8m0 {
  std::uint8_t bits;
};

// Half of the power of two: the integers of mxfp4 are twice its numbers.
inline float to_float(e8m0 x) {
  std::uint32_t bits = x.bits == 255 ? 0x7fc00000
      : x.bits > 1                   ? (x.bits - 1u) << 23
                                     : 0x200000u << x.bits;
  float value;
  std::memcpy(&value, &bits, 4);
  return value;
}

#if defined(MLXC_AVX512)

inline F load(const e8m0* from, int n) {
  alignas(64) float part[16] = {};
  for (int i = 0; i < n; i++) {
    part[i] = to_float(from[i]);
  }
  return load(part);
}
inline F load(const e8m0* from) {
  return load(from, 16);
}

// Exchanges rows and columns of 16 by 16 words.
inline void transpose(I r[16]) {
  I t[16];
#pragma GCC unroll 16
  for (int i = 0; i < 16; i += 2) {
    t[i] = _mm512_unpacklo_epi32(r[i], r[i + 1]);
    t[i + 1] = _mm512_unpackhi_epi32(r[i], r[i + 1]);
  }
#pragma GCC unroll 16
  for (int i = 0; i < 16; i += 4) {
    r[i] = _mm512_unpacklo_epi64(t[i], t[i + 2]);
    r[i + 1] = _mm512_unpackhi_epi64(t[i], t[i + 2]);
    r[i + 2] = _mm512_unpacklo_epi64(t[i + 1], t[i + 3]);
    r[i + 3] = _mm512_unpackhi_epi64(t[i + 1], t[i + 3]);
  }
#pragma GCC unroll 16
  for (int i = 0; i < 4; i++) {
    t[i] = _mm512_shuffle_i32x4(r[i], r[4 + i], 0x88);
    t[4 + i] = _mm512_shuffle_i32x4(r[i], r[4 + i], 0xdd);
    t[8 + i] = _mm512_shuffle_i32x4(r[8 + i], r[12 + i], 0x88);
    t[12 + i] = _mm512_shuffle_i32x4(r[8 + i], r[12 + i], 0xdd);
  }
#pragma GCC unroll 16
  for (int i = 0; i < 4; i++) {
    r[i] = _mm512_shuffle_i32x4(t[i], t[8 + i], 0x88);
    r[4 + i] = _mm512_shuffle_i32x4(t[4 + i], t[12 + i], 0x88);
    r[8 + i] = _mm512_shuffle_i32x4(t[i], t[8 + i], 0xdd);
    r[12 + i] = _mm512_shuffle_i32x4(t[4 + i], t[12 + i], 0xdd);
  }
}

// to[i][n] is element i of row n.
template <class S>
void columns(const S* const* rows, std::size_t count, float to[block][strip]) {
  if (count <= 4) {
    F r[4];
#pragma GCC unroll 16
    for (int i = 0; i < 4; i++) {
      auto one = [&](int n) { return _mm512_castps512_ps128(load(rows[n], static_cast<int>(count))); };
      r[i] = _mm512_castps128_ps512(one(i));
      r[i] = _mm512_insertf32x4(r[i], one(4 + i), 1);
      r[i] = _mm512_insertf32x4(r[i], one(8 + i), 2);
      r[i] = _mm512_insertf32x4(r[i], one(12 + i), 3);
    }
    F a = _mm512_unpacklo_ps(r[0], r[1]), b = _mm512_unpackhi_ps(r[0], r[1]);
    F c = _mm512_unpacklo_ps(r[2], r[3]), d = _mm512_unpackhi_ps(r[2], r[3]);
    store(to[0], _mm512_shuffle_ps(a, c, 0x44));
    store(to[1], _mm512_shuffle_ps(a, c, 0xee));
    store(to[2], _mm512_shuffle_ps(b, d, 0x44));
    store(to[3], _mm512_shuffle_ps(b, d, 0xee));
    return;
  }
  I r[16];
#pragma GCC unroll 16
  for (int n = 0; n < strip; n++) {
    F row = count < block ? load(rows[n], static_cast<int>(count)) : load(rows[n]);
    r[n] = _mm512_castps_si512(row);
  }
  transpose(r);
#pragma GCC unroll 16
  for (int i = 0; i < block; i++) {
    store(to[i], _mm512_castsi512_ps(r[i]));
  }
}

#else

template <class S>
void columns(const S* const* rows, std::size_t count, float to[block][strip]) {
  for (std::size_t i = 0; i < block; i++) {
#pragma GCC unroll 16
    for (int n = 0; n < strip; n++) {
      to[i][n] = i < count ? to_float(rows[n][i]) : 0;
    }
  }
}

#endif

// Reads what belongs to rows row, row + 1, ... of which there are `count`; others repeat the last.
class Scales {
 public:
  Scales(const QuantizedMatrix& w, std::size_t row, std::size_t count)
      : w_(w), row_(row), count_(count), groups_(w.length / static_cast<std::size_t>(w.group)) {}

  // Of the block that begins with group `at`: factors[g][n] of q, offsets[g][n] of all elements; if
  // `centred`, factors of q - centre. Up to the next multiple of 4, what is beyond the last group
  // is 0.
  void read(
      std::size_t at, float factors[block][strip], float offsets[block][strip],
      bool centred = true) const {
    switch (w_.scale) {
      case Scale::f32:
        return read_as<float>(at, factors, offsets, centred);
      case Scale::f16:
        return read_as<f16>(at, factors, offsets, centred);
      case Scale::bf16:
        return read_as<bf16>(at, factors, offsets, centred);
      default:
        return read_as<e8m0>(at, factors, offsets, centred);
    }
  }

 private:
  template <class S>
  void read_as(
      std::size_t at, float factors[block][strip], float offsets[block][strip],
      bool centred) const {
    std::size_t left = std::min(groups_ - at, std::size_t{block});
    read_columns<S>(w_.scales, at, left, factors);
    float shift = static_cast<float>(centre_of(w_.packing));
    if (w_.biases) {
      read_columns<S>(w_.biases, at, left, offsets);
      shift = centred ? shift : 0;
    } else {
      std::memset(offsets, 0, sizeof(float) * block * strip);
      shift = centred ? 0 : -shift;
    }
    for (std::size_t i = 0; shift != 0 && i < left; i++) {
      for (int n = 0; n < strip; n += W) {
        store(offsets[i] + n, fma(splat(shift), load(factors[i] + n), load(offsets[i] + n)));
      }
    }
  }

  template <class S>
  void read_columns(
      const void* from, std::size_t at, std::size_t left, float to[block][strip]) const {
    const S* rows[strip];
    for (std::size_t n = 0; n < strip; n++) {
      rows[n] = static_cast<const S*>(from) + (row_ + std::min(n, count_ - 1)) * groups_ + at;
    }
    columns(rows, left, to);
  }

  const QuantizedMatrix& w_;
  std::size_t row_, count_, groups_;
};

// 16 rows of a matrix, unpacked.
struct Strip {
  std::uint8_t* bytes; // 512 for each group of 32 elements
  float (*factors)[strip], (*offsets)[strip]; // of each group of the matrix
  std::size_t groups; // of 32 elements
  int shift;
};

} // namespace mlxc::cpu::MLXC_ISA
