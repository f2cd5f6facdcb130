/* The base type of mlxc.array: owns one mlx_array, frees it once, exports its
 * memory. Living in C, it costs less than `ffi.gc` or `__del__`, and it is the
 * only way to offer the buffer protocol before Python 3.12. */
#define Py_LIMITED_API 0x030b0000
#include "handle_type.h"

#include <structmember.h>

/* What Python gives this module once, in `register`. */
static PyTypeObject* array_class = NULL;
static allocfunc array_alloc = NULL;
static PyObject* raise_last_error = NULL; /* () -> never */
static PyObject* make_array = NULL;       /* (value) -> array */
static PyObject* make_pair = NULL;        /* (a, b) -> (array, array) */
static PyObject* stream_address = NULL;   /* (stream) -> int */
static PyObject* refuse = NULL;           /* () -> never, in a forked child */

static void handle_dealloc(PyObject* object) {
  Handle* self = (Handle*)object;
  PyTypeObject* type = Py_TYPE(object);
  mlxc_let_go(self->array, self->address);
  ((freefunc)PyType_GetSlot(type, Py_tp_free))(object);
  Py_DECREF(type);
}

static const char* buffer_format(mlx_dtype dtype) {
  switch (dtype) {
    case MLX_BOOL:
      return "?";
    case MLX_UINT8:
      return "B";
    case MLX_UINT16:
      return "H";
    case MLX_UINT32:
      return "I";
    case MLX_UINT64:
      return "Q";
    case MLX_INT8:
      return "b";
    case MLX_INT16:
      return "h";
    case MLX_INT32:
      return "i";
    case MLX_INT64:
      return "q";
    case MLX_FLOAT16:
      return "e";
    case MLX_FLOAT32:
      return "f";
    case MLX_FLOAT64:
      return "d";
    case MLX_COMPLEX64:
      return "Zf";
    case MLX_BFLOAT16:
      break;
  }
  return NULL;
}

/* What an exported buffer keeps: the array itself, since `a += b` may give the
 * exporter another one meanwhile, and the shape and strides in bytes. */
typedef struct {
  mlx_array array;
  Py_ssize_t extents[];
} Export;

mlx_stream mlxc_own_stream(void) {
  mlx_stream stream = mlxc_known_stream();
  if (stream.ctx == NULL) {
    Py_BEGIN_ALLOW_THREADS
    stream = mlxc_default_stream();
    Py_END_ALLOW_THREADS
  }
  return stream;
}

mlx_array mlxc_second(mlx_array array) {
  mlx_array copy = mlx_array_new();
  mlx_array_set(&copy, array);
  return copy;
}

void* mlxc_evaluated_data(mlx_array array) {
  const void* data = NULL;
  int status;
  bool available = false;
  if (refuse != NULL && !(_mlx_array_is_available(&available, array) == 0 && available)) {
    Py_XDECREF(PyObject_CallNoArgs(refuse));
    return NULL;
  }
  Py_BEGIN_ALLOW_THREADS
  status = mlx_array_eval(array);
  if (status == 0) {
    data = mlx_array_data_uint8(array);
  }
  Py_END_ALLOW_THREADS
  if (status != 0) {
    PyObject* result = PyObject_CallNoArgs(raise_last_error);
    Py_XDECREF(result);
  }
  return (void*)data;
}

