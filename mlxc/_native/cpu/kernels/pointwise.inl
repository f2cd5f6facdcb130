// Functions of one element. Written on vectors of float32, so every instruction set has them.
#include "simd.h"

#include "maps.h"

namespace mlxc::cpu {
namespace MLXC_ISA {
namespace {

constexpr size_t block = 4096;

template <class T, Map map>
void plain(const void* x_, void* y_, size_t size) {
  auto* x = static_cast<const T*>(x_);
  auto* y = static_cast<T*>(y_);
  parallel_for((size + block - 1) / block, 2, [=](size_t begin, size_t end) {
    size_t start = begin * block, stop = std::min(end * block, size);
    each_vector(stop - start, [x = x + start, y = y + start](size_t i, int n) {
      store_part(y + i, apply<map>(load_part(x + i, n)), n);
    });
  });
}

template <class T, Map map>
void gated(Rows gate, Rows x, void* y_, size_t rows, size_t length) {
  auto* y = static_cast<T*>(y_);
  parallel_for(rows, 1 + 2 * block / (length + 1), [=](size_t begin, size_t end) {
    gate.each<T>(begin, end, [=](size_t row, const T* g) {
      x.each<T>(row, row + 1, [=](size_t, const T* from) {
        T* to = y + row * length;
        each_vector(length, [=](size_t i, int n) {
          store_part(to + i, apply<map>(load_part(g + i, n)) * load_part(from + i, n), n);
        });
      });
    });
  });
}

} // namespace
} // namespace MLXC_ISA

#define MLXC_TYPES(KERNEL, MAP)                                                            \
  {MLXC_ISA::KERNEL<float, MAP>, MLXC_ISA::KERNEL<f16, MAP>, MLXC_ISA::KERNEL<bf16, MAP>}

const Pointwise Pointwise::MLXC_ISA = {
    {MLXC_TYPES(plain, Map::silu),
     MLXC_TYPES(plain, Map::gelu),
     MLXC_TYPES(plain, Map::gelu_tanh),
     MLXC_TYPES(plain, Map::gelu_sigmoid),
     MLXC_TYPES(plain, Map::exp),
     MLXC_TYPES(plain, Map::sigmoid),
     MLXC_TYPES(plain, Map::log)},
    {MLXC_TYPES(gated, Map::silu),
     MLXC_TYPES(gated, Map::gelu),
     MLXC_TYPES(gated, Map::gelu_tanh),
     MLXC_TYPES(gated, Map::gelu_sigmoid)},
};

#undef MLXC_TYPES

} // namespace mlxc::cpu

MLXC_END_OF_TARGET
