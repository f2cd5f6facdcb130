/* Keys made of slices with a step of 1, as `a[1:3]` and `a[:, :, 3:4]`: what caches read and write
 * with at every token, so they are taken apart here. All other keys are left to Python. */
#include "handle_type.h"

#include <string.h>

enum { MAX_AXES = 16 };

typedef struct {
  int ndim;
  int start[MAX_AXES], stop[MAX_AXES], step[MAX_AXES];
} Cut;

/* Whether a key is of this kind; no exception is left behind. */
static int read_key(PyObject* key, mlx_array array, Cut* cut) {
  int single = PySlice_Check(key);
  if (!single && !PyTuple_Check(key)) {
    return 0;
  }
  Py_ssize_t parts = single ? 1 : PyTuple_Size(key);
  size_t ndim = mlx_array_ndim(array);
  if (parts == 0 || (size_t)parts > ndim || ndim > MAX_AXES) {
    return 0;
  }
  int shape[MAX_AXES]; /* a bound that is no int may run Python, which may change the array */
  cut->ndim = (int)ndim;
  memcpy(shape, mlx_array_shape(array), ndim * sizeof(int));
  for (int i = 0; i < cut->ndim; i++) {
    Py_ssize_t start = 0, stop = shape[i], step = 1;
    if (i < parts) {
      PyObject* part = single ? key : PyTuple_GetItem(key, i);
      if (!PySlice_Check(part)) {
        return 0;
      }
      if (PySlice_Unpack(part, &start, &stop, &step) < 0) {
        PyErr_Clear();
        return 0;
      }
      PySlice_AdjustIndices(shape[i], &start, &stop, step);
    }
    if (step != 1) {
      return 0;
    }
    cut->start[i] = (int)start;
    cut->stop[i] = (int)(stop < start ? start : stop);
    cut->step[i] = 1;
  }
  return 1;
}

PyObject* mlxc_cut(PyObject* module, PyObject* const* args, Py_ssize_t nargs) {
  (void)module;
  Cut cut;
  Handle* a = nargs == 2 ? mlxc_handle(args[0]) : NULL;
  if (a == NULL) {
    return NULL;
  }
  if (!read_key(args[1], a->array, &cut)) {
    Py_RETURN_NONE;
  }
  mlx_array res = {0};
  mlx_stream stream = mlxc_own_stream(); /* before the arrays: it may let go of the GIL */
  int n = cut.ndim;
  mlx_slice(&res, a->array, cut.start, n, cut.stop, n, cut.step, n, stream);
  return mlxc_owner(res);
}

PyObject* mlxc_put(PyObject* module, PyObject* const* args, Py_ssize_t nargs) {
  (void)module;
  Cut cut;
  Handle* a = nargs == 3 ? mlxc_handle(args[0]) : NULL;
  Handle* value = a == NULL ? NULL : mlxc_handle(args[2]);
  if (value == NULL) {
    return NULL;
  }
  if (mlx_array_ndim(value->array) > mlx_array_ndim(a->array) ||
      !read_key(args[1], a->array, &cut)) {
    Py_RETURN_NONE;
  }
  mlx_array res = {0};
  mlx_stream stream = mlxc_own_stream(); /* before the arrays: it may let go of the GIL */
  int n = cut.ndim;
  mlx_slice_update(
      &res,
      a->array,
      value->array,
      cut.start,
      n,
      cut.stop,
      n,
      cut.step,
      n,
      stream);
  return mlxc_owner(res);
}
