// Matrix products as primitives.
#include "matrices.h"

#ifndef MLXC_FOREIGN
#include "mlx/ops.h"

namespace mlxc::cpu {
namespace {

using Maybe = std::optional<mx::array>;

mx::array product(mx::array a, mx::array b, Maybe c, float alpha, float beta, mx::Stream s);

class MatrixProduct : public Kernel {
 public:
  MatrixProduct(mx::Stream stream, Fallback fallback, float alpha, float beta)
      : Kernel(stream, std::move(fallback)), alpha_(alpha), beta_(beta) {}

  DEFINE_NAME(CpuMatmul)

  std::vector<mx::Shape> output_shapes(const Arrays& inputs) override {
    auto shape = inputs[0].shape();
    shape.back() = inputs[1].shape(-1);
    return {shape};
  }

  bool is_equivalent(const Primitive& other) const override {
    auto& that = static_cast<const MatrixProduct&>(other);
    return alpha_ == that.alpha_ && beta_ == that.beta_;
  }

  // MLX's own would go through its slow products.
  Arrays vjp(
      const Arrays& primals,
      const Arrays& cotangents,
      const std::vector<int>& argnums,
      const Arrays&) override {
    auto s = stream();
    mx::array a = primals[0], b = primals[1], y = cotangents[0];
    Arrays gradients;
    for (int i : argnums) {
      if (i == 0) {
        gradients.push_back(product(y, mx::swapaxes(b, -1, -2, s), {}, alpha_, 0, s));
      } else if (i == 1 && b.ndim() == 2) {
        auto rows = mx::flatten(a, 0, -2, s), gradient = mx::flatten(y, 0, -2, s);
        auto sums = product(mx::transpose(rows, s), gradient, {}, alpha_, 0, s);
        gradients.push_back(mx::astype(sums, b.dtype(), s));
      } else if (i == 1) {
        auto sums = product(mx::swapaxes(a, -1, -2, s), y, {}, alpha_, 0, s);
        gradients.push_back(mx::astype(sums, b.dtype(), s));
      } else {
        gradients.push_back(mx::multiply(y, mx::array(beta_, y.dtype()), s));
      }
    }
    return gradients;
  }

  void eval_cpu(const Arrays& inputs, Arrays& outputs) override {
    auto& y = outputs[0];
    allocate(y);
    if (!y.size()) {
      return;
    }
    auto type = float_of(y.dtype());
    auto a = with_rows(inputs[0], stream()), b = with_rows_or_columns(inputs[1], stream());
    bool added = inputs.size() > 2;
    auto c = added ? with_rows(inputs[2], stream()) : a;
    std::vector<Place> places(1);
    auto m = static_cast<size_t>(y.shape(-2)), n = static_cast<size_t>(y.shape(-1));
    if (is_one_matrix(b.held)) { // all rows of `a` belong to one product
      m = y.size() / n;
      a.row = rows_apart(a);
      c.row = added ? rows_apart(c) : 0;
    } else {
      places.resize(y.size() / m / n);
      for (size_t i = 0; i < places.size(); i++) {
        places[i] = {place_of(a.held, i), place_of(b.held, i), added ? place_of(c.held, i) : 0};
      }
    }
    Product p{
        a.data(), b.data(), added ? c.data() : nullptr, y.data<void>(),
        m, n, static_cast<size_t>(inputs[0].shape(-1)), a.row, b.row, c.row, alpha_, beta_};
    dispatch(stream(), [kernel = product_kernel(type, b), p, places = std::move(places)] {
      kernel(p, places.data(), places.size());
    });
  }

 private:
  // The distance of rows, after a copy if it is not the same everywhere.
  std::ptrdiff_t rows_apart(Matrices& matrices) {
    if (auto distance = distance_of_rows(matrices.held)) {
      return *distance;
    }
    matrices.held = row_contiguous(matrices.held, stream());
    return matrices.held.shape(-1);
  }

