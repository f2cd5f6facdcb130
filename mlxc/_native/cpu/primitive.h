// What the primitives of kernels have in common.
#pragma once

#include <functional>
#include <future>
#include <string>
#include <utility>
#include <vector>

#include "../extras.hpp"
#include "cpu.h"
#include "isa.h"
#include "pool.h"
#include "settings.h"

#ifdef MLXC_FOREIGN

// A foreign mlx-c may come with an older MLX: kernels stay out, its own operation serves.
#define MLXC_CPU_BODY(THEIRS, ...) \
  {                                \
    return THEIRS;                 \
  }

#else

#define MLXC_CPU_BODY(THEIRS, ...) MLXC_BODY(__VA_ARGS__)

#include "kernels/rows.h"
#include "kernels/types.h"
#include "mlx/backend/cpu/encoder.h"
#include "mlx/primitives.h"
#include "mlx/transforms.h"
#include "mlx/utils.h"

namespace mlxc::cpu {

namespace mx = mlx::core;

using Arrays = std::vector<mx::array>;

// The operation a kernel stands for, built of MLX's own.
using Fallback = std::function<Arrays(const Arrays&)>;

// A primitive that is a kernel on the CPU and its fallback under transformations.
class Kernel : public mx::Primitive {
 public:
  Kernel(mx::Stream stream, Fallback fallback)
      : Primitive(stream), fallback_(std::move(fallback)) {}

  void eval_gpu(const Arrays&, Arrays&) override {
    throw std::runtime_error(std::string("[mlxc] ") + name() + " is a kernel for the CPU.");
  }

  Arrays jvp(const Arrays& primals, const Arrays& tangents, const std::vector<int>& argnums)
      override;
  Arrays vjp(
      const Arrays& primals,
      const Arrays& cotangents,
      const std::vector<int>& argnums,
      const Arrays& outputs) override;
  std::pair<Arrays, std::vector<int>> vmap(const Arrays& inputs, const std::vector<int>& axes)
      override;

 protected:
  const Fallback& fallback() const {
    return fallback_;
  }

 private:
  Fallback fallback_;
};

// Whether an operation on this stream may be a kernel.
inline bool usable(const mx::Stream& stream) {
  return enabled() && stream.device == mx::Device::cpu;
}

// The floating point types that kernels know.
inline bool is_float(mx::Dtype type) {
  return type == mx::float32 || type == mx::float16 || type == mx::bfloat16;
}

inline Float float_of(mx::Dtype type) {
  return type == mx::float32 ? Float::f32 : type == mx::float16 ? Float::f16 : Float::bf16;
}

// `a` itself if its elements lie in row-major order without gaps, else a copy of which that is
// true, filled by a task of the stream and kept until its tasks are done.
mx::array row_contiguous(const mx::array& a, mx::Stream stream);

// The rows of `a`, in place if its last axis is without gaps, else of such a copy.
Rows rows_of(const mx::array& a, mx::Stream stream);

// Gives `out` memory of its own, for elements in row-major order.
void allocate(mx::array& out);

// Gives `out` the memory of `in`, one of the inputs itself, if nobody else reads it and it is laid
// out alike, else memory of its own.
void donate_or_allocate(const mx::array& in, mx::array& out);

// Whether much memory was allocated in this thread since the last call.
bool much_allocated();

// Promises to tell when a stream has done what was handed over to it before; not valid where nobody
// may wait for a stream, because a task may wait for a GPU, whose work is handed over later.
std::future<void> caught_up(mx::Stream stream);

// Runs `task` on the stream's thread; arrays that it reads and writes are to be captured as
// pointers: MLX keeps the arrays of a graph until its tasks are done.
//
// MLX lets a thread be some hundred tasks ahead of the stream, then makes it wait, so that what
// they hold stays bounded. For small results the bound is too narrow: by not counting their tasks,
// the graph of a token is handed over at once and the next is built while this one is computed.
// For large ones it is too wide, a prompt's would hold 100 MB and more: of these, one may run and
// one may wait. A task has begun when those before it have let go of their memory as well.
template <class Task>
void dispatch(mx::Stream stream, Task&& task) {
  if (!much_allocated()) {
    mx::scheduler::enqueue(stream, std::forward<Task>(task));
    return;
  }
  auto begun = caught_up(stream);
  mx::scheduler::notify_new_task(stream);
  mx::scheduler::enqueue(stream, std::forward<Task>(task));
  // A task of its own, because the other may throw.
  mx::scheduler::enqueue(stream, [stream] { mx::scheduler::notify_task_completion(stream); });
  if (begun.valid()) {
    begun.wait();
  }
}

} // namespace mlxc::cpu

#endif
