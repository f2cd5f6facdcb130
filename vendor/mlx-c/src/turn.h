// Arrays in several threads. MLX has none of it: an array is a node of a graph, and to evaluate,
// transform or drop one changes its neighbours. So one thread at a time does that, in its turn.
// An operation needs none, because it only refers to its inputs; what it may look at are their
// shapes and types.
//
// Never wait for a turn while holding a lock that a callback may ask for.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

#include "mlx/array.h"
#include "mlx/stream.h"

namespace mlxc {

namespace mx = mlx::core;

// Has the turn as long as it lives; may be nested.
class Turn {
 public:
  Turn();
  ~Turn();
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;
};

// Lets others have the turn meanwhile, as while a callback runs or a thread waits.
class Pause {
 public:
  Pause();
  ~Pause();
  Pause(const Pause&) = delete;
  Pause& operator=(const Pause&) = delete;

 private:
  bool had_; // alone: an evaluation that is under way around this one is not interrupted
};

// For the moment in which a process forks, and for good when it ends: waits for the turn, but not
// longer than this; whether it came.
bool take_turn(std::chrono::seconds most);
void give_turn();

// Frees what may belong to a graph: at once, or if another thread has the turn, when it has ended.
// Never waits.
void drop(void* held, void (*free)(void*));

// Computes arrays, or starts to. It waits without the turn, but for tracers.
void evaluate(const mx::array* arrays, std::size_t size, bool wait);

// Called in every thread that is about to have its first turn, if set.
extern void (*before_first_turn)();

// What a thread does while it waits for a CPU, if set: something useful, until over(context) or
// until there is nothing to do.
extern void (*while_waiting)(bool (*over)(const void* context), const void* context);

// Whether an array can be read. Where it is being computed, this takes a turn to find out.
bool is_available(const mx::array& a);

// A stream that every thread may use. Nobody ends it.
mx::Stream new_shared_stream(mx::Device device);

// The calling thread's default stream: one that every thread may use, and that the next thread gets
// when this one has ended.
mx::Stream thread_stream(mx::Device device);
void set_thread_stream(mx::Stream stream);

// Forgets a compiled function, or all, in every thread.
void forget_compiled(std::uintptr_t fun_id);
void forget_all_compiled();

} // namespace mlxc
