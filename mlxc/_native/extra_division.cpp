// Division of integers. The least integer by -1 is a value that its type does not hold; x86 then
// stops the process, ARM wraps around. Here it wraps around.
#include "extras.hpp"

#ifndef MLXC_FOREIGN
#include "mlx/ops.h"

namespace {

namespace mx = mlx::core;

using Division = std::pair<mx::array, mx::array>;

// Scalars from Python are computed from the start, and may be looked at.
bool is_known_not_minus_one(const mx::array& b) {
  if (b.status() != mx::array::available || b.size() != 1) {
    return false;
  }
  switch (b.dtype().val()) {
    case mx::Dtype::Val::int8: return b.data<int8_t>()[0] != -1;
    case mx::Dtype::Val::int16: return b.data<int16_t>()[0] != -1;
    case mx::Dtype::Val::int32: return b.data<int32_t>()[0] != -1;
    default: return b.data<int64_t>()[0] != -1;
  }
}

// a / -1 as -a / 1. Types smaller than int32 are divided as int32, which holds the result.
Division without_overflow(const mx::array& a, const mx::array& b, mx::Stream s) {
  auto type = mx::promote_types(a.dtype(), b.dtype());
  if (s.device != mx::Device::cpu || (type != mx::int32 && type != mx::int64) ||
      !mx::issubdtype(b.dtype(), mx::signedinteger) || is_known_not_minus_one(b)) {
    return {a, b};
  }
  auto is_minus_one = mx::equal(b, mx::array(-1, b.dtype()), s);
  return {
      mx::where(is_minus_one, mx::negative(mx::astype(a, type, s), s), a, s),
      mx::where(is_minus_one, mx::array(1, b.dtype()), b, s)};
}

} // namespace

extern "C" int mlxc_safe_floor_divide(
    mlx_array* res,
    const mlx_array a,
    const mlx_array b,
    const mlx_stream s) MLXC_BODY(
    auto [x, y] = without_overflow(get(a), get(b), get(s));
    set(res, mx::floor_divide(x, y, get(s))))

extern "C" int mlxc_safe_remainder(
    mlx_array* res,
    const mlx_array a,
    const mlx_array b,
    const mlx_stream s) MLXC_BODY(
    auto [x, y] = without_overflow(get(a), get(b), get(s));
    set(res, mx::remainder(x, y, get(s))))

extern "C" int mlxc_safe_divmod(
    mlx_vector_array* res,
    const mlx_array a,
    const mlx_array b,
    const mlx_stream s) MLXC_BODY(
    auto [x, y] = without_overflow(get(a), get(b), get(s));
    // MLX divides by 0 as it stands, but only here.
    set(res,
        mx::issubdtype(mx::promote_types(x.dtype(), y.dtype()), mx::inexact)
            ? mx::divmod(x, y, get(s))
            : mlxc::Arrays{mx::floor_divide(x, y, get(s)), mx::remainder(x, y, get(s))}))

#else

extern "C" int mlxc_safe_floor_divide(
    mlx_array* res,
    const mlx_array a,
    const mlx_array b,
    const mlx_stream s) {
  return mlx_floor_divide(res, a, b, s);
}

extern "C" int mlxc_safe_remainder(
    mlx_array* res,
    const mlx_array a,
    const mlx_array b,
    const mlx_stream s) {
  return mlx_remainder(res, a, b, s);
}

extern "C" int mlxc_safe_divmod(
    mlx_vector_array* res,
    const mlx_array a,
    const mlx_array b,
    const mlx_stream s) {
  return mlx_divmod(res, a, b, s);
}

#endif
