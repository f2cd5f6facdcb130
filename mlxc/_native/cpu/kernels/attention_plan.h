// How the work of attention and its memory are divided.
#pragma once

#include "attention_softmax.h"

namespace mlxc::cpu::MLXC_ISA {
namespace {

constexpr size_t SPAN = 4 * KEYS;
constexpr size_t ROWS = 96; // of a unit of work; more only where more heads share keys

// What a unit of few rows works in lies on the stack: it is in the caches already.
constexpr size_t STACK = 24 * 1024; // floats

size_t round_up(size_t n, size_t to) {
  return (n + to - 1) / to * to;
}

// How the work and its memory are divided.
struct Plan {
  size_t shared; // heads that share keys and values
  size_t queries, blocks; // of a unit, and units of a head
  size_t rows; // of a unit
  size_t width; // of a row of values
  size_t units, spans;
  bool split; // whether a unit is divided into its spans
  size_t between; // keys of the spans that others take, if so
  size_t of_part, of_span; // floats

  Plan(const AttentionJob& job, size_t parts) {
    shared = job.H / job.H_kv;
    queries = std::min(job.L, std::max<size_t>(1, ROWS / shared));
    blocks = (job.L + queries - 1) / queries;
    rows = shared * queries;
    width = round_up(job.D_v, W);
    units = job.B * job.H_kv * blocks;
    spans = (job.S + SPAN - 1) / SPAN;
    split = parts > 1 && spans > 1 && units < 4 * parts;
    between = (parts - 1) * SPAN;
    size_t features = round_up(job.D, W);
    of_span = round_up(rows * (width + 2), 16);
    of_part = round_up(rows * features, 16) + features * KEYS + std::max(features, width) * KEYS +
        2 * of_span + width;
  }

  bool on_stack() const {
    return of_part <= STACK;
  }

  size_t of_parts(size_t parts) const {
    return on_stack() ? 0 : parts * of_part;
  }

  size_t floats(size_t parts) const {
    return of_parts(parts) + (split ? units * spans * of_span : 0);
  }
};

// What the rows of a unit got of some keys.
struct Got {
  float* sums; // rows of `width`
  Seen* seen;

  Got(float* memory, const Plan& plan)
      : sums(memory), seen(reinterpret_cast<Seen*>(memory + plan.rows * plan.width)) {}

  void clear(const Plan& plan) {
    std::fill_n(sums, plan.rows * plan.width, 0.0f);
    std::fill_n(seen, plan.rows, Seen{});
  }
};

} // namespace
} // namespace mlxc::cpu::MLXC_ISA