  float alpha_, beta_;
};

// Broadcasts the leading axes of both; false where they do not fit.
bool align(mx::array& a, mx::array& b, mx::Stream s) {
  if (b.ndim() == 2) {
    return true;
  }
  auto length = [](const mx::array& x, size_t place) { // counted from the matrices outward
    return place + 2 < x.ndim() ? x.shape(static_cast<int>(x.ndim() - 3 - place)) : 1;
  };
  size_t leading = std::max(a.ndim(), b.ndim()) - 2;
  mx::Shape batch(leading);
  for (size_t i = 0; i < leading; i++) {
    int one = length(a, i), other = length(b, i);
    if (one != other && one != 1 && other != 1) {
      return false;
    }
    batch[leading - 1 - i] = one == 1 ? other : one;
  }
  for (mx::array* x : {&a, &b}) {
    auto shape = batch;
    shape.insert(shape.end(), {x->shape(-2), x->shape(-1)});
    if (x->shape() != shape) {
      *x = mx::broadcast_to(*x, shape, s);
    }
  }
  return true;
}

mx::array theirs(
    const mx::array& a, const mx::array& b, const Maybe& c, float alpha, float beta, mx::Stream s) {
  if (c) {
    return mx::addmm(*c, a, b, alpha, beta, s);
  }
  auto y = mx::matmul(a, b, s);
  return alpha == 1 ? y : mx::multiply(y, mx::array(alpha, y.dtype()), s);
}

mx::array product(mx::array a, mx::array b, Maybe c, float alpha, float beta, mx::Stream s) {
  if (!usable(s) || a.ndim() < 2 || b.ndim() < 2 || !a.size() || !b.size()) {
    return theirs(a, b, c, alpha, beta, s);
  }
  auto type = mx::promote_types(a.dtype(), b.dtype());
  type = c ? mx::promote_types(type, c->dtype()) : type;
  size_t rows = b.ndim() == 2 ? a.size() / a.shape(-1) : a.shape(-2);
  if (!is_float(type) || a.shape(-1) != b.shape(-2) || is_for_blas(rows, b, type)) {
    return theirs(a, b, c, alpha, beta, s);
  }
  mx::array left = mx::astype(a, type, s), right = widens(b, type) ? b : mx::astype(b, type, s);
  if (!align(left, right, s)) {
    return theirs(a, b, c, alpha, beta, s);
  }
  auto shape = left.shape();
  shape.back() = right.shape(-1);
  Arrays inputs{left, right};
  if (c) {
    inputs.push_back(mx::broadcast_to(mx::astype(*c, type, s), shape, s));
  }
  auto fallback = [alpha, beta, s](const Arrays& inputs) -> Arrays {
    auto c = inputs.size() > 2 ? Maybe(inputs[2]) : std::nullopt;
    return {theirs(inputs[0], inputs[1], c, alpha, beta, s)};
  };
  return mx::array(
      shape, type, std::make_shared<MatrixProduct>(s, fallback, alpha, beta), std::move(inputs));
}

mx::array matmul(mx::array a, mx::array b, mx::Stream s) {
  bool row = a.ndim() == 1, column = b.ndim() == 1; // vectors are matrices of one row or column
  if (!usable(s) || !(row || column) || !a.ndim() || !b.ndim() || a.shape(-1) != b.shape(0)) {
    return product(a, b, {}, 1, 0, s);
  }
  if (row && b.ndim() > 2) {
    return mx::matmul(a, b, s);
  }
  auto left = row ? mx::expand_dims(a, 0, s) : a, right = column ? mx::expand_dims(b, 1, s) : b;
  auto y = product(left, right, {}, 1, 0, s);
  y = row ? mx::squeeze(y, -2, s) : y;
  return column ? mx::squeeze(y, -1, s) : y;
}

} // namespace
} // namespace mlxc::cpu
#endif

extern "C" int mlxc_cpu_matmul(
    mlx_array* res, const mlx_array a, const mlx_array b, const mlx_stream s)
    MLXC_CPU_BODY(mlx_matmul(res, a, b, s), set(res, cpu::matmul(get(a), get(b), get(s))))

extern "C" int mlxc_cpu_addmm(
    mlx_array* res,
    const mlx_array c,
    const mlx_array a,
    const mlx_array b,
    float alpha,
    float beta,
    const mlx_stream s)
    MLXC_CPU_BODY(
        mlx_addmm(res, c, a, b, alpha, beta, s),
        set(res, cpu::product(get(a), get(b), get(c), alpha, beta, get(s))))
