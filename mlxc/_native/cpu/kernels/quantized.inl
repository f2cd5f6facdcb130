// Products with quantized matrices: the other operand is written as integers once, and what reads
// the matrix adds up exact products of integers, group after group, so that the number of rows
// changes nothing. AVX-512, where vpdpbusd adds four
// products of bytes, has kernels of its own, because it has the registers and the permutations to
// unpack as it goes; the rest shares loops. Of those AVX2, AVX-VNNI, NEON and NEON with dot products
// each have their way to multiply bytes.
#include "quantized_groups.h"
#include "quantized_x.h"
#if defined(MLXC_AVX512)
#include "quantized_avx512_rows.h"
#else
#include "quantized_loops.h"
#endif

namespace mlxc::cpu {
namespace MLXC_ISA {
namespace {

constexpr std::size_t line = 64;

std::size_t round_up(std::size_t n, std::size_t to) {
  return (n + to - 1) / to * to;
}

// The memory of a strip, after which comes that of the next thread.
struct StripSize {
  std::size_t bytes, groups;
  explicit StripSize(std::size_t length)
      : bytes(length / 32 * 512), groups(round_up(length / 32, block)) {}
  std::size_t total() const {
    return bytes + 2 * groups * strip * sizeof(float);
  }
};

std::size_t size_of_x(std::size_t count, std::size_t length, int bytes) {
  constexpr std::size_t chunks[] = {sizeof(Chunk<1>), sizeof(Chunk<2>), sizeof(Chunk<3>)};
  std::size_t chunk = chunks[bytes - 1];
  return count * ((length + 127) / 128) * chunk;
}

std::size_t strips_of(std::size_t count, std::size_t length, int threads) {
  return count > few_rows ? static_cast<std::size_t>(threads) * StripSize(length).total() : 0;
}

// x as integers, a strip for each thread if there are many rows, and whether each fits integers.
std::size_t scratch(std::size_t count, std::size_t length, int bytes, int threads) {
  return line + size_of_x(count, length, bytes) + strips_of(count, length, threads) + count;
}

void store_as(Float type, void* y, std::size_t at, F value, int count) {
  switch (type) {
    case Float::f32:
      return store(static_cast<float*>(y) + at, value, count);
    case Float::f16:
      return store(static_cast<f16*>(y) + at, value, count);
    default:
      return store(static_cast<bf16*>(y) + at, value, count);
  }
}

// The results of a strip for one row of x.
void store_strip(Float type, void* y, std::size_t at, const float* values, std::size_t count) {
  for (std::size_t i = 0; i < count; i += W) {
    auto n = static_cast<int>(std::min(count - i, std::size_t{W}));
    store_as(type, y, at + i, load(values + i), n);
  }
}

template <Packing packing>
struct Product {
  const QuantizedMatrix& w;
  void* y;
  Float y_type;

  // A few rows of x, for all of which the matrix streams in once.
  template <int Bytes>
  void few(const Chunk<Bytes>* x, std::size_t count) const {
    std::size_t chunks = (w.length + 127) / 128;
    for_strips([&](std::size_t row, std::size_t rows) {
      alignas(64) float values[rows_at_once][strip];
      for (std::size_t m = 0, n; m < count; m += n) {
        n = strip_times_few<packing, Bytes>(
            w, row, rows, x + m * chunks, chunks, count - m, values);
        for (std::size_t i = 0; i < n; i++) {
          store_strip(y_type, y, (m + i) * w.rows + row, values[i], rows);
        }
      }
    });
  }

  // Row m of x, which does not fit integers.
  void row_of_floats(const void* x, Float type, std::size_t m) const {
    for_strips([&](std::size_t row, std::size_t rows) {
      alignas(64) float values[strip];
      strip_times_floats<packing>(w, row, rows, x, type, m * w.length, values);
      store_strip(y_type, y, m * w.rows + row, values, rows);
    });
  }

  // Calls multiply(row, rows) for each strip.
  template <class Multiply>
  void for_strips(const Multiply& multiply) const {
    std::size_t strips = (w.rows + strip - 1) / strip;
    std::size_t weight = w.length * bits_of(packing) / 8 * strip;
    parallel_for(strips, 1 + (16 << 10) / weight, [&](std::size_t begin, std::size_t end) {
      for (std::size_t row = begin * strip; row < std::min(end * strip, w.rows); row += strip) {
        multiply(row, std::min(w.rows - row, std::size_t{strip}));
      }
    });
  }

