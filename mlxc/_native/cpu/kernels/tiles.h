// What both forms of matrix products share: the result is cut into tiles, which are summed up in
// float32 and then written. To be included behind simd.h.
#pragma once

#include "../scratch.h"
#include "product.h"

namespace mlxc::cpu::MLXC_ISA {
namespace {

// A tile: rows m to m_end, columns n to n_end of product `batch`.
struct Tile {
  size_t batch, m, m_end, n, n_end;
};

// Calls body(tile) for all tiles of at most `rows` x `columns`. Neighbours in a thread share their
// part of b.
template <class Body>
void each_tile(const Product& p, size_t batches, size_t rows, size_t columns, Body&& body) {
  size_t down = (p.m + rows - 1) / rows, across = (p.n + columns - 1) / columns;
  size_t work = std::min(rows, p.m) * std::min(columns, p.n) * (p.k + 16);
  parallel_for(batches * down * across, 1 + 50000 / (work + 1), [&](size_t begin, size_t end) {
    for (size_t i = begin; i < end; i++) {
      size_t m = i % down * rows, n = i / down % across * columns;
      body(Tile{
          i / down / across, m, std::min(m + rows, p.m), n, std::min(n + columns, p.n)});
    }
  });
}

// Rows of a tile: a multiple of `unit` that cuts all into equal parts, few enough to occupy all
// threads as long as they are many.
inline size_t rows_of(const Product& p, size_t batches, size_t unit, size_t most, size_t columns) {
  constexpr size_t many = 96;
  size_t across = batches * ((p.n + columns - 1) / columns), parts = (p.m + most - 1) / most;
  while (p.m / parts > many && parts * across < 2 * static_cast<size_t>(threads())) {
    parts *= 2;
  }
  return ((p.m + parts - 1) / parts + unit - 1) / unit * unit;
}

// Columns of a tile: few enough to occupy all threads.
inline size_t columns_of(const Product& p, size_t batches, size_t rows, size_t least, size_t most) {
  size_t others = batches * ((p.m + rows - 1) / rows), wanted = 2 * static_cast<size_t>(threads());
  size_t columns = most;
  while (columns > least && others * ((p.n + columns - 1) / columns) < wanted) {
    columns = (columns / 2 + least - 1) / least * least;
  }
  return columns;
}

// Writes a tile from its sums, which lie `stride` apart from row to row.
template <class T>
void write(const Product& p, const Place& place, const Tile& t, const float* sums, size_t stride) {
  size_t length = t.n_end - t.n;
  for (size_t m = t.m; m < t.m_end; m++, sums += stride) {
    T* y = static_cast<T*>(p.y) + (t.batch * p.m + m) * p.n + t.n;
    const T* c = p.c ? static_cast<const T*>(p.c) + place.c +
            static_cast<std::ptrdiff_t>(m) * p.c_row + static_cast<std::ptrdiff_t>(t.n)
                     : nullptr;
    F alpha = splat(p.alpha), beta = splat(p.beta);
    size_t i = 0;
    for (; i + W <= length; i += W) {
      F value = load(sums + i) * alpha;
      store(y + i, c ? fma(beta, load(c + i), value) : value);
    }
    if (int rest = static_cast<int>(length - i)) {
      F value = load(sums + i, rest) * alpha;
      store(y + i, c ? fma(beta, load(c + i, rest), value) : value, rest);
    }
  }
}

} // namespace
} // namespace mlxc::cpu::MLXC_ISA
