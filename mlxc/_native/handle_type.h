/* What the C files of the module `mlxc._ffi._handle` share. */
#ifndef MLXC_HANDLE_H
#define MLXC_HANDLE_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "mlxc.h"

typedef struct {
  PyObject_HEAD
  mlx_array array;
  PyObject* address; /* array.ctx as an int: what cffi calls are given */
} Handle;

/* The array behind an object; a TypeError if it is none. */
Handle* mlxc_handle(PyObject* object);

/* An object that owns the array; raises the last error for an empty one. */
PyObject* mlxc_owner(mlx_array array);

/* Evaluates without the GIL; returns the data pointer, NULL with an exception. */
void* mlxc_evaluated_data(mlx_array array);

/* to_dlpack(array, versioned, copied) -> capsule */
PyObject* mlxc_to_dlpack(PyObject* module, PyObject* args);

/* from_dlpack(capsule, copy) -> (array, whether it shares the memory) */
PyObject* mlxc_from_dlpack(PyObject* module, PyObject* args);

#endif
