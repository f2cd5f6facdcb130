// A unit of attention: some queries of all heads that share keys and values, as rows of a matrix.
#pragma once

#include "attention_plan.h"
#include "attention_tile.h"

namespace mlxc::cpu::MLXC_ISA {
namespace {

// T is the type of queries and results, K that of keys and values.
template <class T, class K>
class Unit {
 public:
  Unit(const AttentionJob& job, const Plan& plan, size_t index, float* memory)
      : job(job), plan(plan) {
    size_t block = plan.blocks - 1 - index % plan.blocks; // the longest first, if causal
    kv_head = index / plan.blocks % job.H_kv;
    batch = index / plan.blocks / job.H_kv;
    begin = block * plan.queries;
    rows = std::min(plan.queries, job.L - begin) * plan.shared;
    size_t features = round_up(job.D, W);
    q = memory;
    keys = q + round_up(plan.rows * features, 16);
    values = keys + features * KEYS;
    of_span = values + std::max(features, plan.width) * KEYS;
    of_all = of_span + plan.of_span;
    mean = of_all + plan.of_span;
  }

  Got span() const {
    return {of_span, plan};
  }

  Got all() const {
    return {of_all, plan};
  }

  // What comes before every key: the sinks.
  void start(Got all) const {
    all.clear(plan);
    if (auto* sinks = static_cast<const T*>(job.sinks)) {
      for (size_t row = 0; row < rows; row++) {
        all.seen[row] = {to_float(sinks[head(row)]), 1};
      }
    }
  }

  void read_queries() {
    for (size_t row = 0; row < rows; row++) {
      const T* from = static_cast<const T*>(job.q) + place(job.q_strides, head(row), query(row));
      float* to = q + row * job.D;
      size_t d = 0;
      for (; d + W <= job.D; d += W) {
        store(to + d, load(from + d) * splat(job.scale));
      }
      for (; d < job.D; d++) {
        to[d] = to_float(from[d]) * job.scale;
      }
    }
  }

  // Whether any query may see a key of a span.
  bool reaches(size_t span) const {
    return limit(rows - 1, span * SPAN) > 0;
  }

  // What the queries get of a span of keys.
  void attend(size_t span, Got got) {
    got.clear(plan);
    size_t end = std::min(job.S, (span + 1) * SPAN);
    for (size_t first = span * SPAN; first < end; first += KEYS) {
      if (limit(rows - 1, first) <= 0) {
        break;
      }
      attend_block(first, std::min(KEYS, end - first), got);
    }
  }

  void add(Got all, const Got& more) const {
    for (size_t row = 0; row < rows; row++) {
      merge(
          all.seen[row], all.sums + row * plan.width, more.seen[row], more.sums + row * plan.width,
          plan.width);
    }
  }

  void finish(const Got& all) {
    bool averaged = false;
    for (size_t row = 0; row < rows; row++) {
      const float* sums = all.sums + row * plan.width;
      float divisor = all.seen[row].sum;
      // MLX hides with a finite number: where a query sees no key, all count alike.
      if (job.mask_kind == AttentionMask::boolean && divisor == 0) {
        if (!averaged) {
          sum_values();
          averaged = true;
        }
        sums = mean;
        divisor = static_cast<float>(job.S);
      }
      T* to = static_cast<T*>(job.out) + place(job.out_strides, head(row), query(row));
      size_t d = 0;
      for (; d + W <= job.D_v; d += W) {
        store(to + d, load(sums + d) / splat(divisor));
      }
      if (d < job.D_v) {
        store(to + d, load(sums + d) / splat(divisor), static_cast<int>(job.D_v - d));
      }
    }
  }

 private:
  size_t head(size_t row) const {
    return kv_head * plan.shared + row % plan.shared;
  }

  size_t query(size_t row) const {
    return begin + row / plan.shared;
  }

  ptrdiff_t place(const ptrdiff_t* strides, size_t second, size_t third) const {
    return static_cast<ptrdiff_t>(batch) * strides[0] +
        static_cast<ptrdiff_t>(second) * strides[1] + static_cast<ptrdiff_t>(third) * strides[2];
  }

  // How many of the keys from `first` on a row may see.
  ptrdiff_t limit(size_t row, size_t first) const {
    size_t end = job.S;
    if (job.causal) {
      end = std::min(end, query(row) + 1 + (job.S > job.L ? job.S - job.L : 0));
    }
    return static_cast<ptrdiff_t>(end) - static_cast<ptrdiff_t>(first);
  }

  ptrdiff_t mask_at(size_t row, size_t key) const {
    return place(job.mask_strides, head(row), query(row)) +
        static_cast<ptrdiff_t>(key) * job.mask_strides[3];
  }

  void attend_block(size_t first, size_t n, Got got) {
    bool ready = false;
    for (size_t row = 0; row < rows; row += TILE) {
      size_t size = std::min<size_t>(TILE, rows - row);
      auto most = std::min(static_cast<ptrdiff_t>(n), limit(row + size - 1, first));
      if (most <= 0 || !any_key(row, size, first, static_cast<size_t>(most))) {
        continue;
      }
      if (!ready) {
        read_block(first, n);
        ready = true;
      }
      attend_tile<TILE>(size, row, first, static_cast<size_t>(most), got);
    }
  }

  bool any_key(size_t row, size_t size, size_t first, size_t n) const {
    if (job.mask_kind != AttentionMask::boolean) {
      return true;
    }
    for (size_t r = row; r < row + size; r++) {
      auto* shown = static_cast<const bool*>(job.mask) + mask_at(r, first);
      if (any_shown(shown, job.mask_strides[3] ? n : 1)) {
        return true;
      }
    }
    return false;
  }

