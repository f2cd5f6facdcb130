/* Devices, streams, groups and kernels. */
#include "program.h"

void devices(void) {
  mlx_device dev = mlx_device_new_type(MLX_CPU, 0);
  mlx_device other = mlx_device_new();
  CHECK(mlx_stream_get_device(&other, cpu) == 0 && mlx_device_equal(dev, other));
  mlx_device_type type = MLX_GPU;
  int index = -1;
  CHECK(mlx_device_get_type(&type, dev) == 0 && type == MLX_CPU);
  CHECK(mlx_device_get_index(&index, dev) == 0 && index == 0);
  bool available = false;
  CHECK(mlx_device_is_available(&available, dev) == 0 && available);
  int count = 0;
  CHECK(mlx_device_count(&count, MLX_CPU) == 0 && count >= 1);
  CHECK(mlx_set_default_device(dev) == 0);

  mlx_device_info info = mlx_device_info_new();
  CHECK(mlx_device_info_get(&info, dev) == 0);
  mlx_vector_string keys = mlx_vector_string_new();
  CHECK(mlx_device_info_get_keys(&keys, info) == 0);
  for (size_t i = 0; i < mlx_vector_string_size(keys); i++) {
    char* key = NULL;
    bool is_string = false;
    const char* text = NULL;
    size_t size = 0;
    CHECK(mlx_vector_string_get(&key, keys, i) == 0);
    CHECK(mlx_device_info_has_key(&available, info, key) == 0 && available);
    CHECK(mlx_device_info_is_string(&is_string, info, key) == 0);
    CHECK(mlx_device_info_get_string(&text, info, key) == (is_string ? 0 : 2));
    CHECK(mlx_device_info_get_size(&size, info, key) == (is_string ? 2 : 0));
  }
  CHECK(mlx_vector_string_size(keys) > 0);
  CHECK(mlx_device_info_has_key(&available, info, "no such key") == 0 && !available);
  mlx_vector_string_free(keys);
  mlx_device_info_free(info);

  mlx_stream own = mlx_stream_new_device(dev);
  CHECK(!mlx_stream_equal(own, cpu));
  mlx_string text = mlx_string_new();
  CHECK(mlx_stream_tostring(&text, own) == 0 && strstr(mlx_string_data(text), "Stream") != NULL);
  CHECK(mlx_device_tostring(&text, dev) == 0 && strstr(mlx_string_data(text), "cpu") != NULL);
  CHECK(mlx_version(&text) == 0 && strchr(mlx_string_data(text), '.') != NULL);
  CHECK(mlx_synchronize(own) == 0);
  size_t bytes = 0;
  CHECK(mlx_get_active_memory(&bytes) == 0 && mlx_clear_cache() == 0);
  bool metal = true;
  CHECK(mlx_metal_is_available(&metal) == 0);
  if (!metal) {
    mlx_vector_string none = mlx_vector_string_new();
    CHECK(mlx_fast_metal_kernel_new("k", none, none, "", "", true, false).ctx == NULL);
    mlx_vector_string_free(none);
  }
  mlx_fast_metal_kernel_config config = mlx_fast_metal_kernel_config_new();
  CHECK(mlx_fast_metal_kernel_config_add_output_arg(config, (int[]){2}, 1, MLX_INT8) == 0);
  CHECK(mlx_fast_metal_kernel_config_set_grid(config, 1, 2, 3) == 0);
  CHECK(mlx_fast_metal_kernel_config_add_template_arg_int(config, "N", 4) == 0);
  mlx_fast_metal_kernel_config_free(config);

  mlx_distributed_group group = mlx_distributed_group_new();
  CHECK(mlx_distributed_init(&group, false, NULL) == 0);
  CHECK(mlx_distributed_group_rank(group) == 0 && mlx_distributed_group_size(group) == 1);
  mlx_array x = mlx_array_new_float(5);
  CHECK(mlx_distributed_all_sum(&x, x, group, cpu) == 0 && take(x) == 5);
  mlx_distributed_group_free(group);

  mlx_string_free(text);
  mlx_stream_free(own);
  mlx_device_free(other);
  mlx_device_free(dev);
}
