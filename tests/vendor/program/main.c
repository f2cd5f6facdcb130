/* A C program on top of the mlx-c interface: one file a subject, each reports itself.

   usage: program SCRATCH_FOLDER */
#include "program.h"

int failures = 0;
char last_error[1000];
int errors_seen = 0;
int released = 0;
mlx_stream cpu;

void remember(const char* message, void* data) {
  (void)data;
  errors_seen++;
  snprintf(last_error, sizeof last_error, "%s", message);
}

void count_release(void* data) {
  (void)data;
  released++;
}

float take(mlx_array array) {
  float value = NAN;
  mlx_array_item_float32(&value, array);
  mlx_array_free(array);
  return value;
}

mlx_array vector_of(const float* values, int size) {
  return mlx_array_new_data(values, &size, 1, MLX_FLOAT32);
}

mlx_array first(mlx_vector_array values) {
  mlx_array value = mlx_array_new();
  mlx_vector_array_get(&value, values, 0);
  return value;
}

int doubled(mlx_array* res, const mlx_array in) {
  return mlx_add(res, in, in, cpu);
}

#define RUN(subject, ...)                                       \
  do {                                                          \
    int before = failures;                                      \
    subject(__VA_ARGS__);                                       \
    printf("%s %s\n", failures == before ? "ok" : "failed", #subject); \
  } while (0)

int main(int argc, char** argv) {
  if (argc != 2) {
    return 2;
  }
  mlx_set_error_handler(remember, NULL, NULL);
  cpu = mlx_default_cpu_stream_new();
  RUN(arrays, );
  RUN(managed_memory, );
  RUN(errors, );
  RUN(closures, );
  RUN(containers, );
  RUN(files, argv[1]);
  RUN(devices, );
  RUN(options, );
  RUN(threads, );
  mlx_stream_free(cpu);
  return failures != 0;
}
