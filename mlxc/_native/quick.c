/* Operators and changes of shape, what most of a graph is made of, in one call each, which keeps the
 * GIL. Other arguments than the usual ones are left to Python. */
#include "handle_type.h"

#include <limits.h>

#include "cpu/cpu.h"
#include "extras.h"

enum { MAX_AXES = 16 };

typedef int (*BinaryOp)(mlx_array*, const mlx_array, const mlx_array, const mlx_stream);

/* In the order of OPERATORS in mlxc/_operators.py. */
static const BinaryOp BINARY_OPS[] = {
    mlx_add,         mlx_subtract,   mlx_multiply,   mlx_divide,     mlxc_safe_floor_divide,
    mlxc_safe_remainder, mlx_power,  mlx_left_shift, mlx_right_shift, mlx_bitwise_and,
    mlx_bitwise_or,  mlx_bitwise_xor, mlx_less,      mlx_less_equal,  mlx_greater,
    mlx_greater_equal, mlx_equal,    mlx_not_equal,  mlxc_cpu_matmul,
};

mlx_array mlxc_binary_scalar(int op, mlx_array a, mlx_array b, bool reflected) {
  mlx_array res = {0};
  if (b.ctx != NULL) {
    BINARY_OPS[op](&res, reflected ? b : a, reflected ? a : b, mlxc_default_stream());
  }
  mlx_array_free(b);
  return res;
}

/* A Python float takes the array's type if that is a floating one. */
static mlx_array scalar_float(double value, mlx_dtype beside) {
  bool floating = beside == MLX_FLOAT16 || beside == MLX_BFLOAT16 || beside == MLX_FLOAT64;
  return mlxc_scalar_float(value, floating ? beside : MLX_FLOAT32);
}

/* An int that every type holds takes the array's; beside booleans it is int32. */
static mlx_array scalar_int(long value, mlx_dtype beside) {
  return mlxc_scalar_int(value, beside == MLX_BOOL ? MLX_INT32 : beside);
}

static int is_small(PyObject* value, long* small) {
  int overflows;
  *small = PyLong_AsLongAndOverflow(value, &overflows);
  return !overflows && *small >= 0 && *small < 128;
}

/* A product looks at how its arrays came to be, for which it may wait for another thread: without the
 * GIL, so with references of its own. */
static mlx_array product(mlx_array a, mlx_array b, mlx_stream stream) {
  mlx_array res = {0}, x = mlxc_second(a), y = mlxc_second(b);
  Py_BEGIN_ALLOW_THREADS
  mlxc_cpu_matmul(&res, x, y, stream);
  mlx_array_free(x);
  mlx_array_free(y);
  Py_END_ALLOW_THREADS
  return res;
}

PyObject* mlxc_combine(PyObject* module, PyObject* const* args, Py_ssize_t nargs) {
  (void)module;
  Handle* a = nargs == 4 ? mlxc_handle(args[1]) : NULL;
  if (a == NULL) {
    return NULL;
  }
  int op = (int)PyLong_AsLong(args[0]), reflected = args[3] == Py_True;
  PyObject* other = args[2];
  long small;
  mlx_array res = {0};
  mlx_stream stream = mlxc_own_stream(); /* before the arrays: it may let go of the GIL */
  if (Py_TYPE(other) == Py_TYPE(args[1])) {
    mlx_array b = ((Handle*)other)->array;
    if (BINARY_OPS[op] == mlxc_cpu_matmul) {
      res = product(a->array, b, stream);
    } else {
      BINARY_OPS[op](&res, a->array, b, stream);
    }
  } else if (PyFloat_CheckExact(other)) {
    mlx_array value = scalar_float(PyFloat_AsDouble(other), mlx_array_dtype(a->array));
    res = mlxc_binary_scalar(op, a->array, value, reflected);
  } else if (PyLong_CheckExact(other) && is_small(other, &small)) {
    mlx_array value = scalar_int(small, mlx_array_dtype(a->array));
    res = mlxc_binary_scalar(op, a->array, value, reflected);
  } else {
    Py_RETURN_NONE;
  }
  return mlxc_owner(res);
}

/* The integers of a tuple, or of the only tuple in it; -1 for anything else. */
static int read_ints(PyObject* tuple, int* ints) {
  Py_ssize_t count = PyTuple_Size(tuple);
  if (count == 1 && PyTuple_CheckExact(PyTuple_GetItem(tuple, 0))) {
    tuple = PyTuple_GetItem(tuple, 0);
    count = PyTuple_Size(tuple);
  }
  if (count < 1 || count > MAX_AXES) {
    return -1;
  }
  for (Py_ssize_t i = 0; i < count; i++) {
    PyObject* item = PyTuple_GetItem(tuple, i);
    int overflows = 1;
    long value = PyLong_CheckExact(item) ? PyLong_AsLongAndOverflow(item, &overflows) : 0;
    if (overflows || value < INT_MIN || value > INT_MAX) {
      return -1;
    }
    ints[i] = (int)value;
  }
  return (int)count;
}

typedef int (*Rearrange)(mlx_array*, const mlx_array, const int*, size_t, const mlx_stream);

static PyObject* rearranged(PyObject* const* args, Py_ssize_t nargs, Rearrange rearrange) {
  int ints[MAX_AXES];
  Handle* a = nargs == 2 ? mlxc_handle(args[0]) : NULL;
  if (a == NULL) {
    return NULL;
  }
  int count = PyTuple_CheckExact(args[1]) ? read_ints(args[1], ints) : -1;
  if (count < 0) {
    Py_RETURN_NONE;
  }
  mlx_array res = {0};
  mlx_stream stream = mlxc_own_stream(); /* before the array: it may let go of the GIL */
  rearrange(&res, a->array, ints, (size_t)count, stream);
  return mlxc_owner(res);
}

PyObject* mlxc_reshaped(PyObject* module, PyObject* const* args, Py_ssize_t nargs) {
  (void)module;
  return rearranged(args, nargs, mlx_reshape);
}

PyObject* mlxc_transposed(PyObject* module, PyObject* const* args, Py_ssize_t nargs) {
  (void)module;
  return rearranged(args, nargs, mlx_transpose_axes);
}
