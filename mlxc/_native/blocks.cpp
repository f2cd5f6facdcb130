// Blocks of GGUF's quantized types as MLX's affine triples, or as float32.
//
// A block is 32 elements of a row: a float16 scale (Q4_1: and offset), then the codes. In 16 bytes
// of 4-bit codes the low halves are elements 0 to 15, the high ones 16 to 31; MLX packs neighbours.
#include "mlxc.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <new>
#include <utility>
#include <vector>

#include "cpu/pool.h"

#ifndef MLXC_FOREIGN
#include "handle.h"
#include "slab.h"
#endif

namespace {

enum Kind { Q4_0, Q4_1, Q8_0 };

constexpr size_t GROUP = 32;
constexpr size_t CODES_AT[] = {2, 4, 2};
constexpr size_t BLOCK_BYTES[] = {18, 20, 34};
constexpr size_t GRAIN = 4096; // blocks that are worth a thread

// Memory that becomes an array once it is filled, without a copy where the interface allows.
class Memory {
 public:
#ifdef MLXC_FOREIGN
  explicit Memory(size_t bytes) : data_(std::malloc(std::max<size_t>(bytes, 1))) {
    if (!data_) {
      throw std::bad_alloc();
    }
  }

  ~Memory() {
    std::free(data_);
  }

  Memory(const Memory&) = delete;

  template <class T>
  T* data() {
    return static_cast<T*>(data_);
  }

  mlx_array array(const std::vector<int>& shape, mlx_dtype dtype) {
    void* data = std::exchange(data_, nullptr);
    return mlx_array_new_data_managed(data, shape.data(), shape.size(), dtype, std::free);
  }

 private:
  void* data_;
#else
  explicit Memory(size_t bytes) : data_(mlxc::weight_memory(bytes)) {}

  template <class T>
  T* data() {
    auto buffer = data_.buffer();
    return static_cast<T*>(buffer.raw_ptr());
  }

  mlx_array array(const std::vector<int>& shape, mlx_dtype dtype) {
    mlx::core::Shape lengths(shape.begin(), shape.end());
    return mlxc::make<mlx_array>(
        mlx::core::array(std::move(data_), std::move(lengths), mlxc::dtype(dtype)));
  }

 private:
  mlx::core::allocator::Data data_;
#endif
};

uint16_t half_at(const uint8_t* bytes) {
  uint16_t half;
  std::memcpy(&half, bytes, sizeof half);
  return half;
}

float widened(uint16_t half) {
  uint32_t sign = static_cast<uint32_t>(half & 0x8000) << 16;
  uint32_t magnitude = half & 0x7fff;
  if (magnitude < 0x400) {
    float value = static_cast<float>(magnitude) * 0x1p-24f;
    return sign ? -value : value;
  }
  uint32_t rebias = magnitude < 0x7c00 ? 112u << 23 : 224u << 23;
  return std::bit_cast<float>(sign | ((magnitude << 13) + rebias));
}

// The float16 of -(half << doublings), which is exact; false where it overflows.
bool negated_multiple(uint16_t half, int doublings, uint16_t& result) {
  uint32_t magnitude = half & 0x7fff;
  bool is_nan = magnitude > 0x7c00;
  for (int i = 0; i < doublings && magnitude && !is_nan; i++) {
    magnitude += magnitude < 0x400 ? magnitude : 0x400;
  }
  result = static_cast<uint16_t>((~half & 0x8000) | (magnitude & 0x7fff));
  return magnitude < 0x7c00 || is_nan;
}

constexpr int DOUBLINGS[] = {3, 0, 7}; // biases are -8 and -128 scales

// Of eight bytes below 16, each two neighbours in one byte.
uint32_t pair_up(uint64_t codes) {
  codes = (codes | codes >> 4) & 0x00ff00ff00ff00ff;
  codes = (codes | codes >> 8) & 0x0000ffff0000ffff;
  return static_cast<uint32_t>(codes | codes >> 16);
}

void pack_halves(const uint8_t* codes, uint8_t* packed) {
  constexpr uint64_t LOW = 0x0f0f0f0f0f0f0f0f;
  uint64_t halves[2];
  std::memcpy(halves, codes, sizeof halves);
  uint32_t words[4] = {
      pair_up(halves[0] & LOW),
      pair_up(halves[1] & LOW),
      pair_up(halves[0] >> 4 & LOW),
      pair_up(halves[1] >> 4 & LOW),
  };
  std::memcpy(packed, words, sizeof words);
}

// False where a bias does not fit float16.
template <Kind KIND>
bool to_affine(
    const uint8_t* block,
    size_t count,
    uint8_t* codes,
    uint16_t* scales,
    uint16_t* biases) {
  bool fits = true;
  for (size_t i = 0; i < count; i++, block += BLOCK_BYTES[KIND]) {
    const uint8_t* stored = block + CODES_AT[KIND];
    scales[i] = half_at(block);
    if constexpr (KIND == Q4_1) {
      biases[i] = half_at(block + 2);
    } else {
      fits &= negated_multiple(scales[i], DOUBLINGS[KIND], biases[i]);
    }
    if constexpr (KIND == Q8_0) {
      for (size_t j = 0; j < GROUP; j++) {
        codes[i * GROUP + j] = stored[j] ^ 0x80;
      }
    } else {
      pack_halves(stored, codes + i * GROUP / 2);
    }
  }
  return fits;
}

template <Kind KIND>
void to_float(const uint8_t* block, size_t count, float* values) {
  for (size_t i = 0; i < count; i++, block += BLOCK_BYTES[KIND], values += GROUP) {
    const uint8_t* stored = block + CODES_AT[KIND];
    float scale = widened(half_at(block));
    if constexpr (KIND == Q8_0) {
      for (size_t j = 0; j < GROUP; j++) {
        values[j] = scale * static_cast<int8_t>(stored[j]);
      }
    } else {
      float bias = KIND == Q4_1 ? widened(half_at(block + 2)) : -8 * scale;
      for (size_t j = 0; j < GROUP / 2; j++) {
        values[j] = scale * static_cast<float>(stored[j] & 15) + bias;
        values[j + GROUP / 2] = scale * static_cast<float>(stored[j] >> 4) + bias;
      }
    }
  }
}

using ToAffine = bool (*)(const uint8_t*, size_t, uint8_t*, uint16_t*, uint16_t*);
using ToFloat = void (*)(const uint8_t*, size_t, float*);
constexpr ToAffine TO_AFFINE[] = {to_affine<Q4_0>, to_affine<Q4_1>, to_affine<Q8_0>};
constexpr ToFloat TO_FLOAT[] = {to_float<Q4_0>, to_float<Q4_1>, to_float<Q8_0>};

struct Blocks {
  const uint8_t* data;
  size_t count;
  std::vector<int> shape;

