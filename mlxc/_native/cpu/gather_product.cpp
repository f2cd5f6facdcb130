// Products of matrices chosen by indices, as a primitive: the experts of a mixture.
#include "matrices.h"

#ifndef MLXC_FOREIGN
#include "mlx/ops.h"

namespace mlxc::cpu {
namespace {

using Maybe = std::optional<mx::array>;

// Inputs as those of MLX's GatherMM: matrices, matrices, and the indices of both, of one shape.
class GatherProduct : public Kernel {
 public:
  using Kernel::Kernel;

  DEFINE_NAME(CpuGatherMM)

  std::vector<mx::Shape> output_shapes(const Arrays& inputs) override {
    auto shape = inputs[2].shape();
    shape.insert(shape.end(), {inputs[0].shape(-2), inputs[1].shape(-1)});
    return {shape};
  }

  bool is_equivalent(const Primitive&) const override {
    return true;
  }

  void eval_cpu(const Arrays& inputs, Arrays& outputs) override {
    auto& y = outputs[0];
    allocate(y);
    if (!y.size()) {
      return;
    }
    auto a = with_rows(inputs[0], stream()), b = with_rows_or_columns(inputs[1], stream());
    Product p{
        a.data(), b.data(), nullptr, y.data<void>(),
        static_cast<size_t>(y.shape(-2)), static_cast<size_t>(y.shape(-1)),
        static_cast<size_t>(inputs[0].shape(-1)), a.row, b.row, 0, 1, 0};
    dispatch(
        stream(),
        [kernel = product_kernel(float_of(y.dtype()), b),
         p,
         a_places = places_in(a.held),
         b_places = places_in(b.held),
         left = row_contiguous(inputs[2], stream()).data<uint32_t>(),
         right = row_contiguous(inputs[3], stream()).data<uint32_t>(),
         places = std::vector<Place>(inputs[2].size())]() mutable {
          for (size_t i = 0; i < places.size(); i++) {
            places[i] = {a_places[left[i]], b_places[right[i]], 0};
          }
          kernel(p, places.data(), places.size());
        });
  }

 private:
  static std::vector<std::ptrdiff_t> places_in(const mx::array& matrices) {
    std::vector<std::ptrdiff_t> places(matrices.size() / matrices.shape(-1) / matrices.shape(-2));
    for (size_t i = 0; i < places.size(); i++) {
      places[i] = place_of(matrices, i);
    }
    return places;
  }
};

mx::array gather_mm(
    const mx::array& a, const mx::array& b, const Maybe& left, const Maybe& right, bool sorted,
    mx::Stream s) {
  auto theirs = mx::gather_mm(a, b, left, right, sorted, s);
  auto inputs = theirs.inputs();
  if (theirs.has_primitive() && widens(b, theirs.dtype()) && inputs[1].shape() == b.shape()) {
    inputs[1] = b;
  }
  bool fits = usable(s) && theirs.size() && theirs.has_primitive() && a.size() && b.size() &&
      std::string_view(theirs.primitive().name()) == "GatherMM" && is_float(theirs.dtype()) &&
      !is_for_blas(a.shape(-2), inputs[1], theirs.dtype());
  if (!fits) {
    return theirs;
  }
  auto fallback = [sorted, s](const Arrays& inputs) -> Arrays {
    return {mx::gather_mm(inputs[0], inputs[1], inputs[2], inputs[3], sorted, s)};
  };
  return mx::array(
      theirs.shape(), theirs.dtype(), std::make_shared<GatherProduct>(s, fallback),
      std::move(inputs));
}

} // namespace
} // namespace mlxc::cpu
#endif

extern "C" int mlxc_cpu_gather_mm(
    mlx_array* res,
    const mlx_array a,
    const mlx_array b,
    const mlx_array lhs_indices,
    const mlx_array rhs_indices,
    bool sorted_indices,
    const mlx_stream s)
    MLXC_CPU_BODY(
        mlx_gather_mm(res, a, b, lhs_indices, rhs_indices, sorted_indices, s),
        set(res,
            cpu::gather_mm(
                get(a), get(b), maybe(lhs_indices), maybe(rhs_indices), sorted_indices, get(s))))
