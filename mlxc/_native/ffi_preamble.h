/* C compiled into the extension module itself, in front of what cffi writes. */
#include "mlx/c/mlx.h"
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

static bool h_same_shape(uintptr_t a, uintptr_t b) {
  int ndim = h_ndim(a);
  if (ndim != h_ndim(b)) {
    return false;
  }
  for (int i = 0; i < ndim; i++) {
    if (h_dim(a, i) != h_dim(b, i)) {
      return false;
    }
  }
  return true;
}

static size_t h_vector_size(uintptr_t vector) {
  return mlx_vector_array_size((mlx_vector_array){(void*)vector});
}

/* Moves a vector's arrays out and frees the vector. */
static int h_vector_take(uintptr_t vector, uintptr_t* arrays) {
  mlx_vector_array source = {(void*)vector};
  size_t size = mlx_vector_array_size(source);
  int status = 0;
  for (size_t i = 0; i < size; i++) {
    mlx_array item = {0};
    status |= mlx_vector_array_get(&item, source, i);
    arrays[i] = (uintptr_t)item.ctx;
  }
  mlx_vector_array_free(source);
  return status;
}

/* A second handle to the same array. */
static uintptr_t h_keep(uintptr_t a) {
  mlx_array copy = {0};
  return mlx_array_set(&copy, as_array(a)) ? 0 : (uintptr_t)copy.ctx;
}

static void h_free(uintptr_t a) {
  mlx_array_free(as_array(a));
}
