// Kernels of attention.
#pragma once

#include "../isa.h"
#include "types.h"

#include <cstddef>

namespace mlxc::cpu {

// Keys or values (B, H_kv, S, D): where the D neighbours at each (b, h, s) begin, in elements.
// Packed ones are words of `bits` bits a value, with a scale and a bias for each group.
struct AttentionRows {
  const void* data;
  std::ptrdiff_t strides[3];
  const void* scales = nullptr;
  std::ptrdiff_t scale_strides[3] = {};
  const void* biases = nullptr;
  std::ptrdiff_t bias_strides[3] = {};
  int bits = 0;
  int group_size = 0;
};

enum class AttentionMask { none, boolean, added };

struct AttentionJob {
  std::size_t B, H, H_kv, L, S, D, D_v;
  float scale;
  bool causal;
  const void* q;
  std::ptrdiff_t q_strides[3]; // of b, h and l; the D neighbours lie together
  AttentionRows k, v;
  AttentionMask mask_kind = AttentionMask::none;
  const void* mask = nullptr;
  std::ptrdiff_t mask_strides[4] = {}; // of b, h, l and s, the last one 0 or 1
  const void* sinks = nullptr; // (H,)
  void* out;
  std::ptrdiff_t out_strides[3];
};

struct Attention {
  // How many floats of working memory `run` needs for `parts` parts at the same time.
  std::size_t (*room)(const AttentionJob& job, std::size_t parts);

  // By the type of queries, added masks, sinks and the result, then by that of keys and values, or of
  // their scales and biases: the same, or a half type beside float32. No other pair has one.
  using Run = void(const AttentionJob& job, std::size_t parts, float* memory);
  Run* run[float_types][float_types];

  MLXC_TABLE(Attention);
};

} // namespace mlxc::cpu