static int handle_getbuffer(PyObject* object, Py_buffer* view, int flags) {
  Handle* self = (Handle*)object;
  const char* format = buffer_format(mlx_array_dtype(self->array));
  view->obj = NULL;
  if (format == NULL) {
    PyErr_SetString(
        PyExc_BufferError,
        "bfloat16 has no buffer format; convert first, as in a.astype(mx.float32)");
    return -1;
  }
  mlx_array array = mlxc_second(self->array);
  void* data = mlxc_evaluated_data(array);
  if (PyErr_Occurred()) {
    mlx_array_free(array);
    return -1;
  }
  int ndim = (int)mlx_array_ndim(array);
  Py_ssize_t itemsize = (Py_ssize_t)mlx_array_itemsize(array);
  Py_ssize_t size = (Py_ssize_t)mlx_array_size(array);
  Export* export = PyMem_Malloc(sizeof(Export) + 2 * (size_t)ndim * sizeof(Py_ssize_t));
  if (export == NULL) {
    mlx_array_free(array);
    PyErr_NoMemory();
    return -1;
  }
  Py_ssize_t* extents = export->extents;
  const int* shape = mlx_array_shape(array);
  const size_t* strides = mlx_array_strides(array);
  Py_ssize_t dense = itemsize;
  int contiguous = 1;
  for (int i = ndim - 1; i >= 0; i--) {
    extents[i] = shape[i];
    extents[ndim + i] = (Py_ssize_t)strides[i] * itemsize;
    contiguous &= shape[i] == 1 || extents[ndim + i] == dense;
    dense *= shape[i];
  }
  if (!contiguous && size > 0 && (flags & PyBUF_STRIDES) != PyBUF_STRIDES) {
    mlx_array_free(array);
    PyMem_Free(export);
    PyErr_SetString(
        PyExc_BufferError,
        "the array is not contiguous in memory; take mx.contiguous(a) first");
    return -1;
  }
  export->array = array;
  view->buf = data;
  view->len = size * itemsize;
  view->itemsize = itemsize;
  view->readonly = 0;
  view->ndim = ndim;
  view->format = (flags & PyBUF_FORMAT) ? (char*)format : NULL;
  view->shape = (flags & PyBUF_ND) ? extents : NULL;
  view->strides = (flags & PyBUF_STRIDES) == PyBUF_STRIDES ? extents + ndim : NULL;
  view->suboffsets = NULL;
  view->internal = export;
  view->obj = Py_NewRef(object);
  return 0;
}

static void handle_releasebuffer(PyObject* object, Py_buffer* view) {
  (void)object;
  Export* export = view->internal;
  mlx_array_free(export->array);
  PyMem_Free(export);
}

static PyObject* handle_shape(PyObject* object, void* closure) {
  (void)closure;
  mlx_array array = ((Handle*)object)->array;
  PyObject* address = Py_NewRef(((Handle*)object)->address); /* a tuple may collect garbage */
  Py_ssize_t ndim = (Py_ssize_t)mlx_array_ndim(array);
  const int* shape = mlx_array_shape(array);
  PyObject* result = PyTuple_New(ndim);
  for (Py_ssize_t i = 0; result != NULL && i < ndim; i++) {
    PyObject* extent = PyLong_FromLong(shape[i]);
    if (extent == NULL) {
      Py_CLEAR(result);
      break;
    }
    PyTuple_SetItem(result, i, extent);
  }
  Py_DECREF(address);
  return result;
}

static PyObject* handle_ndim(PyObject* object, void* closure) {
  (void)closure;
  return PyLong_FromSize_t(mlx_array_ndim(((Handle*)object)->array));
}

static PyObject* handle_size(PyObject* object, void* closure) {
  (void)closure;
  return PyLong_FromSize_t(mlx_array_size(((Handle*)object)->array));
}

static PyObject* handle_nbytes(PyObject* object, void* closure) {
  (void)closure;
  return PyLong_FromSize_t(mlx_array_nbytes(((Handle*)object)->array));
}

static PyObject* handle_itemsize(PyObject* object, void* closure) {
  (void)closure;
  return PyLong_FromSize_t(mlx_array_itemsize(((Handle*)object)->array));
}

