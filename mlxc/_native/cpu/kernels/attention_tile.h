// A tile of attention: a few queries and a block of keys. What a query gets does not depend on the
// tile it is in: every sum runs over one feature or key after the other.
#pragma once

#include "attention_block.h"

namespace mlxc::cpu::MLXC_ISA {
namespace {

// Queries of a tile, and vectors of keys or features in a pass: as many sums as registers hold.
constexpr int TILE = 6;
#if defined(MLXC_AVX512) || defined(MLXC_NEON)
constexpr int PASS = 4;
#else
constexpr int PASS = 2;
#endif

// N vectors of scores[r][j] = sum over d of q[r][d] * keys[d][j].
template <int R, int N>
void score_some(const float* q, const float* keys, size_t D, float* scores) {
  F sums[R][N];
#pragma GCC unroll 6
  for (int r = 0; r < R; r++) {
#pragma GCC unroll 4
    for (int i = 0; i < N; i++) {
      sums[r][i] = splat(0);
    }
  }
  for (size_t d = 0; d < D; d++, keys += KEYS) {
    F k[N];
#pragma GCC unroll 4
    for (int i = 0; i < N; i++) {
      k[i] = load(keys + i * W);
    }
#pragma GCC unroll 6
    for (int r = 0; r < R; r++) {
      F x = splat(q[r * D + d]);
#pragma GCC unroll 4
      for (int i = 0; i < N; i++) {
        sums[r][i] = fma(x, k[i], sums[r][i]);
      }
    }
  }
#pragma GCC unroll 6
  for (int r = 0; r < R; r++) {
#pragma GCC unroll 4
    for (int i = 0; i < N; i++) {
      store(scores + r * KEYS + i * W, sums[r][i]);
    }
  }
}

// The scores of n keys, rounded up to whole vectors.
template <int R>
void score(const float* q, const float* keys, size_t n, size_t D, float* scores) {
  size_t j = 0;
  for (; j + (PASS - 1) * W < n; j += PASS * W) {
    score_some<R, PASS>(q, keys + j, D, scores + j);
  }
  for (; j < n; j += W) {
    score_some<R, 1>(q, keys + j, D, scores + j);
  }
}

#if defined(MLXC_COLUMNS)
// scores[r][j] for KEYS keys as they lie, `step` elements apart. D is a multiple of 4.
template <int R>
void score_as_it_lies(
    const float* q, const float* keys, ptrdiff_t step, size_t D, float* scores, Ahead ahead) {
#if defined(MLXC_AVX512)
  constexpr size_t GROUPS = R == 1 ? 8 : 4; // of 8 keys, whose sums registers hold
#else
  constexpr size_t GROUPS = R == 1 ? 4 : R <= 3 ? 2 : 1;
#endif
  for (size_t j = 0; j < KEYS; j += 8 * GROUPS) {
    __m256 sums[R][GROUPS];
#pragma GCC unroll 6
    for (int r = 0; r < R; r++) {
#pragma GCC unroll 8
      for (size_t i = 0; i < GROUPS; i++) {
        sums[r][i] = _mm256_setzero_ps();
      }
    }
    for (size_t d = 0; d < D; d += 4) {
#pragma GCC unroll 8
      for (size_t i = 0; i < GROUPS; i++) {
        if (d % 16 == 0) {
#pragma GCC unroll 8
          for (size_t key = j + 8 * i; key < j + 8 * i + 8; key++) {
            ahead.fetch(keys + static_cast<ptrdiff_t>(key) * step + d);
          }
        }
        __m256 k[4];
        columns(keys + static_cast<ptrdiff_t>(j + 8 * i) * step + d, step, k);
#pragma GCC unroll 4
        for (size_t c = 0; c < 4; c++) {
#pragma GCC unroll 6
          for (int r = 0; r < R; r++) {
            sums[r][i] = _mm256_fmadd_ps(_mm256_set1_ps(q[r * D + d + c]), k[c], sums[r][i]);
          }
        }
      }
    }
#pragma GCC unroll 6
    for (int r = 0; r < R; r++) {
#pragma GCC unroll 8
      for (size_t i = 0; i < GROUPS; i++) {
        _mm256_storeu_ps(scores + r * KEYS + j + 8 * i, sums[r][i]);
      }
    }
  }
}
#endif

// N vectors of sums[r] = sums[r] * factors[r] + sum over j < n of weights[r][j] * values[j]. The
// last vector has `rest` features, W or fewer.
template <int R, int N, bool whole, class T>
void weigh_some(
    const float* weights, const float* factors, const T* values, ptrdiff_t step, size_t n,
    float* sums_, size_t width, int rest, Ahead ahead) {
  F sums[R][N];
#pragma GCC unroll 6
  for (int r = 0; r < R; r++) {
#pragma GCC unroll 4
    for (int i = 0; i < N; i++) {
      sums[r][i] = load(sums_ + r * width + i * W) * splat(factors[r]);
    }
  }
  for (size_t j = 0; j < n; j++, values += step) {
    F v[N];
#pragma GCC unroll 4
    for (size_t i = 0; i < N; i++) {
      ahead.fetch(values + i * W);
      v[i] = whole ? load(values + i * W) : load(values + i * W, rest);
    }
#pragma GCC unroll 6
    for (int r = 0; r < R; r++) {
      F x = splat(weights[r * KEYS + j]);
#pragma GCC unroll 4
      for (int i = 0; i < N; i++) {
        sums[r][i] = fma(x, v[i], sums[r][i]);
      }
    }
  }
#pragma GCC unroll 6
  for (int r = 0; r < R; r++) {
#pragma GCC unroll 4
    for (int i = 0; i < N; i++) {
      store(sums_ + r * width + i * W, sums[r][i]);
    }
  }
}

template <int R, class T>
void weigh(
    const float* weights, const float* factors, const T* values, ptrdiff_t step, size_t n,
    float* sums, size_t width, size_t D, Ahead ahead) {
  size_t d = 0;
  for (; d + PASS * W <= D; d += PASS * W) {
    weigh_some<R, PASS, true>(weights, factors, values + d, step, n, sums + d, width, W, ahead);
  }
  for (; d + W <= D; d += W) {
    weigh_some<R, 1, true>(weights, factors, values + d, step, n, sums + d, width, W, ahead);
  }
  if (d < D) {
    int rest = static_cast<int>(D - d);
    weigh_some<R, 1, false>(weights, factors, values + d, step, n, sums + d, width, rest, ahead);
  }
}

} // namespace
} // namespace mlxc::cpu::MLXC_ISA
