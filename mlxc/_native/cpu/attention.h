// Attention over keys and values as they are or packed: one primitive.
#pragma once

#include "primitive.h"

#ifndef MLXC_FOREIGN
#include "kernels/attention.h"

namespace mlxc::cpu {

struct AttentionOptions {
  float scale;
  bool causal, masked, sinks;
  int bits = 0, group_size = 0; // of packed keys and values

  bool operator==(const AttentionOptions&) const = default;
};

// On how many threads attention is computed: less than about a microsecond's work is done before
// another thread has begun.
size_t attention_parts(const AttentionJob& job);

// Whether the kernel takes these. MLX refuses the others, or knows what nothing at all amounts to.
// Of packed keys and values the words are given, and the last axis does not count.
bool attention_fits(
    const mx::array& q,
    const mx::array& k,
    const mx::array& v,
    const std::optional<mx::array>& mask,
    const std::optional<mx::array>& sinks,
    mx::Dtype type);

// The kernel. Keys and values are two arrays, or six where they are packed: words, scales and
// biases of each.
mx::array attention(
    const mx::array& q,
    const Arrays& keys_and_values,
    std::optional<mx::array> mask,
    std::optional<mx::array> sinks,
    mx::Dtype type,
    int D_v,
    AttentionOptions options,
    Fallback theirs,
    mx::Stream s);

} // namespace mlxc::cpu
#endif
