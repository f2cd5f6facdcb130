// Functions whose C++ counterpart in this MLX takes more than the interface has.
#include "handle.h"
#include "mlx/fast.h"
#include "mlx/ops.h"

namespace mlxc {

// Every thread has a compile cache of its own.
void detail_compile_clear_cache() {
  forget_all_compiled();
}

void detail_compile_erase(std::uintptr_t fun_id) {
  forget_compiled(fun_id);
}

// Without force_fused: MLX chooses.
void fast_scaled_dot_product_attention(
    mlx_array* res,
    mlx_array queries,
    mlx_array keys,
    mlx_array values,
    float scale,
    const char* mask_mode,
    mlx_array mask_arr,
    mlx_array sinks,
    mlx_stream s) {
  set(res,
      mx::fast::scaled_dot_product_attention(
          get(queries),
          get(keys),
          get(values),
          scale,
          text(mask_mode),
          maybe(mask_arr),
          maybe(sinks),
          false,
          get(s)));
}

// Without a global scale.
void gather_qmm(
    mlx_array* res,
    mlx_array x,
    mlx_array w,
    mlx_array scales,
    mlx_array biases,
    mlx_array lhs_indices,
    mlx_array rhs_indices,
    bool transpose,
    mlx_optional_int group_size,
    mlx_optional_int bits,
    const char* mode,
    bool sorted_indices,
    mlx_stream s) {
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
          std::nullopt,
          sorted_indices,
          get(s)));
}

} // namespace mlxc
