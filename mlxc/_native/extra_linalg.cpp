// Determinants.
#include "extras.hpp"

#ifndef MLXC_FOREIGN
#include "mlx/linalg.h"
#endif

extern "C" int mlxc_det(mlx_array* res, const mlx_array a, const mlx_stream s)
    MLXC_BODY(set(res, mx::linalg::det(get(a), get(s))))

extern "C" int mlxc_slogdet(
    mlx_array* sign,
    mlx_array* logarithm,
    const mlx_array a,
    const mlx_stream s) MLXC_BODY(
    auto [signs, logarithms] = mx::linalg::slogdet(get(a), get(s));
    set(sign, std::move(signs));
    set(logarithm, std::move(logarithms)))
