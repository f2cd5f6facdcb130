// Products with quantized matrices where there is no instruction that adds four products of bytes:
// AVX2 multiplies 32 bytes and adds in two steps, the rest is plain loops.
#pragma once

#include "quantized_groups.h"
#include "quantized_x.h"

namespace mlxc::cpu::MLXC_ISA {

constexpr std::size_t most_rows = 1; // of x that pass a strip at once

constexpr Order order_of(Packing packing) {
  return bits_of(packing) == 4 ? Order::even_odd : Order::halves;
}

#if defined(MLXC_AVX2)

// The sums of four by four products of bytes; pairs of those of 8 bits would not fit 16.
template <bool Eight>
inline I products(I w, I x) {
  auto ones = _mm256_set1_epi16(1);
  if constexpr (Eight) {
    auto nibble = _mm256_set1_epi8(15);
    I low = _mm256_maddubs_epi16(_mm256_and_si256(w, nibble), x);
    I high = _mm256_maddubs_epi16(_mm256_and_si256(_mm256_srli_epi16(w, 4), nibble), x);
    return _mm256_add_epi32(
        _mm256_madd_epi16(low, ones), _mm256_madd_epi16(high, _mm256_set1_epi16(16)));
  } else {
    return _mm256_madd_epi16(_mm256_maddubs_epi16(w, x), ones);
  }
}

// One dot product for each of 16 rows of 32 bytes.
template <bool Eight>
inline void dots(
    const std::uint8_t* w, const std::int8_t* a, const std::int8_t* b, std::int32_t* to) {
  auto load_half = [](const std::int8_t* x) {
    return _mm_loadu_si128(reinterpret_cast<const __m128i*>(x));
  };
  I x = _mm256_set_m128i(load_half(b), load_half(a));
  for (int n = 0; n < strip; n += 8) {
    I fours[2];
    for (int i = 0; i < 2; i++) {
      I r[4];
      for (int j = 0; j < 4; j++, w += 32) {
        r[j] = products<Eight>(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(w)), x);
      }
      fours[i] = _mm256_hadd_epi32(_mm256_hadd_epi32(r[0], r[1]), _mm256_hadd_epi32(r[2], r[3]));
    }
    I sum = _mm256_add_epi32(
        _mm256_permute2x128_si256(fours[0], fours[1], 0x20),
        _mm256_permute2x128_si256(fours[0], fours[1], 0x31));
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(to + n), sum);
  }
}

#else

template <bool Eight>
inline void dots(
    const std::uint8_t* w, const std::int8_t* a, const std::int8_t* b, std::int32_t* to) {
  for (int n = 0; n < strip; n++, w += 32) {
    std::int32_t sum = 0;
    for (int i = 0; i < 16; i++) {
      sum += w[i] * a[i] + w[16 + i] * b[i];
    }
    to[n] = sum;
  }
}

#endif

// Adds the products of a group of 16 rows of 32 bytes to y.
template <bool Eight, int Bytes>
inline void add_group(
    const std::uint8_t* w, const Chunk<Bytes>& x, int g, const float* factors,
    const float* offsets, float* y) {
  std::int32_t sums[Bytes][strip];
  for (int digit = 0; digit < Bytes; digit++) {
    dots<Eight>(w, x.digits[digit][0] + 16 * g, x.digits[digit][1] + 16 * g, sums[digit]);
  }
  float values[strip];
  for (int n = 0; n < strip; n++) {
    if constexpr (Bytes == 1) {
      values[n] = static_cast<float>(sums[0][n] + x.start[0][4 * g]);
    } else {
      auto low = static_cast<float>(sums[0][n] + sums[1][n] * 256 + x.start[0][4 * g]);
      values[n] = static_cast<float>(sums[2][n] + x.start[1][4 * g]) * 65536 + low;
    }
  }
  for (int n = 0; n < strip; n += W) {
    F term = load(values + n) * splat(x.scale[g]) * load(factors + n);
    store(y + n, load(y + n) + fma(load(offsets + n), splat(x.sum[g]), term));
  }
}

template <Packing packing>
inline void unpack_group_of_strip(
    const QuantizedMatrix& w, std::size_t row, std::size_t count, std::size_t group,
    std::uint8_t* to) {
  constexpr std::size_t bits = bits_of(packing);
  for (std::size_t n = 0; n < strip; n++) {
    std::size_t at = (row + std::min(n, count - 1)) * w.length + group * 32;
    unpack_group<packing>(w.packed + at / 8 * bits, to + 32 * n);
  }
}

// 16 rows, of which the last may repeat, times one x.
template <Packing packing, int Bytes>
inline void strip_times_row(
    const QuantizedMatrix& w, std::size_t row, std::size_t count, const Chunk<Bytes>* x,
    float* to) {
  Scales scales(w, row, count);
  int shift = shift_of(w.group);
  float factors[block][strip], offsets[block][strip];
  std::uint8_t bytes[strip * 32];
  std::fill_n(to, strip, 0.0f);
  for (std::size_t g = 0; g < w.length / 32; g++) {
    std::size_t in_block = (g >> shift) % block;
    if (in_block == 0 && g % (std::size_t{1} << shift) == 0) {
      scales.read(g >> shift, factors, offsets);
    }
    unpack_group_of_strip<packing>(w, row, count, g, bytes);
    add_group<bits_of(packing) == 8>(
        bytes, x[g / 4], static_cast<int>(g % 4), factors[in_block], offsets[in_block], to);
  }
}

// Unpacks 16 rows, 512 bytes for each group.
template <Packing packing>
inline void unpack_strip(
    const QuantizedMatrix& w, std::size_t row, std::size_t count, Strip& to) {
  Scales scales(w, row, count);
  int shift = shift_of(w.group);
  float factors[block][strip], offsets[block][strip];
  for (std::size_t g = 0; g < to.groups; g++) {
    unpack_group_of_strip<packing>(w, row, count, g, to.bytes + 512 * g);
    std::size_t in_block = (g >> shift) % block;
    if (in_block == 0 && g % (std::size_t{1} << shift) == 0) {
      scales.read(g >> shift, factors, offsets);
    }
    std::copy_n(factors[in_block], strip, to.factors[g]);
    std::copy_n(offsets[in_block], strip, to.offsets[g]);
  }
}

// The next row of x; returns how many rows it was.
template <Packing packing, int Bytes>
std::size_t times_some_rows(
    const Strip& w, const Chunk<Bytes>* x, std::size_t, std::size_t, float (*to)[strip]) {
  std::fill_n(to[0], strip, 0.0f);
  for (std::size_t g = 0; g < w.groups; g++) {
    add_group<bits_of(packing) == 8>(
        w.bytes + 512 * g, x[g / 4], static_cast<int>(g % 4), w.factors[g],
        w.offsets[g], to[0]);
  }
  return 1;
}

} // namespace mlxc::cpu::MLXC_ISA
