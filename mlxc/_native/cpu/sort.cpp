// Sorting of long rows as a primitive. MLX compares; rows of scores, whose keys have 32 bits, are
// ordered in three passes over their digits instead. There is nothing in it for vectors.
#include "primitive.h"

#ifndef MLXC_FOREIGN
#include <array>
#include <cstring>

#include "kernels/rows.h"
#include "mlx/ops.h"

namespace mlxc::cpu {
namespace {

constexpr int digit_bits = 11, digits = 3; // of the lowest one first
constexpr int shortest = 512; // below it MLX's own is faster

struct Item {
  uint32_t key, place;
};

// Ordered like x: zeros are equal, and NaNs come last.
uint32_t key_of(float x) {
  if (x != x) {
    return ~uint32_t{0};
  }
  x += 0.0f; // makes -0 one of them
  uint32_t bits;
  std::memcpy(&bits, &x, 4);
  return bits & 0x80000000 ? ~bits : bits | 0x80000000;
}

float widened(float x) {
  return x;
}

float widened(bf16 x) {
  uint32_t bits = uint32_t{x.bits} << 16;
  float value;
  std::memcpy(&value, &bits, 4);
  return value;
}

float widened(f16 x) {
  mx::float16_t half;
  std::memcpy(&half, &x, 2);
  return static_cast<float>(half);
}

template <class T>
void argsort_row(const T* x, uint32_t* y, Item* items, Item* spare, size_t length) {
  constexpr size_t values = size_t{1} << digit_bits;
  std::array<std::array<uint32_t, values>, digits> counts{};
  auto digit = [](uint32_t key, int d) { return key >> (d * digit_bits) & (values - 1); };
  for (size_t i = 0; i < length; i++) {
    uint32_t key = key_of(widened(x[i]));
    items[i] = {key, static_cast<uint32_t>(i)};
    for (int d = 0; d < digits; d++) {
      counts[d][digit(key, d)]++;
    }
  }
  for (int d = 0; d < digits; d++) {
    if (counts[d][digit(items[0].key, d)] == length) {
      continue; // all alike, as the low digits of half types are
    }
    uint32_t start = 0;
    for (auto& count : counts[d]) {
      start += std::exchange(count, start);
    }
    for (size_t i = 0; i < length; i++) {
      spare[counts[d][digit(items[i].key, d)]++] = items[i];
    }
    std::swap(items, spare);
  }
  for (size_t i = 0; i < length; i++) {
    y[i] = items[i].place;
  }
}

template <class T>
void argsort_rows(Rows x, uint32_t* y, Item* items, size_t rows, size_t length) {
  x.each<T>(0, rows, [=](size_t row, const T* from) {
    argsort_row(from, y + row * length, items, items + length, length);
  });
}

class ArgSort : public Kernel {
 public:
  using Kernel::Kernel;

  DEFINE_NAME(CpuArgSort)

  bool is_equivalent(const Primitive&) const override {
    return true;
  }

  std::vector<mx::Shape> output_shapes(const Arrays& inputs) override {
    return {inputs[0].shape()};
  }

  void eval_cpu(const Arrays& inputs, Arrays& outputs) override {
    auto& x = inputs[0];
    auto& y = outputs[0];
    allocate(y);
    if (!y.size()) {
      return;
    }
    mx::array items({2, x.shape(-1)}, mx::uint64, nullptr, {});
    allocate(items);
    mx::cpu::get_command_encoder(stream()).add_temporary(items);
    auto length = static_cast<size_t>(x.shape(-1));
    dispatch(
        stream(),
        [type = float_of(x.dtype()),
         x = rows_of(x, stream()),
         y = y.data<uint32_t>(),
         items = items.data<Item>(),
         rows = x.size() / length,
         length] {
          switch (type) {
            case Float::f32:
              return argsort_rows<float>(x, y, items, rows, length);
            case Float::f16:
              return argsort_rows<f16>(x, y, items, rows, length);
            case Float::bf16:
              return argsort_rows<bf16>(x, y, items, rows, length);
          }
        });
  }
};

bool fits(const mx::array& a, int axis, mx::Stream s) {
  int last = static_cast<int>(a.ndim()) - 1;
  return usable(s) && last >= 0 && (axis == last || axis == -1) && is_float(a.dtype()) &&
      a.shape(last) >= shortest;
}

mx::array argsort(const mx::array& a, int axis, mx::Stream s) {
  if (!fits(a, axis, s)) {
    return mx::argsort(a, axis, s);
  }
  auto theirs = [s](const Arrays& inputs) -> Arrays { return {mx::argsort(inputs[0], -1, s)}; };
  return mx::array(a.shape(), mx::uint32, std::make_shared<ArgSort>(s, theirs), {a});
}

// What is sorted is partitioned too, and sooner than MLX partitions it.
mx::array argpartition(const mx::array& a, int kth, int axis, mx::Stream s) {
  bool inside = fits(a, axis, s) && kth >= -a.shape(-1) && kth < a.shape(-1);
  return inside ? argsort(a, axis, s) : mx::argpartition(a, kth, axis, s);
}

} // namespace
} // namespace mlxc::cpu
#endif

extern "C" int mlxc_cpu_argsort_axis(
    mlx_array* res, const mlx_array a, int axis, const mlx_stream s)
    MLXC_CPU_BODY(
        mlx_argsort_axis(res, a, axis, s), set(res, cpu::argsort(get(a), axis, get(s))))

extern "C" int mlxc_cpu_argpartition_axis(
    mlx_array* res, const mlx_array a, int kth, int axis, const mlx_stream s)
    MLXC_CPU_BODY(
        mlx_argpartition_axis(res, a, kth, axis, s),
        set(res, cpu::argpartition(get(a), kth, axis, get(s))))
