// Products along the rows of both matrices: what is loaded, multiplied and packed, for how few rows
// b is not packed, and in what shapes. To be included behind simd.h.
#pragma once

#include "sums.h"
#include "tiles.h"

namespace mlxc::cpu::MLXC_ISA {
namespace {

// As float32. `few` is the number of rows of a up to which packing b costs more than it saves.
template <class A, class B = A>
struct Plain {
  using Left = A;
  using Right = B;
  using Packed = float;
  using V = F;
  static constexpr size_t step = W;
#if defined(MLXC_AVX512) || defined(MLXC_AVX2) || defined(MLXC_NEON)
  static constexpr size_t few = 32;
#else
  static constexpr size_t few = 8; // widening takes long
#endif
  template <class From>
  static V get(const From* from) {
    return load(from);
  }
  template <class From>
  static V get(const From* from, size_t n) {
    return load(from, static_cast<int>(n));
  }
  static void put(Packed* to, V x) {
    store(to, x);
  }
  static V zero() {
    return splat(0);
  }
  static F add_product(V a, V b, F sums) {
    return fma(a, b, sums);
  }
};

#if defined(MLXC_AVX512)
// As pairs of bfloat16.
struct Dots {
  using Left = bf16;
  using Right = bf16;
  using Packed = bf16;
  using V = __m512i;
  static constexpr size_t step = 2 * W;
  static constexpr size_t few = 16;
  static V get(const bf16* from) {
    return _mm512_loadu_si512(from);
  }
  static V get(const bf16* from, size_t n) {
    return _mm512_maskz_loadu_epi16(static_cast<__mmask32>((1u << n) - 1), from);
  }
  static void put(Packed* to, V x) {
    _mm512_storeu_si512(to, x);
  }
  static V zero() {
    return _mm512_setzero_si512();
  }
  // The intrinsic would need another target than that of the functions around it.
  static F add_product(V a, V b, F sums) {
    asm("vdpbf16ps %2, %1, %0" : "+v"(sums) : "v"(a), "v"(b));
    return sums;
  }
};
#endif

#if defined(MLXC_AVX512) || defined(MLXC_NEON)
constexpr size_t ROWS = 6; // rows x 4 sums, rows of a and one of b in 32 registers
constexpr size_t FEW_AT_ONCE = 4;
#else
constexpr size_t ROWS = 3; // the same in 16
constexpr size_t FEW_AT_ONCE = 2;
#endif
constexpr size_t COLUMNS = 4;
constexpr size_t TILE_ROWS = 768;
constexpr size_t TILE_COLUMNS = 128;

// Elements of the summed axis after which partial sums are added up.
template <class P>
constexpr size_t BLOCK = block_bytes / sizeof(typename P::Packed);

template <class P>
constexpr size_t steps_in(size_t length) {
  return (length + P::step - 1) / P::step;
}

} // namespace
} // namespace mlxc::cpu::MLXC_ISA
