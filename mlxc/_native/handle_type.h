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

/* Frees an array, whose address is handed over, once nobody else holds the address. */
void mlxc_let_go(mlx_array array, PyObject* address);

/* Another reference to an array, for whoever lets go of the GIL: `a += b` gives the object another
 * array. */
mlx_array mlxc_second(mlx_array array);

/* The calling thread's default stream, for whoever has the GIL; it may let go of it. */
mlx_stream mlxc_own_stream(void);

/* Evaluates without the GIL; returns the data pointer, NULL with an exception. */
void* mlxc_evaluated_data(mlx_array array);

/* addresses(arrays) -> list of int, the handles of arrays that the caller keeps alive */
PyObject* mlxc_addresses(PyObject* module, PyObject* arrays);

/* read_vector(address) -> list of the arrays of a C vector, which stays its owner's */
PyObject* mlxc_read_vector(PyObject* module, PyObject* address);

/* unpack(address) -> the same of a C vector that is freed; raises the last error for 0 */
PyObject* mlxc_unpack(PyObject* module, PyObject* address);

/* new_closure(function) -> address of an mlx_closure that calls a Python function */
PyObject* mlxc_new_closure(PyObject* module, PyObject* function);

/* new_payload(object) -> address of the object, which lives until C drops it */
PyObject* mlxc_new_payload(PyObject* module, PyObject* object);

/* payload(address) -> object */
PyObject* mlxc_payload(PyObject* module, PyObject* address);

/* release_dropped() lets go of the payloads that C has dropped */
PyObject* mlxc_release_dropped(PyObject* module, PyObject* none);

/* set_keep_exception(function), which is given what a Python function raised below C */
PyObject* mlxc_set_keep_exception(PyObject* module, PyObject* function);

/* to_dlpack(array, versioned, copied) -> capsule */
PyObject* mlxc_to_dlpack(PyObject* module, PyObject* args);

/* from_dlpack(capsule, copy) -> (array, whether it shares the memory) */
PyObject* mlxc_from_dlpack(PyObject* module, PyObject* args);

/* end_of_strings(data, at, count) -> where the last of `count` strings ends; behind the data, the
 * first that does */
PyObject* mlxc_end_of_strings(PyObject* module, PyObject* args);

/* strings(data, at, count) -> (list of the strings, where the last ends) */
PyObject* mlxc_strings(PyObject* module, PyObject* args);

/* cut(array, key) -> array[key] of one or a tuple of slices with a step of 1, None for other keys */
PyObject* mlxc_cut(PyObject* module, PyObject* const* args, Py_ssize_t nargs);

/* put(array, key, value) -> the array with a value of its type there, None likewise */
PyObject* mlxc_put(PyObject* module, PyObject* const* args, Py_ssize_t nargs);

/* combine(code, array, other, reflected) -> what an operator makes of an array and an array, float or
 * small int; None for other operands */
PyObject* mlxc_combine(PyObject* module, PyObject* const* args, Py_ssize_t nargs);

/* reshaped(array, shape) and transposed(array, axes) -> the array of that shape, or with its axes in
 * that order; None unless they are a tuple of ints, maybe in a tuple of its own */
PyObject* mlxc_reshaped(PyObject* module, PyObject* const* args, Py_ssize_t nargs);
PyObject* mlxc_transposed(PyObject* module, PyObject* const* args, Py_ssize_t nargs);

#endif
