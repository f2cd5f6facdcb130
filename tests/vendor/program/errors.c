/* Failures and the error handler. */
#include "program.h"

#ifdef WITH_ERROR_KIND
int mlxc_error_kind(void);
#endif

void errors(void) {
  mlx_array a = vector_of((float[]){1, 2}, 2);
  mlx_array b = vector_of((float[]){1, 2, 3}, 3);
  mlx_array res = mlx_array_new();
  int before = errors_seen;
  CHECK(mlx_add(&res, a, b, cpu) == 1);
  CHECK(errors_seen == before + 1 && strstr(last_error, "broadcast") != NULL);
  CHECK(res.ctx == NULL);
#ifdef WITH_ERROR_KIND
  CHECK(mlxc_error_kind() == 1);
#endif
  CHECK(mlx_add(&res, a, mlx_array_new(), cpu) == 1);
  CHECK(strstr(last_error, "non-empty mlx_array") != NULL);
  CHECK(mlx_add(&res, a, b, mlx_stream_new()) == 1);
  CHECK(strstr(last_error, "non-empty mlx_stream") != NULL);
  CHECK(mlx_add(NULL, a, a, cpu) == 1);
  CHECK(mlx_astype(&res, a, (mlx_dtype)99, cpu) == 1);
  CHECK(mlx_array_dim(a, 1) == 0 && strstr(last_error, "out of range") != NULL);
#ifdef WITH_ERROR_KIND
  CHECK(mlxc_error_kind() == 2);
#endif
  CHECK(mlx_array_shape(mlx_array_new()) == NULL);
  CHECK(mlx_load(&res, "/nowhere/at/all.npy", cpu) == 1);
#ifdef WITH_ERROR_KIND
  CHECK(mlxc_error_kind() == 0);
#endif
  mlx_error("%d of %s", 3, "these");
  CHECK(strncmp(last_error, "3 of these", 10) == 0);
  mlx_array_free(a);
  mlx_array_free(b);

  released = 0;
  mlx_set_error_handler(remember, &failures, count_release);
  CHECK(released == 0);
  mlx_set_error_handler(remember, NULL, NULL);
  CHECK(released == 1);
}
