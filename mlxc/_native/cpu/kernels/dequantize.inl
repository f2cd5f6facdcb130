// Rows of quantized matrices as floats. The bytes of a group are widened in registers in AVX-512 and
// AVX2, which also have permutations for the numbers of four bits and conversions of float16 for
// those of eight; elsewhere tables serve.
#include "dequantize.h"
#include "quantized_numbers.h"

namespace mlxc::cpu {
namespace MLXC_ISA {
namespace {

constexpr std::size_t at_once = 64; // groups

template <class S>
void read_as(const void* from, std::size_t at, std::size_t count, float* to) {
  for (std::size_t i = 0; i < count; i++) {
    to[i] = to_float(static_cast<const S*>(from)[at + i]);
  }
}

void read_scales(const void* from, Scale type, std::size_t at, std::size_t count, float* to) {
  switch (type) {
    case Scale::f32:
      return read_as<float>(from, at, count, to);
    case Scale::f16:
      return read_as<f16>(from, at, count, to);
    case Scale::bf16:
      return read_as<bf16>(from, at, count, to);
    default:
      auto* table = type == Scale::e8m0 ? bytes_as_floats.e8m0 : bytes_as_floats.e4m3;
      for (std::size_t i = 0; i < count; i++) {
        to[i] = table[static_cast<const std::uint8_t*>(from)[at + i]];
      }
  }
}

// x, which is not to be contracted with what is added to it.
inline F rounded(F x) {
#if defined(__x86_64__)
  asm("" : "+v"(x));
#elif defined(__aarch64__)
  asm("" : "+w"(x));
#endif
  return x;
}

template <Packing packing, class T>
void unpack_as(
    const QuantizedMatrix& w, std::size_t row, std::size_t begin, std::size_t end, T* to) {
  constexpr int unit = unit_of(packing);
  auto group = static_cast<std::size_t>(w.group);
  std::size_t first = row * (w.length / group), last = first + end / group;
  auto* from = w.packed + (row * w.length + begin) / 8 * bits_of(packing);
  float factors[at_once], offsets[at_once];
  for (std::size_t at = first + begin / group; at < last; at += at_once) {
    std::size_t count = std::min(at_once, last - at);
    read_scales(w.scales, w.scale, at, count, factors);
    if (is_affine(packing)) {
      read_scales(w.biases, w.scale, at, count, offsets);
    }
    for (std::size_t g = 0; g < count; g++) {
      F factor = splat(factors[g]), offset = splat(is_affine(packing) ? offsets[g] : 0);
      for (std::size_t i = 0; i < group; i += unit, from += unit / 8 * bits_of(packing)) {
        F values[unit / W];
        numbers<packing>(from, values);
        MLXC_EACH
        for (F value : values) {
          value = rounded(value * factor);
          store(to, is_affine(packing) ? value + offset : value);
          to += W;
        }
      }
    }
  }
}

template <Packing packing>
void unpack_to(
    const QuantizedMatrix& w, std::size_t row, std::size_t begin, std::size_t end, Float type,
    void* to) {
  switch (type) {
    case Float::f32:
      return unpack_as<packing>(w, row, begin, end, static_cast<float*>(to));
    case Float::f16:
      return unpack_as<packing>(w, row, begin, end, static_cast<f16*>(to));
    case Float::bf16:
      return unpack_as<packing>(w, row, begin, end, static_cast<bf16*>(to));
  }
}

void unpack(
    const QuantizedMatrix& w, std::size_t row, std::size_t begin, std::size_t end, Float type,
    void* to) {
  using To = decltype(&unpack_to<Packing::bits1>);
  static constexpr To by_packing[] = {
      unpack_to<Packing::bits1>, unpack_to<Packing::bits2>, unpack_to<Packing::bits3>,
      unpack_to<Packing::bits4>, unpack_to<Packing::bits5>, unpack_to<Packing::bits6>,
      unpack_to<Packing::bits8>, unpack_to<Packing::mxfp4>, unpack_to<Packing::mxfp8>,
      unpack_to<Packing::nvfp4>};
  by_packing[static_cast<int>(w.packing)](w, row, begin, end, type, to);
}

} // namespace
} // namespace MLXC_ISA

const Dequantize Dequantize::MLXC_ISA = {MLXC_ISA::unpack};

} // namespace mlxc::cpu

MLXC_END_OF_TARGET
