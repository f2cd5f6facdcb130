// The other operand of a product with a quantized matrix, written as integers.
//
// Each group of 32 elements has a scale. One byte: the greatest element becomes 127 or -127. Two
// bytes: 32512 or -32512, the greatest of which both digits are signed bytes. Three bytes: the scale is a power of two and the greatest element fills 23 bits, so that what is lost
// is at most half a unit in the last place of a float32 of that size, or one for the greatest
// fractions. The digits are signed, to the base 256: bytes of a dot product.
#pragma once

#include "quantized.h"
#include "simd.h"

namespace mlxc::cpu::MLXC_ISA {

// 128 elements: four groups. The bytes of a group lie apart in two halves a and b of 16, in the
// order in which the elements of a packed matrix come out of it.
template <int Bytes>
struct alignas(64) Chunk {
  std::int8_t digits[Bytes][2][64]; // lowest first
  // What is added to dot products: minus the centre of the packing times the sum of the digits, in
  // all four places of a group. For three bytes of the lowest two, then of the highest.
  std::int32_t start[Bytes == 3 ? 2 : 1][16];
  alignas(16) float scale[4];
  alignas(16) float sum[4]; // of the elements, as written
};

// 32 elements of three bytes, below 2 ** 23 by the margin of their scale, times integers of at most
// this size about their centre: a sum that fits 32 bits, which it may wrap around on the way.
constexpr int most_centre_of_word = 8;

// Even elements of a group in half a, odd ones in b; or the first 16 in a and the last in b.
enum class Order { even_odd, halves };

struct Numbers {
  float to_integer, scale;
  bool fits;
};

inline float power_of_two(int n) {
  std::int32_t bits = (n + 127) << 23;
  float value;
  std::memcpy(&value, &bits, 4);
  return value;
}

template <int Bytes>
Numbers numbers(float greatest) {
  if (!(greatest <= 1e34f)) { // beyond, sums over a group may be infinite
    return {0, 0, false};
  }
  if constexpr (Bytes == 1) {
    return {greatest > 1e-36f ? 127.0f / greatest : 0, greatest / 127.0f, true};
  } else if constexpr (Bytes == 2) {
    return {greatest > 1e-33f ? 32512.0f / greatest : 0, greatest / 32512.0f, true};
  }
  // The highest digit is below 127: hence the margin. Below 2 ** -103 the scale would be subnormal.
  std::int32_t bits;
  float margin = greatest * (1 + 0x1p-7f);
  std::memcpy(&bits, &margin, 4);
  int exponent = std::max((bits >> 23) - 126, -103);
  return {power_of_two(23 - exponent), power_of_two(exponent - 23), true};
}

#if defined(MLXC_AVX512)

inline void split(Order order, __m128i first, __m128i last, std::int8_t* a, std::int8_t* b) {
  if (order == Order::even_odd) {
    auto both = _mm256_set_m128i(last, first);
    first = _mm256_cvtepi16_epi8(both);
    last = _mm256_cvtepi16_epi8(_mm256_srli_epi16(both, 8));
  }
  _mm_store_si128(reinterpret_cast<__m128i*>(a), first);
  _mm_store_si128(reinterpret_cast<__m128i*>(b), last);
}

#else

typedef std::int32_t Int __attribute__((vector_size(sizeof(F))));

inline Int nearest(F x) {
#if defined(MLXC_AVX2)
  return reinterpret_cast<Int>(_mm256_cvtps_epi32(x));
#elif defined(MLXC_NEON)
  return vcvtnq_s32_f32(x);
#else
  Int integers;
  for (int i = 0; i < W; i++) {
    integers[i] = static_cast<std::int32_t>(std::lrint(x[i]));
  }
  return integers;
#endif
}

// The lowest bytes of 32 integers.
inline void write_bytes(const Int* from, Order order, std::int8_t* a, std::int8_t* b) {
  typedef std::int8_t Some __attribute__((vector_size(W)));
  typedef std::int16_t Pairs __attribute__((vector_size(32)));
  typedef std::int8_t Half __attribute__((vector_size(16)));
  alignas(32) std::int8_t bytes[32];
  MLXC_UNROLL
  for (int v = 0; v < 32 / W; v++) {
    Some some = __builtin_convertvector(from[v], Some);
    std::memcpy(bytes + v * W, &some, W);
  }
  if (order == Order::even_odd) {
    Pairs pairs;
    std::memcpy(&pairs, bytes, 32);
    Half even = __builtin_convertvector(pairs, Half), odd = __builtin_convertvector(pairs >> 8, Half);
    std::memcpy(a, &even, 16);
    std::memcpy(b, &odd, 16);
  } else {
    std::memcpy(a, bytes, 16);
    std::memcpy(b, bytes + 16, 16);
  }
}

#endif

// Writes group `g` of a chunk; x has 32 elements.
template <int Bytes, class T>
bool write_group(const T* x, Order order, int centre, Chunk<Bytes>& to, int g) {
  std::int32_t total, high;
  Numbers n;
#if defined(MLXC_AVX512)
  F first = load(x), last = load(x + 16);
  F size = _mm512_max_ps(_mm512_abs_ps(first), _mm512_abs_ps(last));
  // The greatest as integers: what is no number is greater than all numbers.
  std::int32_t bits = _mm512_reduce_max_epi32(_mm512_castps_si512(size));
  // max_ps drops a NaN in its first operand.
  bool unordered = _mm512_cmp_ps_mask(first, last, _CMP_UNORD_Q);
  float greatest;
  std::memcpy(&greatest, &bits, 4);
  n = numbers<Bytes>(unordered ? std::numeric_limits<float>::infinity() : greatest);
  I i = _mm512_cvtps_epi32(first * splat(n.to_integer));
  I j = _mm512_cvtps_epi32(last * splat(n.to_integer));
  total = _mm512_reduce_add_epi32(_mm512_add_epi32(i, j));
  for (int digit = 0;; digit++) {
    split(order, _mm512_cvtepi32_epi8(i), _mm512_cvtepi32_epi8(j), to.digits[digit][0] + 16 * g,
        to.digits[digit][1] + 16 * g);
    if (digit == Bytes - 1) {
      break;
    }
    i = _mm512_srai_epi32(_mm512_add_epi32(i, _mm512_set1_epi32(128)), 8);
    j = _mm512_srai_epi32(_mm512_add_epi32(j, _mm512_set1_epi32(128)), 8);
  }
  // About a centre that small, the sum of a group fits one word.
  bool split = Bytes == 3 && centre > most_centre_of_word;
  high = split ? _mm512_reduce_add_epi32(_mm512_add_epi32(i, j)) : 0;
#else
  constexpr int count = 32 / W;
  F values[count];
  Int sizes{};
  MLXC_UNROLL
  for (int v = 0; v < count; v++) {
    values[v] = load(x + v * W);
    Int size;
    std::memcpy(&size, &values[v], sizeof size);
    size &= 0x7fffffff;
    sizes = size > sizes ? size : sizes; // what is no number is greater than all numbers
  }
  std::int32_t bits = 0;
  for (int i = 0; i < W; i++) {
    bits = std::max(bits, sizes[i]);
  }
  float greatest;
  std::memcpy(&greatest, &bits, 4);
  n = numbers<Bytes>(greatest);
  Int integers[count], sum{}, highest{};
  MLXC_UNROLL
  for (int v = 0; v < count; v++) {
    integers[v] = n.fits ? nearest(values[v] * splat(n.to_integer)) : Int{};
    sum += integers[v];
  }
  for (int digit = 0; digit < Bytes; digit++) {
    write_bytes(integers, order, to.digits[digit][0] + 16 * g, to.digits[digit][1] + 16 * g);
    MLXC_UNROLL
    for (Int& i : integers) {
      highest += Bytes == 3 && digit == Bytes - 1 ? i : Int{};
      i = (i + 128) >> 8;
    }
  }
  total = 0, high = 0;
  for (int i = 0; i < W; i++) {
    total += sum[i];
    high += highest[i];
  }
#endif
  std::fill_n(to.start[0] + 4 * g, 4, -centre * (total - high * 65536));
  if constexpr (Bytes == 3) {
    std::fill_n(to.start[1] + 4 * g, 4, -centre * high);
  }
  to.scale[g] = n.scale;
  to.sum[g] = static_cast<float>(total) * n.scale;
  return n.fits;
}

// Writes a row of `length` elements, a multiple of 32; false if some of them have no
// integers, because they are huge, infinite or no numbers.
template <int Bytes, class T>
bool write_row(const T* x, std::size_t length, Order order, int centre, Chunk<Bytes>* to) {
  bool fits = true;
  for (; length; to++) {
    for (int g = 0; g < 4; g++) {
      if (length) {
        fits &= write_group(x, order, centre, *to, g);
        x += 32;
        length -= 32;
      } else {
        for (int digit = 0; digit < Bytes; digit++) {
          std::memset(to->digits[digit][0] + 16 * g, 0, 16);
          std::memset(to->digits[digit][1] + 16 * g, 0, 16);
        }
        for (auto& start : to->start) {
          std::fill_n(start + 4 * g, 4, 0);
        }
        to->scale[g] = to->sum[g] = 0;
      }
    }
  }
  return fits;
}

} // namespace mlxc::cpu::MLXC_ISA