  // Many: each strip is unpacked once and stays in the cache while all rows pass by.
  template <int Bytes>
  void rows(const Chunk<Bytes>* x, std::size_t count, int threads, char* memory) const {
    struct Work {
      const Product& product;
      const Chunk<Bytes>* x;
      std::size_t count;
      char* memory;
      std::atomic<std::size_t> next{0};
    } work{*this, x, count, memory};
    run_parts(
        static_cast<std::size_t>(threads),
        [](void* given, std::size_t part) {
          auto& work = *static_cast<Work*>(given);
          auto& w = work.product.w;
          StripSize size(w.length);
          auto* bytes = reinterpret_cast<std::uint8_t*>(work.memory + part * size.total());
          auto* factors = reinterpret_cast<float(*)[strip]>(bytes + size.bytes);
          Strip unpacked{bytes, factors, factors + size.groups, w.length / 32};
          for (std::size_t row;
               (row = work.next.fetch_add(strip, std::memory_order_relaxed)) < w.rows;) {
            work.product.template strip_times<Bytes>(unpacked, row, work.x, work.count);
          }
        },
        &work);
  }

  template <int Bytes>
  void strip_times(Strip& unpacked, std::size_t row, const Chunk<Bytes>* x, std::size_t count)
      const {
    std::size_t rows = std::min(w.rows - row, std::size_t{strip});
    unpack_strip<packing>(w, row, rows, unpacked);
    std::size_t chunks = (w.length + 127) / 128;
    alignas(64) float values[most_rows][strip];
    for (std::size_t m = 0; m < count;) {
      std::size_t n = times_some_rows<packing, Bytes>(
          unpacked, x + m * chunks, chunks, count - m, values);
      for (std::size_t i = 0; i < n; i++, m++) {
        store_strip(y_type, y, m * w.rows + row, values[i], rows);
      }
    }
  }
};

template <int Bytes>
void write_rows(
    const QuantizedMatrix& w, const void* x, Float type, std::size_t count, Chunk<Bytes>* to,
    bool* fits) {
  std::size_t chunks = (w.length + 127) / 128;
  int centre = centre_of(w.packing);
  Order order = order_of(w.packing);
  parallel_for(count, 1 + 8192 / w.length, [&](std::size_t begin, std::size_t end) {
    for (std::size_t m = begin; m < end; m++) {
      auto write = [&](auto* rows) {
        fits[m] = write_row<Bytes>(rows + m * w.length, w.length, order, centre, to + m * chunks);
      };
      switch (type) {
        case Float::f32:
          write(static_cast<const float*>(x));
          break;
        case Float::f16:
          write(static_cast<const f16*>(x));
          break;
        default:
          write(static_cast<const bf16*>(x));
      }
    }
  });
}

template <int Bytes>
void product_in(
    const QuantizedMatrix& w, const void* x, Float x_type, void* y, Float y_type,
    std::size_t count, int threads, char* memory) {
  auto* written = reinterpret_cast<Chunk<Bytes>*>(memory);
  memory += size_of_x(count, w.length, Bytes);
  auto* fits = reinterpret_cast<bool*>(memory + strips_of(count, w.length, threads));
  write_rows<Bytes>(w, x, x_type, count, written, fits);
  auto multiply = [&](auto product) {
    count <= few_rows ? product.template few<Bytes>(written, count)
                      : product.template rows<Bytes>(written, count, threads, memory);
    for (std::size_t m = 0; m < count; m++) {
      if (!fits[m]) {
        product.row_of_floats(x, x_type, m);
      }
    }
  };
  switch (w.packing) {
    case Packing::bits1:
      return multiply(Product<Packing::bits1>{w, y, y_type});
    case Packing::bits2:
      return multiply(Product<Packing::bits2>{w, y, y_type});
    case Packing::bits3:
      return multiply(Product<Packing::bits3>{w, y, y_type});
    case Packing::bits4:
      return multiply(Product<Packing::bits4>{w, y, y_type});
    case Packing::bits5:
      return multiply(Product<Packing::bits5>{w, y, y_type});
    case Packing::bits6:
      return multiply(Product<Packing::bits6>{w, y, y_type});
    case Packing::bits8:
      return multiply(Product<Packing::bits8>{w, y, y_type});
    case Packing::mxfp4:
      return multiply(Product<Packing::mxfp4>{w, y, y_type});
    default: // has products of floats
      return;
  }
}

void product(
    const QuantizedMatrix& w, const void* x, Float x_type, void* y, Float y_type,
    std::size_t count, int bytes, int threads, void* scratch) {
  auto address = round_up(reinterpret_cast<std::uintptr_t>(scratch), line);
  auto* memory = reinterpret_cast<char*>(address);
  auto multiply = bytes == 1 ? product_in<1> : bytes == 2 ? product_in<2> : product_in<3>;
  multiply(w, x, x_type, y, y_type, count, threads, memory);
}

} // namespace
} // namespace MLXC_ISA
} // namespace mlxc::cpu

#include "quantized_project.h"

namespace mlxc::cpu {

const Quantized Quantized::MLXC_ISA = {
    MLXC_ISA::scratch, MLXC_ISA::product, MLXC_ISA::projection_scratch, MLXC_ISA::project};

} // namespace mlxc::cpu

MLXC_END_OF_TARGET
