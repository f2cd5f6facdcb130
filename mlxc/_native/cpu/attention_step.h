// What lies between the projections of attention: queries and keys are normalized and turned, rows
// written into the cache, and attended to. In float32, but for what the cache holds.
#pragma once

#include "angles.h"
#include "attention.h"
#include "block.h"
#include "kernels/norm.h"
#include "kernels/rope.h"
#include "row_copy.h"

#ifndef MLXC_FOREIGN

namespace mlxc::cpu {

struct StepForm {
  int start; // the row that is written first, and its position
  float scale;
  bool causal;
  std::optional<float> head_eps; // of the norms of queries and keys
  int dims; // that turn
  bool traditional;
  std::optional<float> base; // else there are frequencies
  float rope_scale;

  bool operator==(const StepForm&) const = default;
};

class AttentionStep {
 public:
  // `keys` and `values` (B, H_kv, S, D) are the buffers written into, of one type that rows are
  // rounded to.
  AttentionStep(
      const StepForm& form, size_t L, size_t heads, const mx::array& keys, const mx::array& values,
      Workspace& work);

  // Gives everything its memory. q (B, L, H D), k and v are what was projected, out what o_proj
  // takes; the norms are null where there are none.
  void place(
      const Workspace& work, const float* q, const float* k, const float* v, const float* q_norm,
      const float* k_norm, const float* freqs, float* out);

  void run() const;

 private:
  // Queries or keys on their way from (B, L, H D) to (B, H, L, D).
  struct Turned {
    const float* given;
    const float* norm;
    float* to;
    size_t heads;
  };

  void turn(const Turned& turned, const Angles& angles) const;
  void write(const Rows& rows, const AttentionRows& to, size_t D) const;

  StepForm form_;
  AttentionJob job_{};
  Float held_; // the type of keys and values
  Turned queries_{}, keys_{};
  const float *v_ = nullptr, *freqs_ = nullptr;
  size_t parts_, turned_queries_, turned_keys_, room_;
  float* memory_ = nullptr;
};

} // namespace mlxc::cpu
#endif
