/* Closures under every transform. */
#include "program.h"

#ifdef WITH_ERROR_KIND
int mlxc_error_kind(void);
#endif

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

void closures(void) {
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
