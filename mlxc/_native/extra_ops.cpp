// Operations that mlx-c lacks, and longer forms of ones it has.
#include "extras.hpp"

#ifndef MLXC_FOREIGN
#include "mlx/einsum.h"
#include "mlx/fast.h"
#include "mlx/ops.h"
#endif

extern "C" int mlxc_unique(
    mlx_vector_array* res,
    const mlx_array a,
    int size,
    bool return_index,
    bool return_inverse,
    bool return_counts,
    const mlx_array fill_value,
    const mlx_stream s) MLXC_BODY(
    set(res,
        mx::unique(
            get(a),
            size,
            return_index,
            return_inverse,
            return_counts,
            maybe(fill_value),
            get(s))))

extern "C" int mlxc_searchsorted(
    mlx_array* res,
    const mlx_array sorted_sequence,
    const mlx_array values,
    const char* side,
    const mlx_stream s)
    MLXC_BODY(set(res, mx::searchsorted(get(sorted_sequence), get(values), text(side), get(s))))

extern "C" int mlxc_einsum_path(
    mlx_vector_int* path,
    mlx_string* description,
    const char* subscripts,
    const mlx_vector_array operands) MLXC_BODY(
    auto [steps, words] = mx::einsum_path(text(subscripts), get(operands));
    std::vector<int> flat;
    for (auto& step : steps) {
      flat.push_back(static_cast<int>(step.size()));
      flat.insert(flat.end(), step.begin(), step.end());
    }
    set(path, std::move(flat));
    set(description, std::move(words)))

extern "C" int mlxc_gather_qmm_scaled(
    mlx_array* res,
    const mlx_array x,
    const mlx_array w,
    const mlx_array scales,
    const mlx_array biases,
    const mlx_array lhs_indices,
    const mlx_array rhs_indices,
    bool transpose,
    mlx_optional_int group_size,
    mlx_optional_int bits,
    const char* mode,
    const mlx_array global_scale,
    bool sorted_indices,
    const mlx_stream s) MLXC_BODY(
    set(res,
        mx::gather_qmm(
            get(x),
            get(w),
            get(scales),
            maybe(biases),
            maybe(lhs_indices),
            maybe(rhs_indices),
            transpose,
            optional(group_size),
            optional(bits),
            text(mode),
            get(global_scale),
            sorted_indices,
            get(s))))

extern "C" int mlxc_gather_qqmm(
    mlx_array* res,
    const mlx_array x,
    const mlx_array w,
    const mlx_array scales,
    const mlx_array lhs_indices,
    const mlx_array rhs_indices,
    mlx_optional_int group_size,
    mlx_optional_int bits,
    const char* mode,
    const mlx_array global_scale_x,
    const mlx_array global_scale_w,
    bool sorted_indices,
    const mlx_stream s) MLXC_BODY(
    set(res,
        mx::gather_qqmm(
            get(x),
            get(w),
            maybe(scales),
            maybe(lhs_indices),
            maybe(rhs_indices),
            optional(group_size),
            optional(bits),
            text(mode),
            maybe(global_scale_x),
            maybe(global_scale_w),
            sorted_indices,
            get(s))))

extern "C" int mlxc_cross_entropy(
    mlx_array* res,
    const mlx_array logits,
    const mlx_array targets,
    const mlx_stream s) MLXC_BODY(
    set(res, mx::fast::cross_entropy(get(logits), get(targets), get(s))))

extern "C" int mlxc_fused_attention(
    mlx_array* res,
    const mlx_array queries,
    const mlx_array keys,
    const mlx_array values,
    float scale,
    const char* mask_mode,
    const mlx_array mask_arr,
    const mlx_array sinks,
    const mlx_stream s) MLXC_BODY(
    set(res,
        mx::fast::scaled_dot_product_attention(
            get(queries),
            get(keys),
            get(values),
            scale,
            text(mask_mode),
            maybe(mask_arr),
            maybe(sinks),
            true,
            get(s))))

extern "C" int mlxc_gated_delta_update(
    mlx_vector_array* res,
    const mlx_array queries,
    const mlx_array keys,
    const mlx_array values,
    const mlx_array gates,
    const mlx_array beta,
    const mlx_array initial_state,
    const mlx_array mask,
    const mlx_stream s) MLXC_BODY(
    set(res,
        mx::fast::gated_delta_update(
            get(queries),
            get(keys),
            get(values),
            get(gates),
            get(beta),
            maybe(initial_state),
            maybe(mask),
            get(s))))
