// Several products of one x with quantized matrices in one go, between a norm and what is done with
// the results: nothing but x's integers and the results is written to memory.
#pragma once

#include "maps.h"
#include "norm_row.h"
#include "quantized.h"

namespace mlxc::cpu::MLXC_ISA {
namespace {

constexpr std::size_t floats_per_line = line / sizeof(float);

// Where a projection works.
struct ProjectionMemory {
  std::size_t normalized, x, strips, total; // offsets in bytes
  std::size_t of_strip;

  explicit ProjectionMemory(const Projection& p) {
    std::size_t length = p.w[0].length;
    std::size_t floats = p.normalized ? p.count * length : 0;
    of_strip = StripSize(length).total();
    normalized = 0;
    x = round_up(floats, floats_per_line) * sizeof(float);
    strips = x + size_of_x(p.count, length, p.bytes);
    total = strips + (p.count > few_rows ? static_cast<std::size_t>(2 * p.threads) * of_strip : 0);
    total += p.count + line; // whether each row fits integers
  }
};

std::size_t projection_scratch(const Projection& p) {
  return ProjectionMemory(p).total;
}

F activated(Map activation, F x) {
  switch (activation) {
    case Map::silu:
      return apply<Map::silu>(x);
    case Map::gelu:
      return apply<Map::gelu>(x);
    case Map::gelu_tanh:
      return apply<Map::gelu_tanh>(x);
    default:
      return apply<Map::gelu_sigmoid>(x);
  }
}

template <Packing packing, int Bytes>
class Projector {
 public:
  explicit Projector(const Projection& p) : p(p), size(p), length(p.w[0].length) {
    auto address = round_up(reinterpret_cast<std::uintptr_t>(p.scratch), line);
    memory = reinterpret_cast<char*>(address);
    x = reinterpret_cast<Chunk<Bytes>*>(memory + size.x);
    fits = reinterpret_cast<bool*>(memory + size.total - line - p.count);
    chunks = (length + 127) / 128;
    each = p.gated ? 2 : 1;
    for (int i = 0; i < p.matrices; i++) {
      units += p.gated && i ? 0 : (p.w[i].rows + strip - 1) / strip;
    }
  }

  void run() {
    write_x();
    p.count > few_rows ? rows_of_unpacked() : rows_of_streamed();
    for (std::size_t m = 0; m < p.count; m++) {
      if (!fits[m]) {
        row_of_floats(m);
      }
    }
  }

 private:
  // A strip of rows of one matrix, or of a gate and what it lets through.
  struct Unit {
    int matrix;
    std::size_t row, count;
  };

  Unit unit(std::size_t index) const {
    int matrix = 0;
    for (std::size_t strips; index >= (strips = (p.w[matrix].rows + strip - 1) / strip);) {
      index -= strips;
      matrix++;
    }
    std::size_t row = index * strip;
    return {matrix, row, std::min(p.w[matrix].rows - row, std::size_t{strip})};
  }

  const float* row_of_x(std::size_t m) const {
    auto* rows = p.normalized ? reinterpret_cast<const float*>(memory) : p.x;
    return rows + m * length;
  }

  void write_x() {
    int centre = centre_of(packing);
    parallel_for(p.count, 1 + 8192 / length, [&](std::size_t begin, std::size_t end) {
      for (std::size_t m = begin; m < end; m++) {
        if (p.normalized) {
          auto* to = reinterpret_cast<float*>(memory) + m * length;
          rms_of_row(p.x + m * length, p.norm, to, length, p.eps);
        }
        fits[m] = write_row<Bytes>(row_of_x(m), length, order_of(packing), centre, x + m * chunks);
      }
    });
  }

  // Takes the results of a unit for row m of x.
  void finish(const Unit& u, std::size_t m, const float* values, const float* let_through) const {
    std::size_t at = m * p.w[u.matrix].rows + u.row;
    float* to = p.y[u.matrix] + at;
    each_vector(u.count, [&](std::size_t i, int n) {
      F value = load_part(values + i, n);
      if (p.gated) {
        value = activated(p.activation, value) * load_part(let_through + i, n);
      } else if (p.residual) {
        value = load_part(p.residual + at + i, n) + value;
      }
      store_part(to + i, value, n);
    });
  }

