/* C compiled into the extension module itself, in front of what cffi writes. */
#include <stdlib.h>

#include "mlx/c/mlx.h"
#include "extras.h"
#include "mlxc.h"

static inline mlx_array as_array(uintptr_t address) {
  return (mlx_array){(void*)address};
}

static uintptr_t h_scalar_int(int64_t value, int dtype) {
  return (uintptr_t)mlxc_scalar_int(value, (mlx_dtype)dtype).ctx;
}

static uintptr_t h_scalar_float(double value, int dtype) {
  return (uintptr_t)mlxc_scalar_float(value, (mlx_dtype)dtype).ctx;
}

static uintptr_t h_scalar_complex(double real, double imag) {
  return (uintptr_t)mlx_array_new_complex((float)real, (float)imag).ctx;
}

static uintptr_t h_from_data(const void* data, const int* shape, int dim, int dtype) {
  return (uintptr_t)mlx_array_new_data(data, shape, dim, (mlx_dtype)dtype).ctx;
}

static int h_affine_blocks(
    uintptr_t* results, int kind, const void* blocks, const int* shape, int dim) {
  mlx_array triple[3];
  int status = mlxc_affine_blocks(triple, kind, blocks, shape, dim);
  for (int i = 0; i < 3 && !status; i++) {
    results[i] = (uintptr_t)triple[i].ctx;
  }
  return status;
}

static uintptr_t h_float_blocks(int kind, const void* blocks, const int* shape, int dim) {
  mlx_array res = {0};
  return mlxc_float_blocks(&res, kind, blocks, shape, dim) ? 0 : (uintptr_t)res.ctx;
}

static int h_ndim(uintptr_t a) {
  return (int)mlx_array_ndim(as_array(a));
}

static size_t h_size(uintptr_t a) {
  return mlx_array_size(as_array(a));
}

static int h_dim(uintptr_t a, int axis) {
  return mlx_array_dim(as_array(a), axis);
}

static int h_dtype(uintptr_t a) {
  return (int)mlx_array_dtype(as_array(a));
}

static void h_shape(uintptr_t a, int* shape) {
  const int* source = mlx_array_shape(as_array(a));
  int ndim = h_ndim(a);
  for (int i = 0; i < ndim; i++) {
    shape[i] = source[i];
  }
}

/* Whether reading the array would not wait. */
static bool h_is_available(uintptr_t a) {
  bool available = false;
  return _mlx_array_is_available(&available, as_array(a)) == 0 && available;
}

static int h_eval(uintptr_t a) {
  return mlx_array_eval(as_array(a));
}

/* An address has the size and place of mlx_array's one field. */
static int h_eval_all(const uintptr_t* arrays, size_t arrays_num, bool wait) {
  mlx_vector_array vector = mlx_vector_array_new_data((const mlx_array*)arrays, arrays_num);
  int status = wait ? mlx_eval(vector) : mlx_async_eval(vector);
  mlx_vector_array_free(vector);
  return status;
}

/* Evaluates and returns the address of the first element. */
static uintptr_t h_data(uintptr_t a) {
  return h_eval(a) ? 0 : (uintptr_t)mlx_array_data_uint8(as_array(a));
}

/* Where a boolean array, contiguous in memory, is true: its positions in row-major order. */
static uintptr_t h_flatnonzero(uintptr_t mask) {
  if (h_eval(mask)) {
    return 0;
  }
  const bool* values = mlx_array_data_bool(as_array(mask));
  size_t size = h_size(mask), count = 0;
  for (size_t i = 0; i < size; i++) {
    count += values[i];
  }
  uint32_t* places = malloc(count * sizeof(uint32_t) + 1);
  for (size_t i = 0, next = 0; places != NULL && i < size; i++) {
    if (values[i]) {
      places[next++] = (uint32_t)i;
    }
  }
  int length = (int)count;
  uintptr_t result = (uintptr_t)mlx_array_new_data(places, &length, 1, MLX_UINT32).ctx;
  free(places);
  return result;
}

