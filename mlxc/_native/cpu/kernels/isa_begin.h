// Everything that a file of kernels may include, then the instruction set it is compiled for: set
// afterwards, so that functions of the standard library stay ones that any processor runs.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <type_traits>
#include <utility>
#include <vector>

#if defined(__x86_64__)
#include <immintrin.h>
#elif defined(__aarch64__)
#include <arm_neon.h>
#endif

#include "../isa.h"
#include "../pool.h"

#if defined(__GNUC__) && !defined(__clang__)
// GCC 12 warns of its own intrinsics, whose ignored operands are undefined on purpose.
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#pragma GCC diagnostic ignored "-Wuninitialized"
#endif

#define MLXC_PRAGMA(TEXT) _Pragma(#TEXT)
#if defined(__clang__)
#define MLXC_TARGET(NAMES) \
  MLXC_PRAGMA(clang attribute push(__attribute__((target(NAMES))), apply_to = function))
#define MLXC_END_OF_TARGET MLXC_PRAGMA(clang attribute pop)
#else
#define MLXC_TARGET(NAMES) MLXC_PRAGMA(GCC target(NAMES))
#define MLXC_END_OF_TARGET
#endif

// For loops over registers, which must not become loops over an array.
#define MLXC_UNROLL _Pragma("GCC unroll 16")

// Those that add dot products of bytes to another.
#if defined(MLXC_AVX_VNNI)
#define MLXC_AVX2
#elif defined(MLXC_NEON_DOT)
#define MLXC_NEON
#endif

#if defined(MLXC_AVX512)
MLXC_TARGET("avx512f,avx512bw,avx512cd,avx512dq,avx512vl,avx512vbmi,avx512vnni,avx2,fma,f16c,bmi2")
#elif defined(MLXC_AVX_VNNI)
MLXC_TARGET("avx2,fma,f16c,bmi2,avxvnni")
#elif defined(MLXC_AVX2)
MLXC_TARGET("avx2,fma,f16c,bmi2")
#elif defined(MLXC_NEON_DOT) && defined(__clang__)
MLXC_TARGET("dotprod")
#elif defined(MLXC_NEON_DOT)
MLXC_TARGET("arch=armv8.2-a+dotprod")
#elif defined(__clang__)
#undef MLXC_END_OF_TARGET
#define MLXC_END_OF_TARGET
#endif
