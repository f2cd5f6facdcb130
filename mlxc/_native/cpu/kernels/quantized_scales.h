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
constexpr int centre_of(Packing packing) {
  return packing == Packing::mxfp4 ? 12 : 1 << (bits_of(packing) - 1);
}

inline int shift_of(int group) { // group = 32 << shift
  return group == 32 ? 0 : group == 64 ? 1 : 2;
}

struct e8m0 {
  std::uint8_t bits;
};

template <class S>
constexpr bool is_float = std::is_same_v<S, float> || std::is_same_v<S, f16> || std::is_same_v<S, bf16>;

// Half of the power of two: the integers of mxfp4 are twice its numbers.
inline float to_float(e8m0 x) {
  std::uint32_t bits = x.bits == 255 ? 0x7fc00000
      : x.bits > 1                   ? (x.bits - 1u) << 23
                                     : 0x200000u << x.bits;
  float value;
  std::memcpy(&value, &bits, 4);
  return value;
}

// Exchanges rows and columns of W by W numbers.
#if defined(MLXC_AVX2)
inline void transpose(F (&x)[W]) {
  F t[8];
  MLXC_UNROLL
  for (int i = 0; i < 8; i += 4) {
    F a = _mm256_unpacklo_ps(x[i], x[i + 1]), b = _mm256_unpackhi_ps(x[i], x[i + 1]);
    F c = _mm256_unpacklo_ps(x[i + 2], x[i + 3]), d = _mm256_unpackhi_ps(x[i + 2], x[i + 3]);
    t[i] = _mm256_shuffle_ps(a, c, 0x44);
    t[i + 1] = _mm256_shuffle_ps(a, c, 0xee);
    t[i + 2] = _mm256_shuffle_ps(b, d, 0x44);
    t[i + 3] = _mm256_shuffle_ps(b, d, 0xee);
  }
  MLXC_UNROLL
  for (int i = 0; i < 4; i++) {
    x[i] = _mm256_permute2f128_ps(t[i], t[i + 4], 0x20);
    x[i + 4] = _mm256_permute2f128_ps(t[i], t[i + 4], 0x31);
  }
}
#elif !defined(MLXC_AVX512)
inline void transpose(F (&x)[W]) {
  F a = {x[0][0], x[1][0], x[2][0], x[3][0]}, b = {x[0][1], x[1][1], x[2][1], x[3][1]};
  F c = {x[0][2], x[1][2], x[2][2], x[3][2]}, d = {x[0][3], x[1][3], x[2][3], x[3][3]};
  x[0] = a, x[1] = b, x[2] = c, x[3] = d;
}
#endif

// to[i][n] is element i of row n.
template <class S>
void columns(const S* const* rows, std::size_t count, float to[block][strip]) {
#if !defined(MLXC_AVX512)
  if constexpr (is_float<S>) {
    for (std::size_t i = 0; i < count; i += W) {
      auto some = static_cast<int>(std::min(count - i, std::size_t{W}));
      for (int n = 0; n < strip; n += W) {
        F x[W];
        MLXC_UNROLL
        for (int j = 0; j < W; j++) {
          x[j] = load_part(rows[n + j] + i, some);
        }
        transpose(x);
        MLXC_UNROLL
        for (int j = 0; j < W; j++) {
          store(to[i + static_cast<std::size_t>(j)] + n, x[j]);
        }
      }
    }
    return;
  }
#endif
  for (std::size_t i = 0; i < block; i++) {
#pragma GCC unroll 16
    for (int n = 0; n < strip; n++) {
      to[i][n] = i < count ? to_float(rows[n][i]) : 0;
    }
  }
}

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
      __builtin_prefetch(rows[n] + strip * groups_, 0, 2); // of the next strip
    }
    columns(rows, left, to);
  }

  const QuantizedMatrix& w_;
  std::size_t row_, count_, groups_;
};

// 16 rows of a matrix, unpacked.
struct Strip {
  std::uint8_t* bytes; // 512 for each group of 32 elements
  float (*factors)[strip], (*offsets)[strip]; // of each of them
  std::size_t groups; // of 32 elements
};

} // namespace mlxc::cpu::MLXC_ISA
