/* Arrays between Python lists and C vectors, and the Python functions that MLX calls. */
#define Py_LIMITED_API 0x030b0000
#include "handle_type.h"

static PyObject* keep_exception = NULL; /* (exception) -> anything */

static PyObject* list_of(mlx_vector_array vector) {
  Py_ssize_t size = (Py_ssize_t)mlx_vector_array_size(vector);
  PyObject* list = PyList_New(size);
  for (Py_ssize_t i = 0; list != NULL && i < size; i++) {
    mlx_array item = {0};
    mlx_vector_array_get(&item, vector, (size_t)i);
    PyObject* owner = mlxc_owner(item);
    if (owner == NULL) {
      Py_CLEAR(list);
      break;
    }
    PyList_SetItem(list, i, owner);
  }
  return list;
}

/* Gives a vector the arrays of a sequence; 1 with an exception on failure. */
static int set_vector(mlx_vector_array* vector, PyObject* arrays) {
  PyObject* list = PySequence_List(arrays);
  Py_ssize_t size = list == NULL ? 0 : PyList_Size(list);
  mlx_array* data = PyMem_Malloc((size_t)(size + 1) * sizeof(mlx_array));
  int status = list == NULL || data == NULL;
  for (Py_ssize_t i = 0; status == 0 && i < size; i++) {
    Handle* item = mlxc_handle(PyList_GetItem(list, i));
    status = item == NULL;
    data[i] = status ? (mlx_array){0} : item->array;
  }
  if (status == 0 && mlx_vector_array_set_data(vector, data, (size_t)size) != 0) {
    Py_XDECREF(mlxc_owner((mlx_array){0}));
    status = 1;
  }
  PyMem_Free(data);
  Py_XDECREF(list);
  return status;
}

PyObject* mlxc_addresses(PyObject* module, PyObject* arrays) {
  (void)module;
  PyObject* list = PySequence_List(arrays);
  Py_ssize_t size = list == NULL ? 0 : PyList_Size(list);
  for (Py_ssize_t i = 0; i < size; i++) {
    Handle* item = mlxc_handle(PyList_GetItem(list, i));
    if (item == NULL) {
      Py_DECREF(list);
      return NULL;
    }
    PyList_SetItem(list, i, Py_NewRef(item->address));
  }
  return list;
}

PyObject* mlxc_read_vector(PyObject* module, PyObject* address) {
  (void)module;
  mlx_vector_array vector = {PyLong_AsVoidPtr(address)};
  return PyErr_Occurred() ? NULL : list_of(vector);
}

PyObject* mlxc_unpack(PyObject* module, PyObject* address) {
  (void)module;
  mlx_vector_array vector = {PyLong_AsVoidPtr(address)};
  if (vector.ctx == NULL) {
    return PyErr_Occurred() ? NULL : mlxc_owner((mlx_array){0});
  }
  PyObject* list = list_of(vector);
  mlx_vector_array_free(vector);
  return list;
}

/* --- payloads: Python objects that C holds, let go once C has dropped them --- */

PyObject* mlxc_release_dropped(PyObject* module, PyObject* none) {
  (void)module, (void)none;
  void* payload;
  while ((payload = mlxc_next_dropped()) != NULL) {
    Py_DECREF((PyObject*)payload);
  }
  Py_RETURN_NONE;
}

PyObject* mlxc_new_payload(PyObject* module, PyObject* object) {
  Py_XDECREF(mlxc_release_dropped(module, NULL));
  return PyLong_FromVoidPtr(Py_NewRef(object));
}

PyObject* mlxc_payload(PyObject* module, PyObject* address) {
  (void)module;
  void* object = PyLong_AsVoidPtr(address);
  return object == NULL ? NULL : Py_NewRef((PyObject*)object);
}

PyObject* mlxc_new_closure(PyObject* module, PyObject* function) {
  Py_XDECREF(mlxc_release_dropped(module, NULL));
  mlx_closure closure =
      mlx_closure_new_func_payload(mlxc_call_python, Py_NewRef(function), mlxc_drop_payload);
  if (closure.ctx == NULL) {
    Py_DECREF(function);
    return mlxc_owner((mlx_array){0});
  }
  return PyLong_FromVoidPtr(closure.ctx);
}

PyObject* mlxc_set_keep_exception(PyObject* module, PyObject* function) {
  (void)module;
  keep_exception = Py_NewRef(function);
  Py_RETURN_NONE;
}

static void keep_raised(void) {
  PyObject *type, *value, *traceback;
  PyErr_Fetch(&type, &value, &traceback);
  PyErr_NormalizeException(&type, &value, &traceback);
  if (traceback != NULL) {
    PyException_SetTraceback(value, traceback);
  }
  Py_XDECREF(PyObject_CallFunctionObjArgs(keep_exception, value, NULL));
  Py_XDECREF(type);
  Py_XDECREF(value);
  Py_XDECREF(traceback);
}

int mlxc_call(mlx_vector_array* res, const mlx_vector_array args, void* payload) {
  PyGILState_STATE state = PyGILState_Ensure();
  PyObject* arrays = list_of(args);
  PyObject* made =
      arrays == NULL ? NULL : PyObject_CallFunctionObjArgs((PyObject*)payload, arrays, NULL);
  Py_XDECREF(arrays);
  int status = made == NULL ? 1 : set_vector(res, made);
  Py_XDECREF(made);
  if (status != 0) {
    keep_raised();
  }
  PyGILState_Release(state);
  return status;
}
