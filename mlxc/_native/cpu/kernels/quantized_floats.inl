// Products with quantized matrices whose rows are unpacked to floats. Elements of mxfp8 span 18
// binary places and neighbouring groups of nvfp4 share no scale of 32, so neither has the integers
// that `quantized.inl` adds up exactly. Their numbers are exact in float32; one row of x is
// multiplied as they come out of the packing, many rows by the kernel for float32, with sums in the
// same order: so a row has the same bits however many there are.
#include "dequantize.h"
#include "product.h"
#include "quantized_floats.h"
#include "quantized_numbers.h"
#include "sums.h"

namespace mlxc::cpu {
namespace MLXC_ISA {
namespace {

constexpr std::size_t line = 64;
constexpr std::size_t most_outputs = 96; // of a strip
constexpr std::size_t strip_size = 128 << 10; // floats

std::size_t round_up(std::size_t n, std::size_t to) {
  return (n + to - 1) / to * to;
}

template <class T>
void widen_as(const void* from, std::size_t begin, std::size_t end, float* to) {
  auto* x = static_cast<const T*>(from);
  std::size_t i = begin;
  for (; i + W <= end; i += W) {
    store(to + i, load(x + i));
  }
  for (; i < end; i++) {
    to[i] = to_float(x[i]);
  }
}

// x as float32: where it is, or in `memory`.
const float* widened(const void* x, Float type, std::size_t size, float* memory) {
  if (type == Float::f32) {
    return static_cast<const float*>(x);
  }
  parallel_for(size, 1 << 14, [&](std::size_t begin, std::size_t end) {
    type == Float::f16 ? widen_as<f16>(x, begin, end, memory)
                       : widen_as<bf16>(x, begin, end, memory);
  });
  return memory;
}

template <class T>
void narrow_as(const float* from, std::size_t count, T* to) {
  each_vector(count, [&](std::size_t i, int n) { store_part(to + i, load_part(from + i, n), n); });
}

void store_row(const float* from, std::size_t count, Float type, void* y, std::size_t at) {
  switch (type) {
    case Float::f32:
      return narrow_as(from, count, static_cast<float*>(y) + at);
    case Float::f16:
      return narrow_as(from, count, static_cast<f16*>(y) + at);
    case Float::bf16:
      return narrow_as(from, count, static_cast<bf16*>(y) + at);
  }
}

// Calls body(part, its memory) for parts that share 0 .. pieces, each of which they take by next().
template <class Body>
void share(std::size_t pieces, int threads, char* memory, std::size_t size, const Body& body) {
  struct Work {
    const Body& body;
    std::size_t pieces;
    char* memory;
    std::size_t size;
    std::atomic<std::size_t> next{0};
  } work{body, pieces, memory, size};
  run_parts(
      static_cast<std::size_t>(threads),
      [](void* given, std::size_t part) {
        auto& work = *static_cast<Work*>(given);
        for (std::size_t i;
             (i = work.next.fetch_add(1, std::memory_order_relaxed)) < work.pieces;) {
          work.body(i, reinterpret_cast<float*>(work.memory + part * work.size));
        }
      },
      &work);
}

// --- x w^T ------------------------------------------------------------------------------

// Four rows of the matrix times one x.
template <Packing packing>
void dots(const QuantizedMatrix& w, const std::size_t* rows, const float* x, float* to) {
  constexpr int unit = unit_of(packing);
  constexpr std::size_t group = unit, bytes = unit / 8 * bits_of(packing);
  constexpr std::size_t block = block_bytes / sizeof(float);
  auto& table = packing == Packing::nvfp4 ? bytes_as_floats.e4m3 : bytes_as_floats.e8m0;
  std::size_t groups = w.length / group;
  for (std::size_t begin = 0; begin < w.length; begin += block) {
    std::size_t end = std::min(begin + block, w.length);
    F sums[4];
    MLXC_EACH
    for (int n = 0; n < 4; n++) {
      sums[n] = splat(0);
    }
    for (std::size_t k = begin; k < end; k += unit) {
      MLXC_EACH
      for (int n = 0; n < 4; n++) {
        std::size_t at = rows[n] * groups + k / group;
        F factor = splat(table[static_cast<const std::uint8_t*>(w.scales)[at]]);
        F values[unit / W];
        auto* from = w.packed + at * bytes;
        __builtin_prefetch(from + 1024);
        numbers<packing>(from, values);
        MLXC_EACH
        for (int i = 0; i < unit / W; i++) {
          sums[n] = fma(load(x + k + static_cast<std::size_t>(i) * W), values[i] * factor, sums[n]);
        }
      }
    }
    add_sums(sums[0], sums[1], sums[2], sums[3], to, begin > 0);
  }
}

void one_row(const QuantizedMatrix& w, const float* x, void* y, Float y_type) {
  auto four = w.packing == Packing::nvfp4 ? dots<Packing::nvfp4> : dots<Packing::mxfp8>;
  std::size_t weight = 4 * w.length * static_cast<std::size_t>(bits_of(w.packing)) / 8;
  parallel_for((w.rows + 3) / 4, 1 + (8 << 10) / weight, [&](std::size_t begin, std::size_t end) {
    for (std::size_t row = begin * 4; row < std::min(end * 4, w.rows); row += 4) {
      std::size_t count = std::min(w.rows - row, std::size_t{4}), rows[4];
      for (std::size_t n = 0; n < 4; n++) { // others repeat the last
        rows[n] = row + std::min(n, count - 1);
      }
      float sums[4];
      four(w, rows, x, sums);
      store_row(sums, count, y_type, y, row);
    }
  });
}

// How many rows of a matrix are unpacked at once.
std::size_t outputs_of(std::size_t length) {
  return std::clamp(strip_size / length / 8 * 8, std::size_t{8}, most_outputs);
}

std::size_t size_of_strip(std::size_t count, std::size_t length) {
  return round_up(outputs_of(length) * (length + count) * sizeof(float), line);
}

// x as floats, and strips with their products for each thread.
std::size_t scratch(std::size_t count, std::size_t length, int, int threads) {
  auto strips = count > 1 ? static_cast<std::size_t>(threads) * size_of_strip(count, length) : 0;
  return line + round_up(count * length * sizeof(float), line) + strips;
}

void product(
    const QuantizedMatrix& w, const void* x, Float x_type, void* y, Float y_type,
    std::size_t count, int, int threads, void* scratch) {
  auto* memory = reinterpret_cast<char*>(round_up(reinterpret_cast<std::uintptr_t>(scratch), line));
  auto* rows = widened(x, x_type, count * w.length, reinterpret_cast<float*>(memory));
  if (count == 1) {
    return one_row(w, rows, y, y_type);
  }
  memory += round_up(count * w.length * sizeof(float), line);
  auto length = static_cast<std::ptrdiff_t>(w.length);
  std::size_t most = outputs_of(w.length);
  std::size_t fair = round_up(w.rows / static_cast<std::size_t>(2 * threads) + 1, 8);
  std::size_t outputs = std::min(most, fair);
  auto body = [&](std::size_t i, float* strip) {
    std::size_t row = i * outputs, n = std::min(outputs, w.rows - row);
    float* products = strip + most * w.length;
    for (std::size_t j = 0; j < n; j++) {
      Dequantize::MLXC_ISA.unpack(w, row + j, 0, w.length, Float::f32, strip + j * w.length);
    }
    Product p{rows, strip, nullptr, products, count, n, w.length, length, length, 0, 1, 0};
    Place place{0, 0, 0};
    TransposedProducts::MLXC_ISA.transposed[0](p, &place, 1);
    for (std::size_t m = 0; m < count; m++) {
      store_row(products + m * n, n, y_type, y, m * w.rows + row);
    }
  };
  share((w.rows + outputs - 1) / outputs, threads, memory, size_of_strip(count, w.length), body);
}

// --- x w --------------------------------------------------------------------------------

constexpr std::size_t across_rows = 256, across_columns = 256, fewest_columns = 128;

std::size_t size_of_block(std::size_t count) {
  return round_up((across_rows + count) * across_columns * sizeof(float), line);
}

std::size_t scratch_across(
    std::size_t count, std::size_t rows, std::size_t, int threads) {
  return line + round_up(count * rows * sizeof(float), line) +
      static_cast<std::size_t>(threads) * size_of_block(count);
}

// Blocks of some rows and columns are unpacked and multiplied; those below one another add up.
void product_across(
    const QuantizedMatrix& w, const void* x, Float x_type, void* y, Float y_type,
    std::size_t count, int, int threads, void* scratch) {
  auto* memory = reinterpret_cast<char*>(round_up(reinterpret_cast<std::uintptr_t>(scratch), line));
  auto* rows = widened(x, x_type, count * w.rows, reinterpret_cast<float*>(memory));
  memory += round_up(count * w.rows * sizeof(float), line);
  std::size_t fair = round_up(w.length / static_cast<std::size_t>(2 * threads) + 1, fewest_columns);
  std::size_t columns = std::min(across_columns, fair);
  auto body = [&](std::size_t i, float* block) {
    std::size_t column = i * columns, n = std::min(columns, w.length - column);
    float* products = block + across_rows * across_columns;
    for (std::size_t row = 0; row < w.rows; row += across_rows) {
      std::size_t k = std::min(across_rows, w.rows - row);
      for (std::size_t j = 0; j < k; j++) {
        Dequantize::MLXC_ISA.unpack(w, row + j, column, column + n, Float::f32, block + j * n);
      }
      auto across = static_cast<std::ptrdiff_t>(n);
      Product p{rows + row, block, row ? products : nullptr, products, count, n, k,
                static_cast<std::ptrdiff_t>(w.rows), across, across, 1, 1};
      Place place{0, 0, 0};
      Products::MLXC_ISA.plain[0](p, &place, 1);
    }
    for (std::size_t m = 0; m < count; m++) {
      store_row(products + m * n, n, y_type, y, m * w.length + column);
    }
  };
  share((w.length + columns - 1) / columns, threads, memory, size_of_block(count), body);
}

} // namespace
} // namespace MLXC_ISA

const QuantizedFloats QuantizedFloats::MLXC_ISA = {
    MLXC_ISA::scratch, MLXC_ISA::product, MLXC_ISA::scratch_across, MLXC_ISA::product_across};

} // namespace mlxc::cpu

MLXC_END_OF_TARGET
