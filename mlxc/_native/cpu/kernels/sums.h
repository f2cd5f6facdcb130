// How products along both matrices' rows add up: a vector of partial sums for each element of the
// result, whose parts are added up at the end of each block of the rows. Kernels that do this alike
// have the same bits.
#pragma once

#include "simd.h"

namespace mlxc::cpu::MLXC_ISA {

constexpr std::size_t block_bytes = 2048; // of a row as it is multiplied

// The sums of four vectors, in 4 places from `to` on; added to what is there if `more`.
inline void add_sums(F a, F b, F c, F d, float* to, bool more) {
#if defined(MLXC_AVX512)
  F ab = _mm512_unpacklo_ps(a, b) + _mm512_unpackhi_ps(a, b);
  F cd = _mm512_unpacklo_ps(c, d) + _mm512_unpackhi_ps(c, d);
  F all = _mm512_shuffle_ps(ab, cd, 0x44) + _mm512_shuffle_ps(ab, cd, 0xee);
  __m256 half = _mm512_castps512_ps256(all) + _mm512_extractf32x8_ps(all, 1);
  __m128 sums = _mm256_castps256_ps128(half) + _mm256_extractf128_ps(half, 1);
  _mm_storeu_ps(to, more ? _mm_loadu_ps(to) + sums : sums);
#elif defined(MLXC_AVX2)
  F all = _mm256_hadd_ps(_mm256_hadd_ps(a, b), _mm256_hadd_ps(c, d));
  __m128 sums = _mm256_castps256_ps128(all) + _mm256_extractf128_ps(all, 1);
  _mm_storeu_ps(to, more ? _mm_loadu_ps(to) + sums : sums);
#else
  float sums[4] = {sum(a), sum(b), sum(c), sum(d)};
  for (int i = 0; i < 4; i++) {
    to[i] = more ? to[i] + sums[i] : sums[i];
  }
#endif
}

} // namespace mlxc::cpu::MLXC_ISA