/* `a OP b` for a Python int, which takes the array's type; beside booleans it is int32. */
static uintptr_t h_binary_int(int op, uintptr_t a, int64_t b, bool reflected) {
  mlx_dtype dtype = mlx_array_dtype(as_array(a));
  mlx_array scalar = mlxc_scalar_int(b, dtype == MLX_BOOL ? MLX_INT32 : dtype);
  return (uintptr_t)mlxc_binary_scalar(op, as_array(a), scalar, reflected).ctx;
}

/* What Python writes for a bound that a slice leaves out. */
#define NO_BOUND INT64_MIN

/* A bound counted from either end, clipped to what it can reach in that direction. */
static int64_t clipped(int64_t bound, int64_t length, int64_t low, int64_t high) {
  bound += bound < 0 ? length : 0;
  return bound < low ? low : bound > high ? high : bound;
}

static uintptr_t slice_first(uintptr_t a, int64_t start, int64_t stop, int64_t step) {
  int ndim = h_ndim(a);
  int starts[ndim], stops[ndim], steps[ndim];
  for (int i = 1; i < ndim; i++) {
    starts[i] = 0;
    stops[i] = h_dim(a, i);
    steps[i] = 1;
  }
  starts[0] = (int)start;
  stops[0] = (int)stop;
  steps[0] = (int)step;
  size_t n = (size_t)ndim;
  mlx_array res = {0};
  int status = mlx_slice(&res, as_array(a), starts, n, stops, n, steps, n, mlxc_default_stream());
  return status ? 0 : (uintptr_t)res.ctx;
}

/* `a[start:stop:step]` on the first axis, bounds as in Python; the caller has checked that
 * there is one and that the step is not 0. */
static uintptr_t h_slice_first(uintptr_t a, int64_t start, int64_t stop, int64_t step) {
  int64_t length = h_dim(a, 0);
  int64_t low = step < 0 ? -1 : 0, high = step < 0 ? length - 1 : length;
  start = start == NO_BOUND ? (step < 0 ? high : low) : clipped(start, length, low, high);
  stop = stop == NO_BOUND ? (step < 0 ? low : high) : clipped(stop, length, low, high);
  if (start < 0) { /* backwards from before the first element */
    return slice_first(a, 0, 0, 1);
  }
  step = step > length + 1 ? length + 1 : step < -length - 1 ? -length - 1 : step;
  /* MLX counts a negative stop from the end; this one means "past the first". */
  return slice_first(a, start, stop < 0 ? -length - 1 : stop, step);
}

/* `a[index]` on the first axis; the caller has checked the bounds. */
static uintptr_t h_index(uintptr_t a, int64_t index) {
  uintptr_t row = slice_first(a, index, index + 1, 1);
  mlx_array res = {0};
  int status = row == 0 || mlx_squeeze_axis(&res, as_array(row), 0, mlxc_default_stream());
  mlx_array_free(as_array(row));
  return status ? 0 : (uintptr_t)res.ctx;
}

/* A second handle to the same array. */
static uintptr_t h_keep(uintptr_t a) {
  mlx_array copy = {0};
  return mlx_array_set(&copy, as_array(a)) ? 0 : (uintptr_t)copy.ctx;
}

static void h_closure_free(uintptr_t fun) {
  mlx_closure_free((mlx_closure){(void*)fun});
}

/* The outputs of a function of arrays, and the gradients of the first one. */
static int h_value_and_grad(
    uintptr_t* results,
    uintptr_t fun,
    const uintptr_t* args,
    size_t args_num,
    const int* argnums,
    size_t argnums_num) {
  mlx_closure_value_and_grad both = {0};
  mlx_vector_array values = {0}, gradients = {0};
  mlx_vector_array args_ = mlx_vector_array_new_data((const mlx_array*)args, args_num);
  int status = mlx_value_and_grad(&both, (mlx_closure){(void*)fun}, argnums, argnums_num) ||
      mlx_closure_value_and_grad_apply(&values, &gradients, both, args_);
  mlx_vector_array_free(args_);
  mlx_closure_value_and_grad_free(both);
  results[0] = (uintptr_t)values.ctx;
  results[1] = (uintptr_t)gradients.ctx;
  return status;
}
