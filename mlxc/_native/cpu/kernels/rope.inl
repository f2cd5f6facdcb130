// Rotary positions from tables of cosines and sines. Written on vectors of float32, so every
// instruction set has it.
#include "simd.h"

#include "rope.h"

namespace mlxc::cpu {
namespace MLXC_ISA {
namespace {

template <class T>
void turn_neighbours(const T* x, T* y, const float* cosines, const float* sines, size_t dims) {
  each_vector(dims, [=](size_t i, int n) {
    F value = load_part(x + i, n);
    F turned = value * load_part(cosines + i, n);
    store_part(y + i, fma(swap_neighbours(value), load_part(sines + i, n), turned), n);
  });
}

template <class T>
void turn_halves(const T* x, T* y, const float* cosines, const float* sines, size_t dims) {
  size_t half = dims / 2;
  each_vector(half, [=](size_t i, int n) {
    F first = load_part(x + i, n), second = load_part(x + half + i, n);
    F a = fma(second, load_part(sines + i, n), first * load_part(cosines + i, n));
    F b = fma(first, load_part(sines + half + i, n), second * load_part(cosines + half + i, n));
    store_part(y + i, a, n);
    store_part(y + half + i, b, n);
  });
}

template <class T, auto turn>
void rope(const Rope::Job& job) {
  parallel_for(job.rows, 1 + 16384 / job.features, [&job](size_t begin, size_t end) {
    job.x.each<T>(begin, end, [&job](size_t row, const T* from) {
      T* to = static_cast<T*>(job.y) + row * job.features;
      size_t angles = row / job.rows_per_sequence * job.sequence_step +
          row % job.positions * job.dims;
      turn(from, to, job.cosines + angles, job.sines + angles, job.dims);
      if (size_t rest = job.features - job.dims; rest && to != from) {
        std::memcpy(to + job.dims, from + job.dims, rest * sizeof(T));
      }
    });
  });
}

} // namespace
} // namespace MLXC_ISA

#define MLXC_ROPE(T, TURN) MLXC_ISA::rope<T, MLXC_ISA::TURN<T>>

const Rope Rope::MLXC_ISA = {
    {MLXC_ROPE(float, turn_neighbours),
     MLXC_ROPE(f16, turn_neighbours),
     MLXC_ROPE(bf16, turn_neighbours)},
    {MLXC_ROPE(float, turn_halves), MLXC_ROPE(f16, turn_halves), MLXC_ROPE(bf16, turn_halves)},
};

#undef MLXC_ROPE

} // namespace mlxc::cpu

MLXC_END_OF_TARGET
