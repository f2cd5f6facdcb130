/* Arrays: values, properties, memory of the caller. */
#include "program.h"

void arrays(void) {
  float values[] = {1, 2, 3, 4, 5, 6};
  int shape[] = {2, 3};
  mlx_array a = mlx_array_new_data(values, shape, 2, MLX_FLOAT32);
  mlx_array b = mlx_array_new();
  CHECK(b.ctx == NULL);
  CHECK(mlx_transpose(&b, a, cpu) == 0);
  void* made = b.ctx;
  CHECK(made != NULL);
  CHECK(mlx_matmul(&b, a, b, cpu) == 0); /* the result may be an argument */
  CHECK(b.ctx == made);                   /* set, not made again */
  CHECK(mlx_array_data_float32(b) == NULL);
  CHECK(strstr(last_error, "evaluate") != NULL);
  CHECK(mlx_array_eval(b) == 0);
  const float* data = mlx_array_data_float32(b);
  CHECK(data[0] == 14 && data[1] == 32 && data[2] == 32 && data[3] == 77);

  CHECK(mlx_array_ndim(a) == 2 && mlx_array_size(a) == 6 && mlx_array_nbytes(a) == 24);
  CHECK(mlx_array_itemsize(a) == 4 && mlx_dtype_size(MLX_COMPLEX64) == 8);
  CHECK(mlx_array_shape(a)[0] == 2 && mlx_array_shape(a)[1] == 3);
  CHECK(mlx_array_strides(a)[0] == 3 && mlx_array_strides(a)[1] == 1);
  CHECK(mlx_array_dim(a, 1) == 3 && mlx_array_dim(a, -2) == 2);
  CHECK(mlx_array_dtype(a) == MLX_FLOAT32);

  mlx_string text = mlx_string_new();
  CHECK(mlx_array_tostring(&text, b) == 0);
  CHECK(strstr(mlx_string_data(text), "array([[14, 32]") != NULL);
  mlx_string_free(text);

  bool yes = false;
  CHECK(_mlx_array_is_available(&yes, b) == 0 && yes);
  CHECK(_mlx_array_wait(b) == 0);
  CHECK(_mlx_array_is_row_contiguous(&yes, b) == 0 && yes);

  mlx_array copy = mlx_array_new();
  CHECK(mlx_array_set(&copy, b) == 0);
  CHECK(mlx_array_set_int(&b, 7) == 0);
  CHECK(mlx_array_dtype(b) == MLX_INT32 && mlx_array_size(copy) == 4);
  int32_t seven = 0;
  CHECK(mlx_array_item_int32(&seven, b) == 0 && seven == 7);
  CHECK(mlx_array_item_float32((float[1]){0}, copy) == 1); /* four elements, not one */

  mlx_array wide = mlx_array_new_float64(0.1);
  CHECK(mlx_array_dtype(wide) == MLX_FLOAT64);
  double tenth = 0;
  CHECK(mlx_array_item_float64(&tenth, wide) == 0 && tenth == 0.1);
  mlx_array z = mlx_array_new_complex(1, -2);
  mlx_complex64_t value;
  CHECK(mlx_array_item_complex64(&value, z) == 0);
  CHECK(crealf(value) == 1 && cimagf(value) == -2);
  uint16_t half = 0;
  CHECK(mlx_astype(&z, b, MLX_FLOAT16, cpu) == 0);
  CHECK(mlx_array_item_float16((void*)&half, z) == 0 && half == 0x4700);
  CHECK(mlx_astype(&z, b, MLX_BFLOAT16, cpu) == 0);
  CHECK(mlx_array_item_bfloat16((void*)&half, z) == 0 && half == 0x40e0);

  CHECK(mlx_array_free(a) == 0 && mlx_array_free(b) == 0 && mlx_array_free(copy) == 0);
  CHECK(mlx_array_free(wide) == 0 && mlx_array_free(z) == 0);
  CHECK(mlx_array_free(mlx_array_new()) == 0);
}

void managed_memory(void) {
  static float values[] = {1, 2, 3};
  int size = 3;
  released = 0;
  mlx_array a = mlx_array_new_data_managed(values, &size, 1, MLX_FLOAT32, count_release);
  mlx_array b =
      mlx_array_new_data_managed_payload(values, &size, 1, MLX_FLOAT32, &size, count_release);
  mlx_array sum = mlx_array_new();
  CHECK(mlx_add(&sum, a, b, cpu) == 0 && mlx_sum(&sum, sum, false, cpu) == 0);
  CHECK(take(sum) == 12);
  mlx_array_free(a);
  mlx_array_free(b);
  CHECK(released == 2);

  int bad = -1;
  CHECK(mlx_array_new_data(values, &bad, 1, MLX_FLOAT32).ctx == NULL);
  CHECK(mlx_array_new_data(NULL, &size, 1, MLX_FLOAT32).ctx == NULL);
  int huge[] = {2147483647, 2147483647, 2147483647};
  CHECK(mlx_array_new_data(values, huge, 3, MLX_FLOAT32).ctx == NULL);
  mlx_array empty = mlx_array_new_data(NULL, (int[]){0, 2}, 2, MLX_INT8);
  CHECK(empty.ctx != NULL && mlx_array_size(empty) == 0);
  mlx_array_free(empty);
}
