// The threads that kernels run on, besides the one that calls them.
//
// MLX evaluates the graph of a stream on a thread of its own; it is worker 0 of every job, the
// pool adds the others. OpenBLAS runs its products on the same pool, so that cores are never
// asked for twice.
#pragma once

#include <cstddef>
#include <type_traits>

namespace mlxc::cpu {

// How many threads a job may use, the caller among them.
int threads();

// Sets it; `count` >= 1. Waits for a job that is running. Returns how many threads can be had: if
// that is less than `count`, nothing has changed.
int set_threads(int count);

// Part `index` of a job.
using Part = void (*)(void* context, std::size_t index);

// Runs part 0 to count - 1, on as many threads as there are; in the caller alone if the pool is
// taken by another stream, or the caller is a part itself. Parts must not throw.
void run_parts(std::size_t count, Part part, void* context);

// The same for parts that wait for one another: each has a thread. Waits until the pool is free; in
// a part, which the pool waits for, the threads are new ones.
void run_together(std::size_t count, Part part, void* context);

// Works on the parts of jobs until over(context) or until there have been none for a while. A worker
// makes room for this thread meanwhile, so that cores are not asked for twice, and keeps away for a
// moment more, in which it may come back. A thread that waited asleep instead would take its core
// from a worker when it wakes, in the middle of a part that all others then wait for.
void help(bool (*over)(const void* context), const void* context);

// Calls body(begin, end) for pieces of 0..n of at least `grain`, in any order, on many threads. As
// long as they keep pace, the pieces of each are neighbours: one stretch of memory.
template <class Body>
void parallel_for(std::size_t n, std::size_t grain, Body&& body) {
  constexpr std::size_t pieces_per_thread = 4; // evens out threads of unequal speed
  std::size_t hands = static_cast<std::size_t>(threads());
  std::size_t pieces = hands == 1 ? 1 : n / (grain ? grain : 1);
  pieces = pieces < hands * pieces_per_thread ? pieces : hands * pieces_per_thread;
  pieces -= pieces > hands ? pieces % hands : 0; // as many for each
  if (pieces <= 1) {
    if (n) {
      body(std::size_t{0}, n);
    }
    return;
  }
  struct Context {
    std::remove_reference_t<Body>* body;
    std::size_t n, pieces, hands;
  } context{&body, n, pieces, pieces < hands ? pieces : hands};
  run_parts(
      pieces,
      [](void* given, std::size_t i) {
        auto& c = *static_cast<Context*>(given);
        // n * i / pieces, which n may be too great for
        auto start = [&c](std::size_t i) {
          return c.n / c.pieces * i + c.n % c.pieces * i / c.pieces;
        };
        i = i % c.hands * (c.pieces / c.hands) + i / c.hands;
        (*c.body)(start(i), start(i + 1));
      },
      &context);
}

} // namespace mlxc::cpu
