// Softmax over rows, in float32 for every type, so its "precise" form is the only one. Written on
// vectors of float32, so every instruction set has it.
#include "simd.h"

#include "softmax.h"

namespace mlxc::cpu {
namespace MLXC_ISA {
namespace {

constexpr size_t grain(size_t length) {
  return 1 + 4096 / (length + 1);
}

template <class T>
float greatest_of(const T* x, size_t length) {
  constexpr float least_float = -std::numeric_limits<float>::infinity();
  F found[4] = {splat(least_float), splat(least_float), splat(least_float), splat(least_float)};
  size_t i = 0;
  for (; i + 4 * W <= length; i += 4 * W) {
    for (int j = 0; j < 4; j++) {
      found[j] = greatest(load(x + i + j * W), found[j]);
    }
  }
  for (; i + W <= length; i += W) {
    found[0] = greatest(load(x + i), found[0]);
  }
  float last = greatest(greatest(greatest(found[0], found[1]), greatest(found[2], found[3])));
  for (; i < length; i++) {
    last = std::max(last, to_float(x[i]));
  }
  return last;
}

// The sum of use(i, exp(x - offset), n) over the row; what lies beyond it adds nothing.
template <class T, class Use>
float sum_of_exp(const T* x, size_t length, F offset, Use use) {
  F sums[2] = {splat(0), splat(0)};
  size_t i = 0;
  for (; i + 2 * W <= length; i += 2 * W) {
    for (int j = 0; j < 2; j++) {
      F e = exp(load(x + i + j * W) - offset);
      use(i + j * W, e, W);
      sums[j] = sums[j] + e;
    }
  }
  each_vector(length - i, [&](size_t after, int n) {
    F e = exp(load_part(x + i + after, n) - offset);
    use(i + after, e, n);
    sums[0] = sums[0] + (n == W ? e : keep(e, n));
  });
  return sum(sums[0] + sums[1]);
}

template <class T>
void softmax(Rows x, void* y_, size_t rows, size_t length) {
  auto* y = static_cast<T*>(y_);
  parallel_for(rows, grain(length), [=](size_t begin, size_t end) {
    x.each<T>(begin, end, [=](size_t row, const T* from) {
      T* to = y + row * length;
      F offset = splat(greatest_of(from, length));
      if constexpr (std::is_same_v<T, float>) {
        F scale = splat(1.0f / sum_of_exp(from, length, offset, [to](size_t i, F e, int n) {
          store_part(to + i, e, n);
        }));
        each_vector(length, [=](size_t i, int n) {
          store_part(to + i, load_part(to + i, n) * scale, n);
        });
      } else { // computed twice, because a half would round what is still to be scaled
        F scale = splat(1.0f / sum_of_exp(from, length, offset, [](size_t, F, int) {}));
        each_vector(length, [=](size_t i, int n) {
          store_part(to + i, exp(load_part(from + i, n) - offset) * scale, n);
        });
      }
    });
  });
}

template <class T>
void logsumexp(Rows x, void* y_, size_t rows, size_t length) {
  auto* y = static_cast<T*>(y_);
  parallel_for(rows, grain(length), [=](size_t begin, size_t end) {
    x.each<T>(begin, end, [=](size_t row, const T* from) {
      float offset = greatest_of(from, length);
      auto is_nan = [](T value) { return to_float(value) != to_float(value); };
      if (!std::isinf(offset)) {
        float sum = sum_of_exp(from, length, splat(offset), [](size_t, F, int) {});
        offset += std::log(sum);
      } else if (std::any_of(from, from + length, is_nan)) {
        offset = std::numeric_limits<float>::quiet_NaN();
      }
      from_float(offset, y + row);
    });
  });
}

} // namespace
} // namespace MLXC_ISA

const Softmax Softmax::MLXC_ISA = {
    {MLXC_ISA::softmax<float>, MLXC_ISA::softmax<f16>, MLXC_ISA::softmax<bf16>},
    {MLXC_ISA::logsumexp<float>, MLXC_ISA::logsumexp<f16>, MLXC_ISA::logsumexp<bf16>},
};

} // namespace mlxc::cpu

MLXC_END_OF_TARGET
