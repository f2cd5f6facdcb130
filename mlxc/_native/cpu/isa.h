// The instruction sets that kernels are compiled for, and the choice among them at run time.
#pragma once

namespace mlxc::cpu {

// Each holds what the ones before it on its architecture hold.
//   portable   whatever the compiler takes for granted: SSE2 on x86-64
//   neon       arm64
//   neon_dot   its dot products of bytes: Cortex-A76 (2018), Neoverse and every Apple M
//   avx2       AVX2, FMA, F16C: Haswell (2013), Zen and later
//   avx_vnni   dot products of bytes without AVX-512: Alder Lake (2021) and later
//   avx512     AVX-512 F, BW, CD, DQ, VL, VBMI and VNNI: Ice Lake (2019), Zen 4 and later. Earlier
//              ones lack the dot products of bytes and clock down: they get avx2.
// Kernels that gain nothing by dot products are those of the set before.
enum class Isa { portable, neon, neon_dot, avx2, avx_vnni, avx512 };

// The one in force: the best that this processor has, or what set_isa asked for.
Isa isa();

// Whether there are instructions for dot products of bytes.
bool has_int8_dot();

// Whether there are instructions for dot products of bfloat16.
bool has_bf16_dot();

// Picks the instance of a table of kernels; a table is a struct of function pointers with a static
// member for each instruction set, defined where its kernels are compiled.
template <class Table>
const Table& pick() {
  switch (isa()) {
#if defined(__x86_64__)
    case Isa::avx512:
      return Table::avx512;
    case Isa::avx_vnni:
      if constexpr (requires { Table::avx_vnni; }) {
        return Table::avx_vnni;
      }
      [[fallthrough]];
    case Isa::avx2:
      return Table::avx2;
#elif defined(__aarch64__)
    case Isa::neon_dot:
      if constexpr (requires { Table::neon_dot; }) {
        return Table::neon_dot;
      }
      [[fallthrough]];
    case Isa::neon:
      return Table::neon;
#endif
    default:
      return Table::portable;
  }
}

// The members of such a table; and of one whose kernels are compiled for dot products, too.
#if defined(__x86_64__)
#define MLXC_TABLE(Table) static const Table portable, avx2, avx512
#define MLXC_TABLE_OF_DOTS(Table) MLXC_TABLE(Table), avx_vnni
#elif defined(__aarch64__)
#define MLXC_TABLE(Table) static const Table portable, neon
#define MLXC_TABLE_OF_DOTS(Table) MLXC_TABLE(Table), neon_dot
#else
#define MLXC_TABLE(Table) static const Table portable
#define MLXC_TABLE_OF_DOTS(Table) MLXC_TABLE(Table)
#endif

} // namespace mlxc::cpu
