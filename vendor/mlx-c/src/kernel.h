// Custom GPU kernels and the settings of their calls.
#pragma once

#include <tuple>

#include "handle.h"
#include "mlx/fast.h"

namespace mlxc {

class KernelConfig {
 public:
  void add_output_arg(const int* dims, std::size_t size, mlx_dtype dtype) {
    auto type = mlxc::dtype(dtype);
    output_shapes_.push_back(shape(dims, size));
    output_dtypes_.push_back(type);
  }
  void set_grid(int x, int y, int z) {
    grid_ = {x, y, z};
  }
  void set_thread_group(int x, int y, int z) {
    thread_group_ = {x, y, z};
  }
  void set_init_value(float value) {
    init_value_ = value;
  }
  void set_verbose(bool verbose) {
    verbose_ = verbose;
  }
  void add_template_arg_dtype(const char* name, mlx_dtype value) {
    template_args_.emplace_back(text(name), dtype(value));
  }
  void add_template_arg_int(const char* name, int value) {
    template_args_.emplace_back(text(name), value);
  }
  void add_template_arg_bool(const char* name, bool value) {
    template_args_.emplace_back(text(name), value);
  }

  Arrays run(
      const mx::fast::CustomKernelFunction& kernel,
      const Arrays& inputs,
      const mx::Stream& stream) const {
    return kernel(
        inputs,
        output_shapes_,
        output_dtypes_,
        grid_,
        thread_group_,
        template_args_,
        init_value_,
        verbose_,
        stream);
  }

  Arrays run_compiled(
      const std::string& name,
      const std::string& code,
      const Arrays& inputs,
      const std::vector<mx::fast::ScalarArg>& scalars,
      int shared_memory,
      bool ensure_row_contiguous,
      const mx::Stream& stream) const {
    return mx::fast::precompiled_cuda_kernel(
        name,
        code,
        inputs,
        output_shapes_,
        output_dtypes_,
        scalars,
        grid_,
        thread_group_,
        shared_memory,
        init_value_,
        ensure_row_contiguous,
        stream);
  }

 private:
  std::vector<mx::Shape> output_shapes_;
  std::vector<mx::Dtype> output_dtypes_;
  std::tuple<int, int, int> grid_{1, 1, 1};
  std::tuple<int, int, int> thread_group_{1, 1, 1};
  std::vector<std::pair<std::string, mx::fast::TemplateArg>> template_args_;
  std::optional<float> init_value_;
  bool verbose_ = false;
};

MLXC_HANDLE(mlx_fast_cuda_kernel_config, KernelConfig);
MLXC_HANDLE(mlx_fast_metal_kernel_config, KernelConfig);
MLXC_HANDLE(mlx_fast_cuda_kernel, mx::fast::CustomKernelFunction);
MLXC_HANDLE(mlx_fast_metal_kernel, mx::fast::CustomKernelFunction);

} // namespace mlxc
