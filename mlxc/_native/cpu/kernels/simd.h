// Vectors of float32 in the instruction set that the including file is compiled for.
//
// A file of kernels is compiled once for each instruction set: MLXC_ISA names it and its
// namespace, MLXC_AVX512, MLXC_AVX2 or MLXC_NEON is defined or none. `F` has as many floats as a
// register; + - * / work on it. Half types are read and written as float32.
#pragma once

#include "isa_begin.h"
#include "types.h"

namespace mlxc::cpu::MLXC_ISA {

#if defined(MLXC_AVX512)
using F = __m512;
using I = __m512i;
#elif defined(MLXC_AVX2)
using F = __m256;
using I = __m256i;
#elif defined(MLXC_NEON)
using F = float32x4_t;
using I = int32x4_t;
#else
typedef float F __attribute__((vector_size(16)));
typedef std::int32_t I __attribute__((vector_size(16)));
#endif

// How many floats there are in an F.
constexpr int W = sizeof(F) / sizeof(float);

// --- of one value ---------------------------------------------------------------------

inline float to_float(float x) {
  return x;
}

inline float to_float(bf16 x) {
  std::uint32_t bits = static_cast<std::uint32_t>(x.bits) << 16;
  float value;
  std::memcpy(&value, &bits, 4);
  return value;
}

inline float to_float(f16 x) {
#if defined(MLXC_AVX512) || defined(MLXC_AVX2)
  return _cvtsh_ss(x.bits);
#elif defined(MLXC_NEON)
  __fp16 half;
  std::memcpy(&half, &x, 2);
  return half;
#else
  // Exponent and fraction move to their places; the product moves the exponent's bias and makes
  // subnormal numbers normal.
  std::uint32_t sign = static_cast<std::uint32_t>(x.bits & 0x8000) << 16;
  std::uint32_t rest = static_cast<std::uint32_t>(x.bits & 0x7fff) << 13;
  bool special = (x.bits & 0x7c00) == 0x7c00;
  std::uint32_t bits = special ? rest | 0x7f800000 : rest;
  float value;
  std::memcpy(&value, &bits, 4);
  value = special ? value : value * 0x1p112f;
  std::memcpy(&bits, &value, 4);
  bits |= sign;
  std::memcpy(&value, &bits, 4);
  return value;
#endif
}

inline void from_float(float value, float* to) {
  *to = value;
}

inline void from_float(float value, bf16* to) {
  std::uint32_t bits;
  std::memcpy(&bits, &value, 4);
  bool nan = (bits & 0x7fffffff) > 0x7f800000;
  std::uint32_t rounded = (bits + 0x7fff + (bits >> 16 & 1)) >> 16;
  to->bits = static_cast<std::uint16_t>(nan ? bits >> 16 | 0x40 : rounded);
}

inline void from_float(float value, f16* to) {
#if defined(MLXC_AVX512) || defined(MLXC_AVX2)
  to->bits = static_cast<std::uint16_t>(_cvtss_sh(value, _MM_FROUND_TO_NEAREST_INT));
#elif defined(MLXC_NEON)
  __fp16 half = static_cast<__fp16>(value);
  std::memcpy(to, &half, 2);
#else
  std::uint32_t bits;
  std::memcpy(&bits, &value, 4);
  std::uint32_t sign = bits >> 16 & 0x8000, rest = bits & 0x7fffffff, half;
  if (rest > 0x7f800000) {
    half = 0x7e00;
  } else if (rest >= 0x477ff000) { // rounds beyond the greatest half
    half = 0x7c00;
  } else if (rest < 0x38800000) { // subnormal: the addition rounds at the last bit of a half
    float place;
    std::memcpy(&place, &rest, 4);
    place += 0.5f;
    std::memcpy(&half, &place, 4);
    half -= 0x3f000000;
  } else {
    half = (rest + 0xfff + (rest >> 13 & 1) - 0x38000000) >> 13;
  }
  to->bits = static_cast<std::uint16_t>(sign | half);
#endif
}

// --- of a register --------------------------------------------------------------------

#if defined(MLXC_AVX512)

inline __mmask16 first(int n) {
  return static_cast<__mmask16>((1u << n) - 1);
}

inline F splat(float x) {
  return _mm512_set1_ps(x);
}
inline F load(const float* from) {
  return _mm512_loadu_ps(from);
}
inline F load(const f16* from) {
  return _mm512_cvtph_ps(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(from)));
}
inline F load(const bf16* from) {
  auto bits = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from));
  return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(bits), 16));
}
inline F load(const float* from, int n) {
  return _mm512_maskz_loadu_ps(first(n), from);
}
inline F load(const f16* from, int n) {
  return _mm512_cvtph_ps(_mm256_maskz_loadu_epi16(first(n), from));
}
inline F load(const bf16* from, int n) {
  auto bits = _mm256_maskz_loadu_epi16(first(n), from);
  return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(bits), 16));
}
inline __m256i halves(F x, const f16*) {
  return _mm512_cvtps_ph(x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
}
inline __m256i halves(F x, const bf16*) {
  auto bits = _mm512_castps_si512(x);
  auto odd = _mm512_and_si512(_mm512_srli_epi32(bits, 16), _mm512_set1_epi32(1));
  auto rounded =
      _mm512_add_epi32(_mm512_add_epi32(bits, _mm512_set1_epi32(0x7fff)), odd);
  auto nan = _mm512_or_si512(bits, _mm512_set1_epi32(0x400000));
  rounded = _mm512_mask_mov_epi32(rounded, _mm512_cmp_ps_mask(x, x, _CMP_UNORD_Q), nan);
  return _mm512_cvtepi32_epi16(_mm512_srli_epi32(rounded, 16));
}
inline void store(float* to, F x) {
  _mm512_storeu_ps(to, x);
}
inline void store(float* to, F x, int n) {
  _mm512_mask_storeu_ps(to, first(n), x);
}
template <class T>
void store(T* to, F x) {
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), halves(x, to));
}
template <class T>
void store(T* to, F x, int n) {
  _mm256_mask_storeu_epi16(to, first(n), halves(x, to));
}
inline F fma(F a, F b, F c) {
  return _mm512_fmadd_ps(a, b, c);
}
inline F least(F a, F b) {
  return _mm512_min_ps(a, b);
}
inline F greatest(F a, F b) {
  return _mm512_max_ps(a, b);
}
inline float sum(F x) {
  return _mm512_reduce_add_ps(x);
}
inline float greatest(F x) {
  return _mm512_reduce_max_ps(x);
}
inline F round(F x) {
  return _mm512_roundscale_ps(x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
}
inline F swap_neighbours(F x) { // elements 1, 0, 3, 2, ...
  return _mm512_permute_ps(x, 0b10110001);
}
inline F scale_by_power(F x, F exponent) { // x * 2 ** exponent, subnormal results included
  return _mm512_scalef_ps(x, exponent);
}
// The first n < W elements, then zeros.
inline F keep(F x, int n) {
  return _mm512_maskz_mov_ps(first(n), x);
}
// `yes` where a < b, else `no`; an unordered comparison is no.
inline F where_less(F a, F b, F yes, F no) {
  return _mm512_mask_blend_ps(_mm512_cmp_ps_mask(a, b, _CMP_LT_OQ), no, yes);
}
inline F where_nan(F x, F yes, F no) {
  return _mm512_mask_blend_ps(_mm512_cmp_ps_mask(x, x, _CMP_UNORD_Q), no, yes);
}

#elif defined(MLXC_AVX2)

inline F splat(float x) {
  return _mm256_set1_ps(x);
}
inline F load(const float* from) {
  return _mm256_loadu_ps(from);
}
inline F load(const f16* from) {
  return _mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(from)));
}
inline F load(const bf16* from) {
  auto bits = _mm_loadu_si128(reinterpret_cast<const __m128i*>(from));
  return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(bits), 16));
}
inline __m128i halves(F x, const f16*) {
  return _mm256_cvtps_ph(x, _MM_FROUND_TO_NEAREST_INT);
}
inline __m128i halves(F x, const bf16*) {
  auto bits = _mm256_castps_si256(x);
  auto odd = _mm256_and_si256(_mm256_srli_epi32(bits, 16), _mm256_set1_epi32(1));
  auto rounded =
      _mm256_add_epi32(_mm256_add_epi32(bits, _mm256_set1_epi32(0x7fff)), odd);
  auto nan = _mm256_or_si256(bits, _mm256_set1_epi32(0x400000));
  auto is_nan = _mm256_castps_si256(_mm256_cmp_ps(x, x, _CMP_UNORD_Q));
  rounded = _mm256_srli_epi32(_mm256_blendv_epi8(rounded, nan, is_nan), 16);
  auto packed = _mm256_packus_epi32(rounded, rounded);
  return _mm256_castsi256_si128(_mm256_permute4x64_epi64(packed, 0b1000));
}
inline void store(float* to, F x) {
  _mm256_storeu_ps(to, x);
}
template <class T>
void store(T* to, F x) {
  _mm_storeu_si128(reinterpret_cast<__m128i*>(to), halves(x, to));
}
inline F fma(F a, F b, F c) {
  return _mm256_fmadd_ps(a, b, c);
}
inline F least(F a, F b) {
  return _mm256_min_ps(a, b);
}
inline F greatest(F a, F b) {
  return _mm256_max_ps(a, b);
}
inline float sum(F x) {
  __m128 half = _mm_add_ps(_mm256_castps256_ps128(x), _mm256_extractf128_ps(x, 1));
  half = _mm_add_ps(half, _mm_movehl_ps(half, half));
  return _mm_cvtss_f32(_mm_add_ss(half, _mm_movehdup_ps(half)));
}
inline float greatest(F x) {
  __m128 half = _mm_max_ps(_mm256_castps256_ps128(x), _mm256_extractf128_ps(x, 1));
  half = _mm_max_ps(half, _mm_movehl_ps(half, half));
  return _mm_cvtss_f32(_mm_max_ss(half, _mm_movehdup_ps(half)));
}
inline F round(F x) {
  return _mm256_round_ps(x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
}
inline F swap_neighbours(F x) {
  return _mm256_permute_ps(x, 0b10110001);
}
inline F power_of_two(I n) {
  return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_add_epi32(n, _mm256_set1_epi32(127)), 23));
}
inline F scale_by_power(F x, F exponent) {
  // In two factors, so that neither leaves the range of normal numbers.
  I e = _mm256_cvtps_epi32(exponent);
  I half = _mm256_srai_epi32(e, 1);
  return x * power_of_two(half) * power_of_two(_mm256_sub_epi32(e, half));
}
inline F where_less(F a, F b, F yes, F no) {
  return _mm256_blendv_ps(no, yes, _mm256_cmp_ps(a, b, _CMP_LT_OQ));
}
inline F where_nan(F x, F yes, F no) {
  return _mm256_blendv_ps(no, yes, _mm256_cmp_ps(x, x, _CMP_UNORD_Q));
}

