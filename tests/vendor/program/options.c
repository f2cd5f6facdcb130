/* Calls with optional arguments, and the ones whose C++ side has changed. */
#include "program.h"

void options(void) {
  mlx_array empty = mlx_array_new();
  mlx_array w = mlx_array_new();
  CHECK(mlx_ones(&w, (int[]){1, 32, 64}, 3, MLX_FLOAT32, cpu) == 0);
  mlx_vector_array packed = mlx_vector_array_new();
  mlx_optional_int group = {64, true}, bits = {4, true};
  CHECK(mlx_quantize(&packed, w, group, bits, "affine", empty, cpu) == 0);
  CHECK(mlx_vector_array_size(packed) == 3);
  mlx_array parts[3] = {{0}, {0}, {0}};
  for (size_t i = 0; i < 3; i++) {
    CHECK(mlx_vector_array_get(&parts[i], packed, i) == 0);
  }
  mlx_array x = mlx_array_new();
  mlx_array y = mlx_array_new();
  mlx_array index = mlx_array_new_int(0);
  CHECK(mlx_ones(&x, (int[]){1, 1, 64}, 3, MLX_FLOAT32, cpu) == 0);
  CHECK(mlx_gather_qmm(
            &y, x, parts[0], parts[1], parts[2], empty, index, true, group, bits, "affine", false,
            cpu) == 0);
  CHECK(mlx_mean(&y, y, false, cpu) == 0 && fabsf(take(y) - 64) < 1e-3f);
  mlx_optional_dtype dtype = {MLX_FLOAT32, false};
  y = mlx_array_new();
  CHECK(mlx_dequantize(&y, parts[0], parts[1], parts[2], group, bits, "affine", empty, dtype, cpu) == 0);
  CHECK(mlx_mean(&y, y, false, cpu) == 0 && fabsf(take(y) - 1) < 1e-3f);

  y = mlx_array_new();
  mlx_array q = mlx_array_new();
  CHECK(mlx_ones(&q, (int[]){1, 2, 3, 8}, 4, MLX_FLOAT32, cpu) == 0);
  CHECK(mlx_fast_scaled_dot_product_attention(&y, q, q, q, 0.5f, "causal", empty, empty, cpu) == 0);
  CHECK(mlx_mean(&y, y, false, cpu) == 0 && fabsf(take(y) - 1) < 1e-6f);

  y = mlx_array_new();
  mlx_optional_float base = {10000, true};
  CHECK(mlx_fast_rope(&y, q, 8, false, base, 1, 0, empty, cpu) == 0);
  CHECK(mlx_array_ndim(y) == 4);
  CHECK(mlx_linalg_norm_l2(&y, q, NULL, 0, false, cpu) == 0);
  CHECK(fabsf(take(y) - sqrtf(48)) < 1e-4f);
  y = mlx_array_new();
  CHECK(mlx_linalg_norm_l2(&y, q, (int[]){-1}, 1, false, cpu) == 0 && mlx_array_ndim(y) == 3);
  CHECK(mlx_random_normal(&y, (int[]){4}, 1, MLX_FLOAT32, 0, 1, empty, cpu) == 0);
  mlx_array key = mlx_array_new();
  mlx_array next = mlx_array_new();
  CHECK(mlx_random_key(&key, 7) == 0 && mlx_random_split(&key, &next, key, cpu) == 0);
  CHECK(mlx_fft_fft(&y, y, 4, -1, MLX_FFT_NORM_ORTHO, cpu) == 0);
  CHECK(mlx_array_dtype(y) == MLX_COMPLEX64);
  mlx_array image = mlx_array_new();
  mlx_array kernel = mlx_array_new();
  CHECK(mlx_ones(&image, (int[]){1, 4, 4, 1}, 4, MLX_FLOAT32, cpu) == 0);
  CHECK(mlx_ones(&kernel, (int[]){1, 2, 3, 1}, 4, MLX_FLOAT32, cpu) == 0);
  CHECK(mlx_conv2d(&y, image, kernel, 1, 1, 0, 1, 1, 1, 1, cpu) == 0);
  CHECK(mlx_array_dim(y, 1) == 3 && mlx_array_dim(y, 2) == 4);
  CHECK(mlx_split_sections(&packed, q, (int[]){1}, 1, 2, cpu) == 0);
  CHECK(mlx_vector_array_size(packed) == 2);

  mlx_array all[] = {w, x, y, q, index, key, next, image, kernel, parts[0], parts[1], parts[2]};
  for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
    mlx_array_free(all[i]);
  }
  mlx_vector_array_free(packed);
}
