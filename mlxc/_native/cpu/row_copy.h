// Rows written into the buffers of caches, in place where nobody else reads them.
#pragma once

#include "primitive.h"

#ifndef MLXC_FOREIGN
#include "kernels/narrow.h"

namespace mlxc::cpu {

// The array itself if neighbours along its last axis lie together, else a copy.
mx::array rows_together(const mx::array& a, mx::Stream stream);

// Rows (B, H, L, D) on their way into a buffer (B, H, S, D) of the same type, from row `start` on;
// or float32 ones into a buffer of a half type.
class RowCopy {
 public:
  RowCopy(const mx::array& from, mx::array& to, int start);

  void run() const;

 private:
  char* to;
  const char* from;
  size_t outer[2]; // of B and H
  size_t length; // L
  size_t features; // D
  size_t row; // bytes in the buffer
  Narrow::Run* narrow = nullptr; // where the types differ
  int64_t to_strides[3], from_strides[3]; // of B, H and L in bytes
};

// Gives `buffer` the memory of `old` if nobody else reads it, else memory of its own and `copies`
// what fills it.
void write_over(
    const mx::array& old, mx::array& buffer, mx::Stream stream, std::vector<RowCopy>& copies);

// Calls evaluate() while no output but the one asked for holds the inputs: each keeps them until it
// is there, and what is kept is not written into.
template <class Evaluate>
void letting_go(const Arrays& inputs, Arrays& outputs, Evaluate&& evaluate) {
  Arrays others;
  for (auto& output : outputs) {
    if (&output.inputs() != &inputs && !output.is_tracer()) {
      output.inputs().clear();
      others.push_back(output);
    }
  }
  try {
    evaluate();
  } catch (...) { // no memory: the outputs may be asked for again
    for (auto& output : others) {
      output.inputs() = inputs;
    }
    throw;
  }
}

} // namespace mlxc::cpu
#endif
