// Cosines and sines of rotary positions.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace mlxc::cpu {

// What the angles of a call depend on: pair i turns by scale * position / period i, where period
// i is freqs[i], or base ** (2 * i / dims) where there are none.
struct AngleSpec {
  int dims;
  bool traditional; // partners are neighbours, else halves
  double base, scale;
  std::vector<float> freqs;
  std::vector<std::int64_t> offsets; // of each sequence
  std::size_t positions;

  bool operator==(const AngleSpec&) const = default;
};

// A table of `dims` cosines and sines for each position of each sequence; the first partner of a
// pair has minus the sine.
struct Angles {
  AngleSpec spec{};
  std::vector<float> cosines, sines;
};

// Those of the last call in this thread if they are the same, as they are for all layers of a
// model, else new ones; they last until the next call.
const Angles& angles(AngleSpec&& spec);

} // namespace mlxc::cpu