#else

inline F splat(float x) {
  return F{x, x, x, x};
}
inline F load(const float* from) {
  F x;
  std::memcpy(&x, from, sizeof x);
  return x;
}
inline F load(const bf16* from) {
  typedef std::uint16_t Halves __attribute__((vector_size(8)));
  typedef std::uint32_t Words __attribute__((vector_size(16)));
  Halves halves;
  std::memcpy(&halves, from, sizeof halves);
  Words bits = __builtin_convertvector(halves, Words) << 16;
  F x;
  std::memcpy(&x, &bits, sizeof x);
  return x;
}
inline F load(const f16* from) {
#if defined(MLXC_NEON)
  float16x4_t halves;
  std::memcpy(&halves, from, sizeof halves);
  return vcvt_f32_f16(halves);
#else
  return F{to_float(from[0]), to_float(from[1]), to_float(from[2]), to_float(from[3])};
#endif
}
inline void store(float* to, F x) {
  std::memcpy(to, &x, sizeof x);
}
template <class T>
void store(T* to, F x) {
  for (int i = 0; i < W; i++) {
    from_float(x[i], to + i);
  }
}
#if defined(MLXC_NEON)
inline F load(const f16* from) {
  float16x4_t x;
  std::memcpy(&x, from, sizeof x);
  return vcvt_f32_f16(x);
}
inline F load(const bf16* from) {
  uint16x4_t x;
  std::memcpy(&x, from, sizeof x);
  return vreinterpretq_f32_u32(vshll_n_u16(x, 16));
}
inline void store(f16* to, F x) {
  float16x4_t halves = vcvt_f16_f32(x);
  std::memcpy(to, &halves, sizeof halves);
}
#endif
inline F fma(F a, F b, F c) {
#if defined(MLXC_NEON)
  return vfmaq_f32(c, a, b);
#else
  return a * b + c;
#endif
}
// As on x86, where one operand is not a number the result is the second one.
inline F least(F a, F b) {
  return a < b ? a : b;
}
inline F greatest(F a, F b) {
  return a > b ? a : b;
}
inline float sum(F x) {
  return (x[0] + x[2]) + (x[1] + x[3]);
}
inline float greatest(F x) {
  float a = x[0] > x[2] ? x[0] : x[2], b = x[1] > x[3] ? x[1] : x[3];
  return a > b ? a : b;
}
inline F round(F x) { // to nearest, for |x| < 2 ** 22
  F magic = splat(0x1.8p23f);
  return (x + magic) - magic;
}
inline F swap_neighbours(F x) {
  return F{x[1], x[0], x[3], x[2]};
}
inline F scale_by_power(F x, F exponent) {
  F result;
  for (int i = 0; i < W; i++) {
    result[i] = std::ldexp(x[i], static_cast<int>(exponent[i]));
  }
  return result;
}
inline F where_less(F a, F b, F yes, F no) {
  return a < b ? yes : no;
}
inline F where_nan(F x, F yes, F no) {
  return x == x ? no : yes;
}

