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

// Half of the power of two: the integers of mxfp4 are twice its numbers.
inline float to_float(e8m0 x) {
  std::uint32_t bits = x.bits == 255 ? 0x7fc00000
      : x.bits > 1                   ? (x.bits - 1u) << 23
                                     : 0x200000u << x.bits;
  float value;
  std::memcpy(&value, &bits, 4);
  return value;
}

// to[i][n] is element i of row n.
template <class S>
void columns(const S* const* rows, std::size_t count, float to[block][strip]) {
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
