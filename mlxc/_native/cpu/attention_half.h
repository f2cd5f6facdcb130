// The half of a layer in which tokens see each other: x plus attention of its norm, and the rows it
// writes into a cache.
#pragma once

#include "attention_step.h"

#ifndef MLXC_FOREIGN

namespace mlxc::cpu {

struct AttentionForm {
  Form in, out; // of the matrices of queries, keys and values, and of the last one
  float eps;
  StepForm step;

  // How many arrays are its weights: a norm, four matrices, the norms of heads, frequencies.
  size_t weights() const {
    return 13 + (step.head_eps ? 2 : 0) + (step.base ? 0 : 1);
  }

  bool operator==(const AttentionForm&) const = default;
};

class AttentionHalf {
 public:
  // Keys and values are the buffers written into. The rows of x (B, L, F) and of y lie without gaps,
  // or are the same memory.
  AttentionHalf(
      const mx::array* weights, const AttentionForm& form, int L, const float* x, float* y,
      const mx::array& keys, const mx::array& values, mx::Stream stream, Workspace& work);

  void run(const Workspace& work);

 private:
  Projection in_, out_;
  AttentionStep step_;
  const float *q_norm_ = nullptr, *k_norm_ = nullptr, *freqs_ = nullptr;
  size_t projected_[3], attended_, scratch_;
};

// The same of MLX's operations: the sum, keys and values.
Arrays composed_attention(
    const mx::array& x, const mx::array& keys, const mx::array& values, const mx::array* weights,
    const AttentionForm& form, mx::Stream s);

// An error unless all fit each other.
void check_attention(
    const mx::array& x, const mx::array& keys, const mx::array& values, const mx::array* weights,
    const AttentionForm& form);

} // namespace mlxc::cpu
#endif
