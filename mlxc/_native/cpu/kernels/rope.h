// Kernels of rotary positions.
#pragma once

#include "../isa.h"
#include "rows.h"
#include "types.h"

#include <cstddef>

namespace mlxc::cpu {

struct Rope {
  // Row r of x stands at position r % positions of the sequence r / rows_per_sequence. For each
  // position there are `dims` cosines and sines, one for each feature that turns: y = x * cosine +
  // partner * sine. So sines have the sign of their place. Features beyond are copied.
  struct Job {
    Rows x;
    void* y; // may lie where x does
    std::size_t rows, features, dims;
    std::size_t positions, rows_per_sequence;
    const float* cosines;
    const float* sines;
    std::size_t sequence_step; // from one sequence's cosines to the next one's; 0: they share them
  };

  void (*neighbours[float_types])(const Job&); // features 2 i and 2 i + 1 are partners
  void (*halves[float_types])(const Job&); // features i and i + dims / 2 are

  MLXC_TABLE(Rope);
};

} // namespace mlxc::cpu
