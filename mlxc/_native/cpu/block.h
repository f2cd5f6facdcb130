// What the halves of a layer have in common: matrices of one x, in float32.
#pragma once

#include <algorithm>
#include <memory>
#include <utility>

#include "operations.h"
#include "quantized.h"
#include "scratch.h"

#ifndef MLXC_FOREIGN
#include "mlx/allocator.h"

namespace mlxc::cpu {

// Memory for the temporary results of a primitive, handed out piece by piece: first it is counted,
// then there. What runs later may have the same.
class Workspace {
 public:
  // Where the next `bytes` begin, from the start of the memory.
  size_t next(size_t bytes) {
    size_t at = size_;
    size_ += (bytes + 63) / 64 * 64;
    most_ = std::max(most_, size_);
    return at;
  }

  // Hands out the memory from its start again.
  void rewind() {
    size_ = 0;
  }

  // A token's is the same for all layers, so that it stays in the caches. So is a prompt's, for as long
  // as there is a task that waits or runs: those of a stream run one behind the other.
  void allocate(mx::Stream stream) {
    constexpr size_t few = 1 << 18, line = 64;
    if (most_ <= few) {
      return;
    }
    static thread_local std::weak_ptr<Held> last;
    held_ = last.lock();
    if (!held_ || held_->stream != stream || held_->size < most_) {
      held_ = std::make_shared<Held>(mx::allocator::malloc(most_ + line), most_, stream);
      last = held_;
    }
    auto buffer = held_->memory.buffer();
    auto address = reinterpret_cast<uintptr_t>(buffer.raw_ptr());
    memory_ = reinterpret_cast<char*>((address + line - 1) / line * line);
  }

  // To be called by the task that runs.
  void open() {
    memory_ = memory_ ? memory_ : static_cast<char*>(scratch(most_));
  }

  float* floats(size_t at) const {
    return reinterpret_cast<float*>(memory_ + at);
  }

 private:
  struct Held {
    Held(mx::allocator::Data memory, size_t size, mx::Stream stream)
        : memory(std::move(memory)), size(size), stream(stream) {}

    mx::allocator::Data memory;
    size_t size;
    mx::Stream stream;
  };

  size_t size_ = 0, most_ = 0;
  char* memory_ = nullptr;
  std::shared_ptr<Held> held_;
};

// A projection to `matrices` matrices, of three arrays each; x, y and memory are missing.
Projection projection_of(
    const mx::array* arrays, int matrices, const Form& form, size_t count, mx::Stream stream);

// The form of affine matrices; an error where kernels know none.
Form affine_form(int group_size, int bits);

// An error unless an array is the weight of a norm, or frequencies.
void check_vector(const mx::array& a, int size);

// An error unless three arrays are a matrix (rows, columns).
void check_matrix(
    const mx::array* arrays, const Form& form, int rows, int columns, const char* what);

// x w^T as an operation of its own: what a layer differentiates as is not to be MLX's scalar code.
mx::array times_matrix(
    const mx::array& x, const mx::array* arrays, const Form& form, mx::Stream s);

[[noreturn]] void refuse(const std::string& rule);

} // namespace mlxc::cpu
#endif
