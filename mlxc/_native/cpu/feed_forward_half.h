// The half of a layer that maps each token: x plus a gated layer of its norm.
#pragma once

#include "block.h"

#ifndef MLXC_FOREIGN

namespace mlxc::cpu {

struct FeedForwardForm {
  static constexpr size_t weights = 10; // arrays: a norm and three matrices

  Form in, out; // of the matrices of gate and up, and of down
  float eps;
  Map activation;

  bool operator==(const FeedForwardForm&) const = default;
};

class FeedForwardHalf {
 public:
  // `count` rows of x and of y lie without gaps, or are the same memory.
  FeedForwardHalf(
      const mx::array* weights, const FeedForwardForm& form, size_t count, const float* x, float* y,
      mx::Stream stream, Workspace& work);

  void run(const Workspace& work);

 private:
  Projection in_, out_;
  size_t hidden_, scratch_;
};

// The same of MLX's operations.
mx::array composed_feed_forward(
    const mx::array& x, const mx::array* weights, const FeedForwardForm& form, mx::Stream s);

// An error unless x and the weights fit each other.
void check_feed_forward(
    const mx::array& x, const mx::array* weights, const FeedForwardForm& form);

// x plus the gated layer as an operation.
mx::array feed_forward_block(
    const mx::array& x, const mx::array* weights, const FeedForwardForm& form, mx::Stream s);

} // namespace mlxc::cpu
#endif
