#include "angles.h"

#include <cmath>

#include "pool.h"

namespace mlxc::cpu {
namespace {

// In float64, so that a float32 is as good for position 1,000,000 as for position 1.
void fill(Angles& made) {
  auto& spec = made.spec;
  auto dims = static_cast<std::size_t>(spec.dims), half = dims / 2;
  std::vector<double> speeds(half);
  for (std::size_t i = 0; i < half; i++) {
    double power = -2.0 * static_cast<double>(i) / spec.dims;
    speeds[i] =
        spec.scale * (spec.freqs.empty() ? std::pow(spec.base, power) : 1.0 / spec.freqs[i]);
  }
  auto rows = spec.offsets.size() * spec.positions;
  made.cosines.resize(rows * dims);
  made.sines.resize(rows * dims);
  std::size_t step = spec.traditional ? 2 : 1, partner = spec.traditional ? 1 : half;
  parallel_for(rows, 16, [&](std::size_t begin, std::size_t end) {
    for (std::size_t row = begin; row < end; row++) {
      auto position = static_cast<double>(spec.offsets[row / spec.positions]) +
          static_cast<double>(row % spec.positions);
      for (std::size_t i = 0; i < half; i++) {
        double angle = position * speeds[i];
        auto cosine = static_cast<float>(std::cos(angle)), sine = static_cast<float>(std::sin(angle));
        std::size_t first = row * dims + i * step, second = first + partner;
        made.cosines[first] = made.cosines[second] = cosine;
        made.sines[first] = -sine;
        made.sines[second] = sine;
      }
    }
  });
}

} // namespace

const Angles& angles(AngleSpec&& spec) {
  thread_local Angles last;
  if (last.spec != spec) {
    last.spec = std::move(spec);
    fill(last);
  }
  return last;
}

} // namespace mlxc::cpu
