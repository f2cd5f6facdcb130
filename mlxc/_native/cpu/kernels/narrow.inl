// float32 in another type: a conversion of whole registers, which every instruction set but the
// portable one has for float16.
#include "simd.h"

#include "narrow.h"

namespace mlxc::cpu {
namespace MLXC_ISA {
namespace {

template <class T>
void narrow(const float* from, void* to, size_t n) {
  each_vector(n, [=](size_t i, int part) {
    store_part(static_cast<T*>(to) + i, load_part(from + i, part), part);
  });
}

} // namespace
} // namespace MLXC_ISA

const Narrow Narrow::MLXC_ISA = {
    {MLXC_ISA::narrow<float>, MLXC_ISA::narrow<f16>, MLXC_ISA::narrow<bf16>}};

} // namespace mlxc::cpu

MLXC_END_OF_TARGET