#endif

#if !defined(MLXC_AVX512)
// The first n < W elements, then zeros.
template <class T>
F load(const T* from, int n) {
  T part[W] = {};
  std::memcpy(part, from, n * sizeof(T));
  return load(part);
}
template <class T>
void store(T* to, F x, int n) {
  T part[W];
  store(part, x);
  std::memcpy(to, part, n * sizeof(T));
}
inline F keep(F x, int n) {
  float part[W];
  store(part, x);
  return load(part, n);
}
#endif

// As load and store, for n <= W elements: whole registers need no mask.
template <class T>
F load_part(const T* from, int n) {
  return n == W ? load(from) : load(from, n);
}
template <class T>
void store_part(T* to, F x, int n) {
  n == W ? store(to, x) : store(to, x, n);
}

// Calls body(i, n) for vectors of n <= W elements from i on, that together are `length`.
template <class Body>
void each_vector(std::size_t length, Body body) {
  std::size_t i = 0;
  for (; i + W <= length; i += W) {
    body(i, W);
  }
  if (i < length) {
    body(i, static_cast<int>(length - i));
  }
}

// e ** x to about 1 unit in the last place of float32; infinite, 0 and NaN where C's is: the second
// operand of a bound is kept where it is NaN.
inline F exp(F x) {
  // x = n ln 2 + r with |r| <= ln 2 / 2; ln 2 in two parts, so that the product with n is exact.
  F inside = greatest(splat(-104.0f), least(splat(89.0f), x));
  F n = round(inside * splat(1.44269504f));
  F r = fma(n, splat(-0.693145752f), inside);
  r = fma(n, splat(-1.42860677e-6f), r);
  // The coefficients of Cephes' expf.
  F p = splat(1.98756915e-4f);
  p = fma(p, r, splat(1.39819995e-3f));
  p = fma(p, r, splat(8.33345191e-3f));
  p = fma(p, r, splat(4.16657959e-2f));
  p = fma(p, r, splat(1.66666655e-1f));
  p = fma(p, r, splat(0.5f));
  p = fma(p * r, r, r) + splat(1.0f);
  return scale_by_power(p, n);
}