  Blocks(const void* blocks, const int* lengths, int dim)
      : data(static_cast<const uint8_t*>(blocks)), count(1), shape(lengths, lengths + dim) {
    for (int length : shape) {
      count *= length;
    }
    count /= GROUP;
  }

  // The shape of what has one element for `group` elements.
  std::vector<int> per(int group) const {
    auto result = shape;
    result.back() /= group;
    return result;
  }
};

std::array<mlx_array, 3> affine(int kind, const Blocks& blocks) {
  size_t code_bytes = kind == Q8_0 ? GROUP : GROUP / 2;
  Memory weight(blocks.count * code_bytes);
  Memory scales(blocks.count * sizeof(uint16_t));
  Memory biases(blocks.count * sizeof(uint16_t));
  std::atomic<bool> fits{true};
  mlxc::cpu::parallel_for(blocks.count, GRAIN, [&](size_t begin, size_t end) {
    if (!TO_AFFINE[kind](
            blocks.data + begin * BLOCK_BYTES[kind],
            end - begin,
            weight.data<uint8_t>() + begin * code_bytes,
            scales.data<uint16_t>() + begin,
            biases.data<uint16_t>() + begin)) {
      fits = false;
    }
  });
  auto packed = weight.array(blocks.per(kind == Q8_0 ? 4 : 8), MLX_UINT32);
  if (fits) {
    return {
        packed,
        scales.array(blocks.per(GROUP), MLX_FLOAT16),
        biases.array(blocks.per(GROUP), MLX_FLOAT16)};
  }
  Memory wide_scales(blocks.count * sizeof(float));
  Memory wide_biases(blocks.count * sizeof(float));
  for (size_t i = 0; i < blocks.count; i++) {
    float scale = widened(half_at(blocks.data + i * BLOCK_BYTES[kind]));
    wide_scales.data<float>()[i] = scale;
    wide_biases.data<float>()[i] = scale * static_cast<float>(-(1 << DOUBLINGS[kind]));
  }
  return {
      packed,
      wide_scales.array(blocks.per(GROUP), MLX_FLOAT32),
      wide_biases.array(blocks.per(GROUP), MLX_FLOAT32)};
}

mlx_array floats(int kind, const Blocks& blocks) {
  Memory values(blocks.count * GROUP * sizeof(float));
  mlxc::cpu::parallel_for(blocks.count, GRAIN, [&](size_t begin, size_t end) {
    TO_FLOAT[kind](
        blocks.data + begin * BLOCK_BYTES[kind],
        end - begin,
        values.data<float>() + begin * GROUP);
  });
  return values.array(blocks.shape, MLX_FLOAT32);
}

#ifdef MLXC_FOREIGN
int report() {
  mlx_error("[to_affine] there is too little memory");
  return 1;
}
#else
int report() {
  return mlxc::fail();
}
#endif

} // namespace

extern "C" int mlxc_affine_blocks(
    mlx_array* results,
    int kind,
    const void* blocks,
    const int* shape,
    int dim) {
  try {
    auto triple = affine(kind, Blocks(blocks, shape, dim));
    std::copy(triple.begin(), triple.end(), results);
    return 0;
  } catch (...) {
    return report();
  }
}

extern "C" int mlxc_float_blocks(
    mlx_array* res,
    int kind,
    const void* blocks,
    const int* shape,
    int dim) {
  try {
    *res = floats(kind, Blocks(blocks, shape, dim));
    return 0;
  } catch (...) {
    return report();
  }
}