static PyGetSetDef handle_getset[] = {
    {"shape", handle_shape, NULL, "The length of each axis, as a tuple.", NULL},
    {"ndim", handle_ndim, NULL, "The number of axes.", NULL},
    {"size", handle_size, NULL, "The number of elements.", NULL},
    {"nbytes", handle_nbytes, NULL, "The number of bytes in the array.", NULL},
    {"itemsize", handle_itemsize, NULL, "The number of bytes an element.", NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyMemberDef handle_members[] = {
    {"_h", T_OBJECT_EX, offsetof(Handle, address), READONLY, NULL},
    {NULL, 0, 0, 0, NULL},
};

static PyType_Slot handle_slots[] = {
    {Py_tp_doc, "Owner of one mlx_array; `_h` is its address for C calls."},
    {Py_tp_dealloc, handle_dealloc},
    {Py_tp_members, handle_members},
    {Py_tp_getset, handle_getset},
    {Py_bf_getbuffer, handle_getbuffer},
    {Py_bf_releasebuffer, handle_releasebuffer},
    {0, NULL},
};

static PyType_Spec handle_spec = {
    "mlxc._ffi._handle.Handle",
    sizeof(Handle),
    0,
    Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    handle_slots,
};

/* MLX counts bytes in 64 bits and does not notice when they do not suffice, and lets arrays
 * without elements have negative lengths. */
static int is_addressable(mlx_array array) {
  const int* shape = mlx_array_shape(array);
  uint64_t bytes = mlx_array_itemsize(array);
  int overflows = 0, empty = 0, negative = 0;
  for (size_t i = mlx_array_ndim(array); i-- > 0;) {
    empty |= shape[i] == 0;
    negative |= shape[i] < 0;
    overflows |= __builtin_mul_overflow(bytes, (uint64_t)shape[i], &bytes);
  }
  if (negative) {
    PyErr_SetString(PyExc_ValueError, "the lengths of axes must not be negative");
    return 0;
  }
  if (!empty && (overflows || bytes > PY_SSIZE_T_MAX)) {
    PyErr_SetString(PyExc_ValueError, "an array of more bytes than 64 bits can count");
    return 0;
  }
  return 1;
}

static PyObject* wrap(PyObject* module, PyObject* address) {
  (void)module;
  void* ctx = PyLong_AsVoidPtr(address);
  if (ctx == NULL) {
    return PyErr_Occurred() ? NULL : PyObject_CallNoArgs(raise_last_error);
  }
  Handle* self = is_addressable((mlx_array){ctx}) ? (Handle*)array_alloc(array_class, 0) : NULL;
  if (self == NULL) {
    mlx_array_free((mlx_array){ctx});
    return NULL;
  }
  self->array.ctx = ctx;
  self->address = Py_NewRef(address);
  return (PyObject*)self;
}

Handle* mlxc_handle(PyObject* object) {
  if (!PyObject_TypeCheck(object, array_class)) {
    PyObject* name = PyType_GetName(Py_TYPE(object));
    if (name != NULL) {
      PyErr_Format(
          PyExc_TypeError, "expected an array, got %U; mx.array makes one of Python data", name);
      Py_DECREF(name);
    }
    return NULL;
  }
  return (Handle*)object;
}

PyObject* mlxc_owner(mlx_array array) {
  PyObject* address = PyLong_FromVoidPtr(array.ctx);
  if (address == NULL) {
    mlx_array_free(array);
    return NULL;
  }
  PyObject* owner = wrap(NULL, address);
  Py_DECREF(address);
  return owner;
}

static PyObject* swap(PyObject* module, PyObject* args) {
  (void)module;
  PyObject *left, *right;
  if (!PyArg_ParseTuple(args, "O!O!:swap", array_class, &left, array_class, &right)) {
    return NULL;
  }
  Handle *a = (Handle*)left, *b = (Handle*)right;
  mlx_array array = a->array;
  PyObject* address = a->address;
  a->array = b->array;
  a->address = b->address;
  b->array = array;
  b->address = address;
  Py_RETURN_NONE;
}

static PyObject* as_array(PyObject* module, PyObject* value) {
  (void)module;
  if (Py_TYPE(value) == array_class) {
    return Py_NewRef(value);
  }
  return PyObject_CallFunctionObjArgs(make_array, value, NULL);
}

static PyObject* only_array(PyObject* module, PyObject* value) {
  (void)module;
  return Py_TYPE(value) == array_class || mlxc_handle(value) != NULL ? Py_NewRef(value) : NULL;
}

static PyObject* pair(PyObject* module, PyObject* const* args, Py_ssize_t nargs) {
  (void)module;
  if (nargs != 2) {
    PyErr_SetString(PyExc_TypeError, "pair() takes two arguments");
    return NULL;
  }
  if (Py_TYPE(args[0]) == array_class && Py_TYPE(args[1]) == array_class) {
    return PyTuple_Pack(2, args[0], args[1]);
  }
  return PyObject_CallFunctionObjArgs(make_pair, args[0], args[1], NULL);
}

static PyObject* at(PyObject* module, PyObject* stream) {
  (void)module;
  if (stream == Py_None) {
    return PyLong_FromLong(0);
  }
  return PyObject_CallFunctionObjArgs(stream_address, stream, NULL);
}

static PyObject* refuse_to_wait(PyObject* module, PyObject* raiser) {
  (void)module;
  refuse = Py_NewRef(raiser);
  Py_RETURN_NONE;
}

static PyObject* register_class(PyObject* module, PyObject* args) {
  (void)module;
  PyObject *cls, *raiser, *array_maker, *pair_maker, *stream_reader;
  if (!PyArg_ParseTuple(
          args,
          "O!OOOO:register",
          &PyType_Type,
          &cls,
          &raiser,
          &array_maker,
          &pair_maker,
          &stream_reader)) {
    return NULL;
  }
  array_class = (PyTypeObject*)Py_NewRef(cls);
  array_alloc = (allocfunc)PyType_GetSlot(array_class, Py_tp_alloc);
  raise_last_error = Py_NewRef(raiser);
  make_array = Py_NewRef(array_maker);
  make_pair = Py_NewRef(pair_maker);
  stream_address = Py_NewRef(stream_reader);
  Py_RETURN_NONE;
}

static PyMethodDef module_methods[] = {
    {"wrap", wrap, METH_O, "An array owning the given address; raises the last error for 0."},
    {"as_array", as_array, METH_O, "The argument itself if it is an array, else one made of a scalar or the like."},
    {"only_array", only_array, METH_O, "The argument itself; a TypeError if it is no array."},
    {"pair", (PyCFunction)(void (*)(void))pair, METH_FASTCALL, "Both arguments as arrays."},
    {"at", at, METH_O, "The address of a stream, 0 for None."},
    {"to_dlpack", mlxc_to_dlpack, METH_VARARGS, "The array as a DLPack capsule."},
    {"from_dlpack", mlxc_from_dlpack, METH_VARARGS, "An array of a DLPack capsule's tensor."},
    {"addresses", mlxc_addresses, METH_O, "The addresses of several arrays."},
    {"read_vector", mlxc_read_vector, METH_O, "The arrays of a C vector."},
    {"unpack", mlxc_unpack, METH_O, "The arrays of a C vector, which is freed."},
    {"new_closure", mlxc_new_closure, METH_O, "A C closure that calls a Python function."},
    {"new_payload", mlxc_new_payload, METH_O, "The address of an object that C holds."},
    {"payload", mlxc_payload, METH_O, "The object that C holds at an address."},
    {"release_dropped", mlxc_release_dropped, METH_NOARGS, "Let go of what C has dropped."},
    {"set_keep_exception",
     mlxc_set_keep_exception,
     METH_O,
     "Call this with what a Python function raised below C."},
    {"swap", swap, METH_VARARGS, "Exchange what two arrays own."},
    {"cut",
     (PyCFunction)(void (*)(void))mlxc_cut,
     METH_FASTCALL,
     "The part of an array that slices choose, None for other keys."},
    {"put",
     (PyCFunction)(void (*)(void))mlxc_put,
     METH_FASTCALL,
     "An array with a value where slices choose, None for other keys."},
    {"combine",
     (PyCFunction)(void (*)(void))mlxc_combine,
     METH_FASTCALL,
     "What an operator makes of an array and a common operand, None for other ones."},
    {"reshaped",
     (PyCFunction)(void (*)(void))mlxc_reshaped,
     METH_FASTCALL,
     "An array in the shape that a tuple of ints tells, None for other shapes."},
    {"transposed",
     (PyCFunction)(void (*)(void))mlxc_transposed,
     METH_FASTCALL,
     "An array with its axes in the order that a tuple of ints tells, None for other orders."},
    {"end_of_strings", mlxc_end_of_strings, METH_VARARGS, "Where strings of a GGUF file end."},
    {"strings", mlxc_strings, METH_VARARGS, "Strings of a GGUF file, and where they end."},
    {"refuse_to_wait", refuse_to_wait, METH_O, "Call this instead of waiting for an array."},
    {"register", register_class, METH_VARARGS, "Set the array class and the functions above it."},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef module_def = {
    .m_base = PyModuleDef_HEAD_INIT,
    .m_name = "mlxc._ffi._handle",
    .m_size = -1,
    .m_methods = module_methods,
};

PyMODINIT_FUNC PyInit__handle(void) {
  PyObject* module = PyModule_Create(&module_def);
  PyObject* type = PyType_FromSpec(&handle_spec);
  if (module == NULL || type == NULL || PyModule_AddObjectRef(module, "Handle", type) < 0) {
    Py_XDECREF(module);
    Py_XDECREF(type);
    return NULL;
  }
  Py_DECREF(type);
  return module;
}