// x = fraction * 2 ** exponent with 1 <= fraction < 2, for positive finite x.
inline void take_apart(F x, F* fraction, F* exponent) {
#if defined(MLXC_AVX512)
  *fraction = _mm512_getmant_ps(x, _MM_MANT_NORM_1_2, _MM_MANT_SIGN_zero);
  *exponent = _mm512_getexp_ps(x);
#else
  typedef std::int32_t Bits __attribute__((vector_size(sizeof(F))));
  F least_normal = splat(0x1p-126f);
  F normal = where_less(x, least_normal, x * splat(0x1p23f), x);
  Bits bits;
  std::memcpy(&bits, &normal, sizeof bits);
  Bits one = (bits & 0x7fffff) | 0x3f800000;
  std::memcpy(fraction, &one, sizeof one);
  auto power = __builtin_convertvector((bits >> 23) - 127, F);
  *exponent = where_less(x, least_normal, power - splat(23.0f), power);
#endif
}

// The natural logarithm to about 1 unit in the last place of float32; infinite and NaN where C's is.
inline F log(F x) {
  F m, e;
  take_apart(x, &m, &e);
  // x = m * 2 ** e with 1 / sqrt(2) <= m < sqrt(2), and log(m) from r = m - 1.
  F root = splat(1.41421356f);
  e = where_less(m, root, e, e + splat(1.0f));
  F r = where_less(m, root, m, m * splat(0.5f)) - splat(1.0f);
  // The coefficients of Cephes' logf.
  F p = splat(7.0376836292e-2f);
  p = fma(p, r, splat(-1.1514610310e-1f));
  p = fma(p, r, splat(1.1676998740e-1f));
  p = fma(p, r, splat(-1.2420140846e-1f));
  p = fma(p, r, splat(1.4249322787e-1f));
  p = fma(p, r, splat(-1.6668057665e-1f));
  p = fma(p, r, splat(2.0000714765e-1f));
  p = fma(p, r, splat(-2.4999993993e-1f));
  p = fma(p, r, splat(3.3333331174e-1f));
  F square = r * r;
  F y = fma(p * r, square, e * splat(-2.12194440e-4f));
  y = fma(e, splat(0.693359375f), r + fma(square, splat(-0.5f), y));
  F zero = splat(0.0f), infinity = splat(std::numeric_limits<float>::infinity());
  F not_positive = where_less(x, zero, splat(std::numeric_limits<float>::quiet_NaN()),
                              where_nan(x, x, zero - infinity));
  return where_less(zero, x, where_less(x, infinity, y, x), not_positive);
}

} // namespace mlxc::cpu::MLXC_ISA
