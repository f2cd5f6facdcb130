// The softmax of attention, block after block: masks, weights, and what they do to earlier ones.
#pragma once

#include "attention_block.h"

namespace mlxc::cpu::MLXC_ISA {
namespace {

constexpr float NOTHING = -std::numeric_limits<float>::infinity();

inline float exp_of(float x) {
  float e[W];
  store(e, exp(splat(x)));
  return e[0];
}

// What softmax needs of the scores so far.
struct Seen {
  float greatest = NOTHING;
  float sum = 0; // of e ** (score - greatest)
};

// e ** -greatest would be infinite where there was no score yet, or scores of minus infinity only.
inline float level(float greatest) {
  return greatest == NOTHING ? 0 : greatest;
}

// Masks: what becomes of the scores x of W keys from j on.

struct Unmasked {
  F operator()(F x, size_t) const {
    return x;
  }
};

// The same for all keys.
struct Even {
  float bias;

  F operator()(F x, size_t) const {
    return x + splat(bias);
  }
};

template <class T>
struct Added {
  const T* bias;
  size_t n;

  F operator()(F x, size_t j) const {
    return x + (j + W <= n ? load(bias + j) : load(bias + j, static_cast<int>(n - j)));
  }
};

struct Shown {
  const bool* shown;
  size_t n;

  F operator()(F x, size_t j) const {
    auto left = static_cast<int>(std::min<size_t>(W, n - j));
#if defined(MLXC_AVX512)
    auto bytes = _mm_maskz_loadu_epi8(first(left), shown + j);
    return _mm512_mask_blend_ps(_mm_test_epi8_mask(bytes, bytes), splat(NOTHING), x);
#else
    float values[W];
    store(values, x);
    for (int i = 0; i < W; i++) {
      values[i] = i < left && shown[j + i] ? values[i] : NOTHING;
    }
    return load(values);
#endif
  }
};

inline bool any_shown(const bool* shown, size_t n) {
  unsigned char any = 0;
  for (size_t j = 0; j < n; j++) {
    any |= static_cast<unsigned char>(shown[j]);
  }
  return any;
}

// Turns the scores of a query and n keys into weights; returns the factor of what was before. The
// keys from `limit` on are hidden.
template <class Mask>
float soften(float* scores, size_t n, ptrdiff_t limit, Seen& seen, Mask mask) {
  alignas(64) static constexpr auto numbers = [] {
    std::array<float, W> each{};
    for (int i = 0; i < W; i++) {
      each[i] = static_cast<float>(i);
    }
    return each;
  }();
  F most = splat(NOTHING);
  for (size_t j = 0; j < n; j += W) {
    F x = mask(load(scores + j), j);
    if (static_cast<ptrdiff_t>(j + W) > limit) {
      F left = splat(static_cast<float>(limit - static_cast<ptrdiff_t>(j)));
      x = where_less(load(numbers.data()), left, x, splat(NOTHING));
    }
    store(scores + j, x);
    most = greatest(x, most);
  }
  float now = std::max(seen.greatest, greatest(most)), zero = level(now);
  F sums = splat(0);
  for (size_t j = 0; j < n; j += W) {
    F weight = exp(load(scores + j) - splat(zero));
    store(scores + j, weight);
    sums = sums + weight;
  }
  float factor = now == seen.greatest ? 1 : exp_of(seen.greatest - zero);
  seen.sum = seen.sum * factor + sum(sums);
  seen.greatest = now;
  return factor;
}

// Adds what a query got of some keys to what it got of those before.
__attribute__((noinline)) void merge(
    Seen& all, float* sums, const Seen& more, const float* more_sums, size_t width) {
  float now = std::max(all.greatest, more.greatest), zero = level(now);
  float before = exp_of(all.greatest - zero), after = exp_of(more.greatest - zero);
  all.sum = all.sum * before + more.sum * after;
  all.greatest = now;
  for (size_t d = 0; d < width; d += W) {
    store(sums + d, fma(load(more_sums + d), splat(after), load(sums + d) * splat(before)));
  }
}

} // namespace
} // namespace mlxc::cpu::MLXC_ISA