  // The same for n rows from m on, without those that are no integers: y may lie where the residual
  // does.
  void finish(
      const Unit& u, std::size_t m, std::size_t n, const float (*values)[strip],
      const float (*let_through)[strip]) const {
    for (std::size_t i = 0; i < n; i++) {
      if (fits[m + i]) {
        finish(u, m + i, values[i], let_through[i]);
      }
    }
  }

  // Calls multiply(unit) for all, which many threads share.
  template <class Multiply>
  void each_unit(const Multiply& multiply) const {
    std::size_t weight = length * bits_of(packing) / 8 * strip * static_cast<std::size_t>(each);
    parallel_for(units, 1 + (16 << 10) / weight, [&](std::size_t begin, std::size_t end) {
      for (std::size_t i = begin; i < end; i++) {
        multiply(unit(i));
      }
    });
  }

  // The matrices stream in once for a few rows.
  void rows_of_streamed() const {
    each_unit([this](const Unit& u) {
      alignas(64) float values[2][rows_at_once][strip];
      for (std::size_t m = 0, n = 0; m < p.count; m += n) {
        for (int i = 0; i < each; i++) {
          n = strip_times_few<packing, Bytes>(
              p.w[u.matrix + i], u.row, u.count, x + m * chunks, chunks, p.count - m, values[i]);
        }
        finish(u, m, n, values[0], values[1]);
      }
    });
  }

  void row_of_floats(std::size_t m) const {
    each_unit([=, this](const Unit& u) {
      alignas(64) float values[2][strip];
      for (int i = 0; i < each; i++) {
        strip_times_floats<packing>(
            p.w[u.matrix + i], u.row, u.count, row_of_x(m), Float::f32, 0, values[i]);
      }
      finish(u, m, values[0], values[1]);
    });
  }

  // Each strip is unpacked once and stays in the cache while all rows pass by.
  void rows_of_unpacked() {
    run_parts(
        static_cast<std::size_t>(p.threads),
        [](void* given, std::size_t part) {
          auto& self = *static_cast<Projector*>(given);
          for (std::size_t i; (i = self.next.fetch_add(1, std::memory_order_relaxed)) < self.units;) {
            self.unit_times_rows(self.unit(i), part);
          }
        },
        this);
  }

  Strip strip_memory(std::size_t index) const {
    StripSize of(length);
    auto* bytes = reinterpret_cast<std::uint8_t*>(memory + size.strips + index * size.of_strip);
    auto* factors = reinterpret_cast<float(*)[strip]>(bytes + of.bytes);
    return {bytes, factors, factors + of.groups, length / 32};
  }

  void unit_times_rows(const Unit& u, std::size_t part) const {
    Strip strips[2] = {strip_memory(2 * part), strip_memory(2 * part + 1)};
    for (int i = 0; i < each; i++) {
      unpack_strip<packing>(p.w[u.matrix + i], u.row, u.count, strips[i]);
    }
    alignas(64) float values[2][most_rows][strip];
    for (std::size_t m = 0, n = 0; m < p.count; m += n) {
      for (int i = 0; i < each; i++) {
        n = times_some_rows<packing, Bytes>(
            strips[i], x + m * chunks, chunks, p.count - m, values[i]);
      }
      finish(u, m, n, values[0], values[1]);
    }
  }

  const Projection& p;
  ProjectionMemory size;
  std::size_t length, chunks, units = 0;
  int each; // matrices of a unit
  char* memory;
  Chunk<Bytes>* x;
  bool* fits;
  std::atomic<std::size_t> next{0};
};

template <Packing packing>
void project_packed(const Projection& p) {
  switch (p.bytes) {
    case 1:
      return Projector<packing, 1>(p).run();
    case 2:
      return Projector<packing, 2>(p).run();
    default:
      return Projector<packing, 3>(p).run();
  }
}

void project(const Projection& p) {
  switch (p.w[0].packing) {
    case Packing::bits1:
      return project_packed<Packing::bits1>(p);
    case Packing::bits2:
      return project_packed<Packing::bits2>(p);
    case Packing::bits3:
      return project_packed<Packing::bits3>(p);
    case Packing::bits4:
      return project_packed<Packing::bits4>(p);
    case Packing::bits5:
      return project_packed<Packing::bits5>(p);
    case Packing::bits6:
      return project_packed<Packing::bits6>(p);
    case Packing::bits8:
      return project_packed<Packing::bits8>(p);
    case Packing::mxfp4:
      return project_packed<Packing::mxfp4>(p);
    default: // blocks have none of the others
      return;
  }
}

} // namespace
} // namespace mlxc::cpu::MLXC_ISA
