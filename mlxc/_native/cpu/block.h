// What the primitives of halves of a block have in common: matrices of one x, in float32.
#pragma once

#include "operations.h"
#include "quantized.h"

#ifndef MLXC_FOREIGN

namespace mlxc::cpu {

// Memory for the temporary results of a primitive, handed out piece by piece: first it is counted,
// then there.
class Workspace {
 public:
  // Where the next `bytes` begin, from the start of the memory.
  size_t next(size_t bytes) {
    size_t at = size_;
    size_ += (bytes + 63) / 64 * 64;
    return at;
  }

  void allocate(mx::Stream stream) {
    auto address = reinterpret_cast<uintptr_t>(scratch_of(size_ + 64, stream));
    memory_ = reinterpret_cast<char*>((address + 63) / 64 * 64);
  }

  float* floats(size_t at) const {
    return reinterpret_cast<float*>(memory_ + at);
  }

 private:
  size_t size_ = 0;
  char* memory_ = nullptr;
};

// A matrix out of three neighbours among arrays.
QuantizedMatrix matrix_at(const Arrays& arrays, size_t at, const Form& form, mx::Stream stream);

// A projection to `matrices` matrices of which the first is at `at`; x, y and memory are missing.
Projection projection_of(
    const Arrays& arrays, size_t at, int matrices, const Form& form, size_t count,
    mx::Stream stream);

// The form of affine matrices; an error where kernels know none.
Form affine_form(int group_size, int bits, const char* operation);

// An error unless three neighbours are a matrix (rows, columns).
void check_matrix(
    const Arrays& arrays, size_t at, const Form& form, int rows, int columns, const char* operation);

// x w^T as an operation of its own: what a block differentiates as is not to be MLX's scalar code.
mx::array times_matrix(
    const mx::array& x, const Arrays& arrays, size_t at, const Form& form, mx::Stream s);

[[noreturn]] void refuse(const char* operation, const std::string& rule);

} // namespace mlxc::cpu
#endif
