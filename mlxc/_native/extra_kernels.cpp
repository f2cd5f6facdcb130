// Custom GPU kernels with what mlx-c leaves out: compile options and compiled code.
#include "extras.hpp"

#ifndef MLXC_FOREIGN
#include "kernel.h"

namespace {

using Scalar = mlxc::mx::fast::ScalarArg;

std::vector<Scalar> scalar_args(const double* values, const int* kinds, size_t size) {
  std::vector<Scalar> args;
  for (size_t i = 0; i < size; i++) {
    if (kinds[i] == 0) {
      args.emplace_back(values[i] != 0);
    } else if (kinds[i] == 1) {
      args.emplace_back(static_cast<int>(values[i]));
    } else {
      args.emplace_back(static_cast<float>(values[i]));
    }
  }
  return args;
}

} // namespace
#endif

extern "C" int mlxc_metal_kernel(
    mlx_fast_metal_kernel* res,
    const char* name,
    const mlx_vector_string input_names,
    const mlx_vector_string output_names,
    const char* source,
    const char* header,
    bool ensure_row_contiguous,
    bool atomic_outputs,
    int math_mode) MLXC_BODY(
    set(res,
        mx::fast::metal_kernel(
            text(name),
            get(input_names),
            get(output_names),
            text(source),
            text(header),
            ensure_row_contiguous,
            atomic_outputs,
            mx::CompileOptions(math_mode))))

extern "C" int mlxc_precompiled_cuda_kernel(
    mlx_vector_array* res,
    const char* name,
    const char* compiled,
    size_t compiled_num,
    const mlx_vector_array inputs,
    const mlx_fast_cuda_kernel_config config,
    const double* scalars,
    const int* scalar_kinds,
    size_t scalars_num,
    int shared_memory,
    bool ensure_row_contiguous,
    const mlx_stream s) MLXC_BODY(
    set(res,
        get(config).run_compiled(
            text(name),
            std::string(compiled, compiled_num),
            get(inputs),
            scalar_args(scalars, scalar_kinds, scalars_num),
            shared_memory,
            ensure_row_contiguous,
            get(s))))
