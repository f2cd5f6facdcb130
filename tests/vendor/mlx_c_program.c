/* A C program on top of the mlx-c interface: one function a subject, each reports itself.

   usage: mlx_c_program SCRATCH_FOLDER */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mlx/c/mlx.h"

#ifdef WITH_ERROR_KIND
int mlxc_error_kind(void);
#endif

static int failures = 0;
static char last_error[1000];
static int errors_seen = 0;
static int released = 0;
static mlx_stream cpu;

#define CHECK(condition)                                            \
  do {                                                              \
    if (!(condition)) {                                             \
      printf("FAILED %s:%d %s\n", __func__, __LINE__, #condition); \
      failures++;                                                   \
    }                                                               \
  } while (0)

static void remember(const char* message, void* data) {
  (void)data;
  errors_seen++;
  snprintf(last_error, sizeof last_error, "%s", message);
}

static void count_release(void* data) {
  (void)data;
  released++;
}

/* The value of a float32 array of one element; the array is freed. */
static float take(mlx_array array) {
  float value = NAN;
  mlx_array_item_float32(&value, array);
  mlx_array_free(array);
  return value;
}

static mlx_array vector_of(const float* values, int size) {
  return mlx_array_new_data(values, &size, 1, MLX_FLOAT32);
}

/* --- arrays --- */

static void arrays(void) {
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

static void managed_memory(void) {
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

/* --- errors --- */

static void errors(void) {
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

/* --- closures --- */

/* sum of x * x * payload */
static int scaled_square(mlx_vector_array* res, const mlx_vector_array in, void* payload) {
  mlx_array x = mlx_array_new();
  mlx_array scale = mlx_array_new_float(*(float*)payload);
  int status = mlx_vector_array_get(&x, in, 0) || mlx_square(&x, x, cpu) ||
      mlx_multiply(&x, x, scale, cpu) || mlx_sum(&x, x, false, cpu) ||
      mlx_vector_array_set_value(res, x);
  mlx_array_free(x);
  mlx_array_free(scale);
  return status;
}

static int failing(mlx_vector_array* res, const mlx_vector_array in) {
  (void)res;
  (void)in;
  return 3;
}

static int forgetful(mlx_vector_array* res, const mlx_vector_array in) {
  (void)res;
  (void)in;
  return 0;
}

static int doubled(mlx_array* res, const mlx_array in) {
  return mlx_add(res, in, in, cpu);
}

static int named(
    mlx_vector_array* res,
    const mlx_vector_array in,
    const mlx_map_string_to_array kwargs) {
  mlx_array x = mlx_array_new();
  mlx_array y = mlx_array_new();
  int status = mlx_vector_array_get(&x, in, 0) || mlx_map_string_to_array_get(&y, kwargs, "y") ||
      mlx_subtract(&x, x, y, cpu);
  *res = mlx_vector_array_new_value(x); /* replaced instead of set */
  mlx_array_free(x);
  mlx_array_free(y);
  return status;
}

static int vjp_rule(
    mlx_vector_array* res,
    const mlx_vector_array primals,
    const mlx_vector_array cotangents,
    const mlx_vector_array outputs) {
  (void)primals;
  (void)outputs;
  mlx_array c = mlx_array_new();
  mlx_array ten = mlx_array_new_float(10);
  int status = mlx_vector_array_get(&c, cotangents, 0) || mlx_multiply(&c, c, ten, cpu) ||
      mlx_vector_array_set_value(res, c);
  mlx_array_free(c);
  mlx_array_free(ten);
  return status;
}

static int jvp_rule(
    mlx_vector_array* res,
    const mlx_vector_array primals,
    const mlx_vector_array tangents,
    const int* argnums,
    size_t num) {
  (void)primals;
  (void)argnums;
  mlx_array t = mlx_array_new();
  mlx_array hundred = mlx_array_new_float(100);
  int status = num != 1 || mlx_vector_array_get(&t, tangents, 0) ||
      mlx_multiply(&t, t, hundred, cpu) || mlx_vector_array_set_value(res, t);
  mlx_array_free(t);
  mlx_array_free(hundred);
  return status;
}

static int vmap_rule(
    mlx_vector_array* res,
    mlx_vector_int* res_axes,
    const mlx_vector_array inputs,
    const int* axes,
    size_t num) {
  return num != 1 || mlx_vector_array_set(res, inputs) ||
      mlx_vector_int_set_value(res_axes, axes[0]);
}

static mlx_array first(mlx_vector_array values) {
  mlx_array value = mlx_array_new();
  mlx_vector_array_get(&value, values, 0);
  return value;
}

static void closures(void) {
  float scale = 2;
  released = 0;
  mlx_closure fun = mlx_closure_new_func_payload(scaled_square, &scale, count_release);
  mlx_closure_value_and_grad derived = mlx_closure_value_and_grad_new();
  CHECK(mlx_value_and_grad(&derived, fun, (int[]){0}, 1) == 0);
  mlx_array x = vector_of((float[]){1, 2, 3}, 3);
  mlx_vector_array args = mlx_vector_array_new_value(x);
  mlx_vector_array values = mlx_vector_array_new();
  mlx_vector_array grads = mlx_vector_array_new();
  CHECK(mlx_closure_value_and_grad_apply(&values, &grads, derived, args) == 0);
  CHECK(take(first(values)) == 28);
  mlx_array grad = first(grads);
  CHECK(mlx_eval(grads) == 0);
  const float* data = mlx_array_data_float32(grad);
  CHECK(data[0] == 4 && data[1] == 8 && data[2] == 12);
  mlx_array_free(grad);

  mlx_closure same = mlx_closure_new();
  CHECK(mlx_closure_set(&same, fun) == 0);
  mlx_closure compiled = mlx_closure_new();
  CHECK(mlx_compile(&compiled, fun, false) == 0);
  CHECK(mlx_closure_apply(&values, compiled, args) == 0 && take(first(values)) == 28);
  mlx_closure_free(compiled);
  CHECK(mlx_detail_compile_clear_cache() == 0);
  mlx_closure_free(fun);
  mlx_closure_value_and_grad_free(derived);
  CHECK(released == 0);
  mlx_closure_free(same);
  CHECK(released == 1);

  mlx_closure bad = mlx_closure_new_func(failing);
  CHECK(mlx_closure_apply(&values, bad, args) == 1);
  CHECK(strstr(last_error, "callback") != NULL);
#ifdef WITH_ERROR_KIND
  CHECK(mlxc_error_kind() == 4);
#endif
  mlx_closure_free(bad);
  bad = mlx_closure_new_func(forgetful);
  CHECK(mlx_closure_apply(&values, bad, args) == 1);
  mlx_closure_free(bad);
  CHECK(mlx_closure_apply(&values, mlx_closure_new(), args) == 1);

  mlx_closure unary = mlx_closure_new_unary(doubled);
  mlx_vector_array tangents = mlx_vector_array_new_value(x);
  CHECK(mlx_jvp(&values, &grads, unary, args, tangents) == 0);
  mlx_array sum = first(grads);
  CHECK(mlx_sum(&sum, sum, false, cpu) == 0 && take(sum) == 12);

  mlx_closure_custom vjp = mlx_closure_custom_new_func(vjp_rule);
  mlx_closure_custom_jvp jvp = mlx_closure_custom_jvp_new_func(jvp_rule);
  mlx_closure_custom_vmap vmap = mlx_closure_custom_vmap_new_func(vmap_rule);
  mlx_closure custom = mlx_closure_new();
  CHECK(mlx_custom_function(&custom, unary, vjp, jvp, vmap) == 0);
  CHECK(mlx_vjp(&values, &grads, custom, args, tangents) == 0);
  sum = first(grads);
  CHECK(mlx_sum(&sum, sum, false, cpu) == 0 && take(sum) == 60);
  CHECK(mlx_jvp(&values, &grads, custom, args, tangents) == 0);
  sum = first(grads);
  CHECK(mlx_sum(&sum, sum, false, cpu) == 0 && take(sum) == 600);
  mlx_vector_int axes = mlx_vector_int_new();
  CHECK(mlx_closure_custom_vmap_apply(&values, &axes, vmap, args, (int[]){1}, 1) == 0);
  int axis = 0;
  CHECK(mlx_vector_int_get(&axis, axes, 0) == 0 && axis == 1);
  mlx_closure_custom none = mlx_closure_custom_new();
  mlx_closure_custom_jvp no_jvp = mlx_closure_custom_jvp_new();
  mlx_closure_custom_vmap no_vmap = mlx_closure_custom_vmap_new();
  CHECK(mlx_custom_function(&custom, unary, none, no_jvp, no_vmap) == 0);

  CHECK(mlx_detail_vmap_trace(&values, &grads, unary, args, (int[]){0}, 1) == 0);
  CHECK(mlx_detail_vmap_replace(&values, args, values, grads, (int[]){0}, 1, (int[]){0}, 1) == 0);
  sum = first(values);
  CHECK(mlx_sum(&sum, sum, false, cpu) == 0 && take(sum) == 12);

  mlx_closure_kwargs with_names = mlx_closure_kwargs_new_func(named);
  mlx_map_string_to_array kwargs = mlx_map_string_to_array_new();
  mlx_map_string_to_array_insert(kwargs, "y", x);
  CHECK(mlx_closure_kwargs_apply(&values, with_names, args, kwargs) == 0);
  sum = first(values);
  CHECK(mlx_sum(&sum, sum, false, cpu) == 0 && take(sum) == 0);

  mlx_map_string_to_array_free(kwargs);
  mlx_closure_kwargs_free(with_names);
  mlx_closure_free(unary);
  mlx_closure_free(custom);
  mlx_closure_custom_free(vjp);
  mlx_closure_custom_jvp_free(jvp);
  mlx_closure_custom_vmap_free(vmap);
  mlx_vector_int_free(axes);
  mlx_vector_array_free(tangents);
  mlx_vector_array_free(grads);
  mlx_vector_array_free(values);
  mlx_vector_array_free(args);
  mlx_array_free(x);
}

/* --- containers --- */

static void containers(void) {
  mlx_array one = mlx_array_new_float(1);
  mlx_array two = mlx_array_new_float(2);
  mlx_array both[] = {one, two};
  mlx_vector_array arrays = mlx_vector_array_new_data(both, 2);
  CHECK(mlx_vector_array_append_value(arrays, one) == 0);
  CHECK(mlx_vector_array_append_data(arrays, both, 2) == 0);
  CHECK(mlx_vector_array_size(arrays) == 5);
  mlx_array got = mlx_array_new();
  CHECK(mlx_vector_array_get(&got, arrays, 4) == 0 && take(got) == 2);
  CHECK(mlx_vector_array_get(&(mlx_array){0}, arrays, 5) == 1);
  mlx_array hole[] = {one, {0}};
  CHECK(mlx_vector_array_append_data(arrays, hole, 2) == 1);
  CHECK(mlx_vector_array_size(arrays) == 5);
  mlx_vector_vector_array nested = mlx_vector_vector_array_new_value(arrays);
  mlx_vector_array inner = mlx_vector_array_new();
  CHECK(mlx_vector_vector_array_get(&inner, nested, 0) == 0);
  CHECK(mlx_vector_array_size(inner) == 5);
  CHECK(mlx_vector_array_set_value(&inner, two) == 0 && mlx_vector_array_size(inner) == 1);
  CHECK(mlx_vector_array_size(arrays) == 5);

  int numbers[] = {3, 1, 4};
  mlx_vector_int ints = mlx_vector_int_new_data(numbers, 3);
  int number = 0;
  CHECK(mlx_vector_int_get(&number, ints, 2) == 0 && number == 4);

  const char* words[] = {"ab", "cde"};
  mlx_vector_string strings = mlx_vector_string_new_data(words, 2);
  CHECK(mlx_vector_string_append_value(strings, "f") == 0);
  char* word = NULL;
  CHECK(mlx_vector_string_get(&word, strings, 1) == 0 && strcmp(word, "cde") == 0);
  CHECK(mlx_vector_string_append_value(strings, NULL) == 1);

  mlx_map_string_to_array map = mlx_map_string_to_array_new();
  CHECK(mlx_map_string_to_array_insert(map, "one", one) == 0);
  CHECK(mlx_map_string_to_array_insert(map, "two", two) == 0);
  got = mlx_array_new();
  CHECK(mlx_map_string_to_array_get(&got, map, "two") == 0 && take(got) == 2);
  int before = errors_seen;
  got = mlx_array_new();
  CHECK(mlx_map_string_to_array_get(&got, map, "three") == 2 && got.ctx == NULL);
  mlx_map_string_to_array_iterator it = mlx_map_string_to_array_iterator_new(map);
  const char* key = NULL;
  int seen = 0;
  float total = 0;
  while (mlx_map_string_to_array_iterator_next(&key, &got, it) == 0) {
    float value = 0;
    mlx_array_item_float32(&value, got);
    CHECK((strcmp(key, "one") == 0) == (value == 1));
    total += value;
    seen++;
  }
  CHECK(seen == 2 && total == 3);
  CHECK(mlx_map_string_to_array_iterator_next(&key, &got, it) == 2);
  CHECK(errors_seen == before); /* neither a missing key nor the end is an error */
  mlx_map_string_to_array_iterator_free(it);
  mlx_array_free(got);

  mlx_map_string_to_string notes = mlx_map_string_to_string_new();
  CHECK(mlx_map_string_to_string_insert(notes, "k", "v") == 0);
  const char* note = NULL;
  CHECK(mlx_map_string_to_string_get(&note, notes, "k") == 0 && strcmp(note, "v") == 0);
  mlx_map_string_to_string copy = mlx_map_string_to_string_new();
  CHECK(mlx_map_string_to_string_set(&copy, notes) == 0);
  mlx_map_string_to_string_iterator pairs = mlx_map_string_to_string_iterator_new(copy);
  CHECK(mlx_map_string_to_string_iterator_next(&key, &note, pairs) == 0);
  CHECK(strcmp(key, "k") == 0 && strcmp(note, "v") == 0);
  CHECK(mlx_map_string_to_string_iterator_next(&key, &note, pairs) == 2);
  mlx_map_string_to_string_iterator_free(pairs);

  mlx_string text = mlx_string_new_data("text");
  mlx_string other = mlx_string_new();
  CHECK(mlx_string_set(&other, text) == 0 && strcmp(mlx_string_data(other), "text") == 0);
  CHECK(mlx_string_data(text) != mlx_string_data(other));
  mlx_string_free(text);
  mlx_string_free(other);

  mlx_map_string_to_string_free(copy);
  mlx_map_string_to_string_free(notes);
  mlx_map_string_to_array_free(map);
  mlx_vector_string_free(strings);
  mlx_vector_int_free(ints);
  mlx_vector_array_free(inner);
  mlx_vector_vector_array_free(nested);
  mlx_vector_array_free(arrays);
  mlx_array_free(one);
  mlx_array_free(two);
}

/* --- files --- */

typedef struct {
  char bytes[4096];
  size_t at;
  size_t size;
} memory_file;

static bool always(void* desc) {
  (void)desc;
  return true;
}

static size_t tell(void* desc) {
  return ((memory_file*)desc)->at;
}

static void seek(void* desc, int64_t off, int whence) {
  memory_file* file = desc;
  size_t base = whence == SEEK_SET ? 0 : whence == SEEK_CUR ? file->at : file->size;
  file->at = base + (size_t)off;
}

static void read_at(void* desc, char* data, size_t n, size_t off) {
  memcpy(data, ((memory_file*)desc)->bytes + off, n);
}

static void read_next(void* desc, char* data, size_t n) {
  memory_file* file = desc;
  read_at(desc, data, n, file->at);
  file->at += n;
}

static void write_next(void* desc, const char* data, size_t n) {
  memory_file* file = desc;
  memcpy(file->bytes + file->at, data, n);
  file->at += n;
  file->size = file->at > file->size ? file->at : file->size;
}

static const char* label(void* desc) {
  (void)desc;
  return "memory.safetensors";
}

static const mlx_io_vtable memory_calls = {
    always, always, tell, seek, read_next, read_at, write_next, label, count_release};

static void check_loaded(mlx_map_string_to_array weights, mlx_map_string_to_string notes) {
  mlx_array w = mlx_array_new();
  CHECK(mlx_map_string_to_array_get(&w, weights, "w") == 0);
  CHECK(mlx_array_size(w) == 3 && mlx_sum(&w, w, false, cpu) == 0 && take(w) == 6);
  const char* note = NULL;
  CHECK(mlx_map_string_to_string_get(&note, notes, "format") == 0 && strcmp(note, "mlx") == 0);
}

static void files(const char* folder) {
  char path[1000];
  mlx_array w = vector_of((float[]){1, 2, 3}, 3);
  mlx_map_string_to_array weights = mlx_map_string_to_array_new();
  mlx_map_string_to_string notes = mlx_map_string_to_string_new();
  mlx_map_string_to_array_insert(weights, "w", w);
  mlx_map_string_to_string_insert(notes, "format", "mlx");
  mlx_map_string_to_array loaded = mlx_map_string_to_array_new();
  mlx_map_string_to_string read_notes = mlx_map_string_to_string_new();

  snprintf(path, sizeof path, "%s/weights.safetensors", folder);
  CHECK(mlx_save_safetensors(path, weights, notes) == 0);
  CHECK(mlx_load_safetensors(&loaded, &read_notes, path, cpu) == 0);
  check_loaded(loaded, read_notes);

  released = 0;
  memory_file file = {{0}, 0, 0};
  mlx_io_writer writer = mlx_io_writer_new(&file, memory_calls);
  CHECK(mlx_save_safetensors_writer(writer, weights, notes) == 0);
  void* desc = NULL;
  CHECK(mlx_io_writer_descriptor(&desc, writer) == 0 && desc == &file);
  mlx_io_writer_free(writer);
  CHECK(released == 1 && file.size > 12);
  file.at = 0;
  mlx_io_reader reader = mlx_io_reader_new(&file, memory_calls);
  CHECK(mlx_load_safetensors_reader(&loaded, &read_notes, reader, cpu) == 0);
  mlx_string text = mlx_string_new();
  CHECK(mlx_io_reader_tostring(&text, reader) == 0);
  CHECK(strstr(mlx_string_data(text), "memory") != NULL);
  mlx_string_free(text);
  mlx_io_reader_free(reader);
  check_loaded(loaded, read_notes); /* lazy arrays keep the reader */
  mlx_map_string_to_array_free(loaded);
  CHECK(released == 2);

  snprintf(path, sizeof path, "%s/array.npy", folder);
  mlx_array back = mlx_array_new();
  CHECK(mlx_save(path, w) == 0 && mlx_load(&back, path, cpu) == 0);
  CHECK(mlx_array_equal(&back, back, w, false, cpu) == 0);
  bool equal = false;
  CHECK(mlx_array_item_bool(&equal, back) == 0 && equal);

  snprintf(path, sizeof path, "%s/weights.gguf", folder);
  mlx_io_gguf gguf = mlx_io_gguf_new();
  mlx_io_gguf read_gguf = mlx_io_gguf_new();
  CHECK(mlx_io_gguf_set_array(gguf, "w", w) == 0);
  CHECK(mlx_io_gguf_set_metadata_string(gguf, "general.name", "tiny") == 0);
  CHECK(mlx_save_gguf(path, gguf) == 0 && mlx_load_gguf(&read_gguf, path, cpu) == 0);
  mlx_vector_string keys = mlx_vector_string_new();
  CHECK(mlx_io_gguf_get_keys(&keys, read_gguf) == 0 && mlx_vector_string_size(keys) == 1);
  text = mlx_string_new();
  CHECK(mlx_io_gguf_get_metadata_string(&text, read_gguf, "general.name") == 0);
  CHECK(strcmp(mlx_string_data(text), "tiny") == 0);
  bool flag = true;
  CHECK(mlx_io_gguf_has_metadata_array(&flag, read_gguf, "general.name") == 0 && !flag);
  CHECK(mlx_io_gguf_get_array(&back, read_gguf, "w") == 0 && mlx_array_size(back) == 3);
  CHECK(mlx_io_gguf_get_array(&back, read_gguf, "v") == 1);
  mlx_string_free(text);
  mlx_vector_string_free(keys);
  mlx_io_gguf_free(read_gguf);
  mlx_io_gguf_free(gguf);

  snprintf(path, sizeof path, "%s/function.mlxfn", folder);
  mlx_closure unary = mlx_closure_new_unary(doubled);
  mlx_vector_array args = mlx_vector_array_new_value(w);
  mlx_vector_array results = mlx_vector_array_new();
  mlx_function_exporter exporter = mlx_function_exporter_new(path, unary, false);
  CHECK(mlx_function_exporter_apply(exporter, args) == 0);
  mlx_function_exporter_free(exporter);
  mlx_imported_function imported = mlx_imported_function_new(path);
  CHECK(mlx_imported_function_apply(&results, imported, args) == 0);
  mlx_array sum = first(results);
  CHECK(mlx_sum(&sum, sum, false, cpu) == 0 && take(sum) == 12);
  mlx_imported_function_free(imported);

  FILE* stream = tmpfile();
  mlx_node_namer namer = mlx_node_namer_new();
  CHECK(mlx_closure_apply(&results, unary, args) == 0);
  CHECK(mlx_node_namer_set_name(namer, w, "weight") == 0);
  const char* name = NULL;
  CHECK(mlx_node_namer_get_name(&name, namer, w) == 0 && strcmp(name, "weight") == 0);
  CHECK(mlx_export_to_dot(stream, namer, results) == 0 && mlx_print_graph(stream, namer, results) == 0);
  CHECK(ftell(stream) > 0);
  fclose(stream);
  mlx_node_namer_free(namer);
  mlx_vector_array_free(results);
  mlx_vector_array_free(args);
  mlx_closure_free(unary);

  mlx_array_free(back);
  mlx_map_string_to_string_free(read_notes);
  mlx_map_string_to_string_free(notes);
  mlx_map_string_to_array_free(weights);
  mlx_array_free(w);
}

/* --- devices --- */

static void devices(void) {
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

/* --- calls with options, and the ones MLX has changed since --- */

static void options(void) {
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
  mlx_stream_free(cpu);
  return failures != 0;
}