  // Whether values are multiplied where they lie.
  bool in_place() const {
    return !job.v.bits && (std::is_same_v<K, float> || rows <= TILE);
  }

  // Whether a block of keys is multiplied as it lies: turning float32 is not worth it for one tile.
  bool as_it_lies([[maybe_unused]] size_t n) const {
#if defined(MLXC_COLUMNS)
    bool is_float = job.k.bits || std::is_same_v<K, float>;
    return is_float && rows <= TILE && n == KEYS && job.D % 4 == 0;
#else
    return false;
#endif
  }

  const K* row_of(const AttentionRows& of, size_t key) const {
    return static_cast<const K*>(of.data) + place(of.strides, kv_head, key);
  }

  // The rows that are read behind a block: of the span that is likely to come next, where there is
  // another part.
  Ahead ahead(const AttentionRows& of, size_t first) const {
    size_t behind = KEYS;
    if (plan.split && (first + KEYS) % SPAN == 0) {
      behind += plan.between;
    }
    if (rows > TILE || first + behind >= job.S || of.bits) {
      return {};
    }
    return {static_cast<ptrdiff_t>(behind * sizeof(K)) * of.strides[2]};
  }

  void read_block(size_t first, size_t n) {
    if (job.k.bits) {
      float* to = as_it_lies(n) ? keys : values;
      unpack_rows<K>(job.k, batch, kv_head, first, n, job.D, to, job.D);
    }
    if (!as_it_lies(n)) {
      job.k.bits ? turn(values, static_cast<ptrdiff_t>(job.D), n, job.D, keys)
                 : turn(row_of(job.k, first), job.k.strides[2], n, job.D, keys, ahead(job.k, first));
    }
    if (!in_place()) {
      read_values(first, n);
    }
  }

  void read_values(size_t first, size_t n) {
    if (job.v.bits) {
      unpack_rows<K>(job.v, batch, kv_head, first, n, job.D_v, values, plan.width);
    } else {
      widen(row_of(job.v, first), job.v.strides[2], n, job.D_v, values, plan.width);
    }
  }

  void sum_values() {
    std::fill_n(mean, plan.width, 0.0f);
    for (size_t first = 0; first < job.S; first += KEYS) {
      size_t n = std::min(KEYS, job.S - first);
      read_values(first, n);
      for (size_t j = 0; j < n; j++) {
        for (size_t d = 0; d < job.D_v; d++) {
          mean[d] += values[j * plan.width + d];
        }
      }
    }
  }

  // A tile of `size` queries, R at most.
  template <int R>
  void attend_tile(size_t size, size_t row, size_t first, size_t n, Got got) {
    if constexpr (R > 1) {
      if (size < R) {
        return attend_tile<R - 1>(size, row, first, n, got);
      }
    }
    alignas(64) float weights[R * KEYS];
    float factors[R];
    score_tile<R>(q + row * job.D, first, n, weights);
    for (int r = 0; r < R; r++) {
      factors[r] = soften_row(weights + r * KEYS, row + r, first, n, got.seen[row + r]);
    }
    float* sums = got.sums + row * plan.width;
    if (in_place()) {
      weigh<R>(
          weights, factors, row_of(job.v, first), job.v.strides[2], n, sums, plan.width, job.D_v,
          ahead(job.v, first));
    } else {
      auto step = static_cast<ptrdiff_t>(plan.width);
      weigh<R>(weights, factors, values, step, n, sums, plan.width, job.D_v, {});
    }
  }

  template <int R>
  void score_tile(
      const float* q, [[maybe_unused]] size_t first, size_t n, float* scores) const {
#if defined(MLXC_COLUMNS)
    if (as_it_lies(std::min(KEYS, job.S - first))) {
      if constexpr (std::is_same_v<K, float>) {
        if (!job.k.bits) {
          return score_as_it_lies<R>(
              q, row_of(job.k, first), job.k.strides[2], job.D, scores, ahead(job.k, first));
        }
      }
      return score_as_it_lies<R>(q, keys, static_cast<ptrdiff_t>(job.D), job.D, scores, {});
    }
#endif
    score<R>(q, keys, n, job.D, scores);
  }

  __attribute__((noinline)) float
  soften_row(float* scores, size_t row, size_t first, size_t n, Seen& seen) const {
    auto limited = limit(row, first);
    bool even = !job.mask_strides[3];
    switch (job.mask_kind) {
      case AttentionMask::none:
        return soften(scores, n, limited, seen, Unmasked{});
      case AttentionMask::boolean: {
        auto* shown = static_cast<const bool*>(job.mask) + mask_at(row, first);
        return even ? soften(scores, n, limited, seen, Even{*shown ? 0 : NOTHING})
                    : soften(scores, n, limited, seen, Shown{shown, n});
      }
      default: {
        auto* bias = static_cast<const T*>(job.mask) + mask_at(row, first);
        return even ? soften(scores, n, limited, seen, Even{to_float(*bias)})
                    : soften(scores, n, limited, seen, Added<T>{bias, n});
      }
    }
  }

  const AttentionJob& job;
  const Plan& plan;
  size_t batch, kv_head, begin, rows;
  float *q, *keys, *values, *of_span, *of_all, *mean;
};

} // namespace
} // namespace mlxc::cpu::MLXC_ISA
