/* Arrays as DLPack capsules, and capsules as arrays: versions 0 (unversioned) and 1 of
 * https://dmlc.github.io/dlpack/latest/c_api.html. Only memory that the CPU reads. */
#define Py_LIMITED_API 0x030b0000
#include "handle_type.h"

#include <stdlib.h>
#include <string.h>

enum { CPU = 1, CUDA_HOST = 3 };
enum { INT = 0, UINT = 1, FLOAT = 2, BFLOAT = 4, COMPLEX = 5, BOOL = 6 };
enum { READ_ONLY = 1, IS_COPIED = 2 };
enum { MAJOR = 1, MINOR = 0, MAX_NDIM = 64 };

typedef struct {
  int32_t device_type;
  int32_t device_id;
} DLDevice;

typedef struct {
  uint8_t code;
  uint8_t bits;
  uint16_t lanes;
} DLDataType;

typedef struct {
  void* data;
  DLDevice device;
  int32_t ndim;
  DLDataType dtype;
  int64_t* shape;
  int64_t* strides; /* in elements; NULL if row-major without gaps */
  uint64_t byte_offset;
} DLTensor;

typedef struct DLManagedTensor {
  DLTensor tensor;
  void* manager_ctx;
  void (*deleter)(struct DLManagedTensor*);
} DLManagedTensor;

typedef struct DLManagedTensorVersioned {
  uint32_t major, minor;
  void* manager_ctx;
  void (*deleter)(struct DLManagedTensorVersioned*);
  uint64_t flags;
  DLTensor tensor;
} DLManagedTensorVersioned;

static const char PLAIN[] = "dltensor", USED_PLAIN[] = "used_dltensor";
static const char VERSIONED[] = "dltensor_versioned";
static const char USED_VERSIONED[] = "used_dltensor_versioned";

/* Deleters may be missing, and may be called on any thread. */
static void delete_plain(void* managed) {
  DLManagedTensor* self = managed;
  if (self->deleter != NULL) {
    self->deleter(self);
  }
}

static void delete_versioned(void* managed) {
  DLManagedTensorVersioned* self = managed;
  if (self->deleter != NULL) {
    self->deleter(self);
  }
}

/* Deleters may run Python, which must not see an exception on its way. */
static void release(void (*deleter)(void*), void* managed) {
  PyObject *type, *value, *traceback;
  PyErr_Fetch(&type, &value, &traceback);
  deleter(managed);
  PyErr_Restore(type, value, traceback);
}

/* --- types ------------------------------------------------------------------------ */

static const struct {
  DLDataType theirs;
  mlx_dtype ours;
} DTYPES[] = {
    {{BOOL, 8, 1}, MLX_BOOL},
    {{UINT, 8, 1}, MLX_UINT8},
    {{UINT, 16, 1}, MLX_UINT16},
    {{UINT, 32, 1}, MLX_UINT32},
    {{UINT, 64, 1}, MLX_UINT64},
    {{INT, 8, 1}, MLX_INT8},
    {{INT, 16, 1}, MLX_INT16},
    {{INT, 32, 1}, MLX_INT32},
    {{INT, 64, 1}, MLX_INT64},
    {{FLOAT, 16, 1}, MLX_FLOAT16},
    {{FLOAT, 32, 1}, MLX_FLOAT32},
    {{FLOAT, 64, 1}, MLX_FLOAT64},
    {{BFLOAT, 16, 1}, MLX_BFLOAT16},
    {{COMPLEX, 64, 1}, MLX_COMPLEX64},
    {{COMPLEX, 128, 1}, MLX_COMPLEX64}, /* read only; it comes after the one to write */
};
enum { DTYPE_COUNT = sizeof(DTYPES) / sizeof(DTYPES[0]) };

static int same_dtype(DLDataType a, DLDataType b) {
  return a.code == b.code && a.bits == b.bits && a.lanes == b.lanes;
}

/* --- from arrays ------------------------------------------------------------------ */

typedef struct {
  union {
    DLManagedTensor plain;
    DLManagedTensorVersioned versioned;
  } managed;
  mlx_array array; /* a reference of its own, as long as somebody reads the memory */
  int64_t extents[];
} Export;

static void release_export(Export* export) {
  mlx_array_free(export->array);
  free(export);
}

static void release_plain(DLManagedTensor* managed) {
  release_export(managed->manager_ctx);
}

static void release_versioned(DLManagedTensorVersioned* managed) {
  release_export(managed->manager_ctx);
}

/* Runs at the end of every capsule; one that was taken over has another name. */
static void destroy_capsule(PyObject* capsule) {
  if (PyCapsule_IsValid(capsule, PLAIN)) {
    release(delete_plain, PyCapsule_GetPointer(capsule, PLAIN));
  } else if (PyCapsule_IsValid(capsule, VERSIONED)) {
    release(delete_versioned, PyCapsule_GetPointer(capsule, VERSIONED));
  }
}

static void describe(DLTensor* tensor, void* data, mlx_array array, int64_t* extents) {
  int ndim = (int)mlx_array_ndim(array);
  const int* shape = mlx_array_shape(array);
  const size_t* strides = mlx_array_strides(array);
  for (int i = 0; i < ndim; i++) {
    extents[i] = shape[i];
    extents[ndim + i] = (int64_t)strides[i];
  }
  *tensor = (DLTensor){
      .data = data,
      .device = {CPU, 0},
      .ndim = ndim,
      .shape = extents,
      .strides = extents + ndim,
  };
  mlx_dtype dtype = mlx_array_dtype(array);
  int i = 0;
  while (DTYPES[i].ours != dtype) {
    i++;
  }
  tensor->dtype = DTYPES[i].theirs;
}

PyObject* mlxc_to_dlpack(PyObject* module, PyObject* args) {
  (void)module;
  PyObject* object;
  int versioned, copied;
  if (!PyArg_ParseTuple(args, "Opp:to_dlpack", &object, &versioned, &copied)) {
    return NULL;
  }
  Handle* handle = mlxc_handle(object);
  if (handle == NULL) {
    return NULL;
  }
  mlx_array array = mlxc_second(handle->array);
  void* data = mlxc_evaluated_data(array);
  if (PyErr_Occurred()) {
    mlx_array_free(array);
    return NULL;
  }
  size_t ndim = mlx_array_ndim(array);
  Export* export = malloc(sizeof(Export) + 2 * ndim * sizeof(int64_t));
  if (export == NULL) {
    mlx_array_free(array);
    return PyErr_NoMemory();
  }
  export->array = array;
  if (versioned) {
    DLManagedTensorVersioned* managed = &export->managed.versioned;
    managed->major = MAJOR;
    managed->minor = MINOR;
    managed->manager_ctx = export;
    managed->deleter = release_versioned;
    managed->flags = copied ? IS_COPIED : READ_ONLY;
    describe(&managed->tensor, data, export->array, export->extents);
  } else {
    DLManagedTensor* managed = &export->managed.plain;
    managed->manager_ctx = export;
    managed->deleter = release_plain;
    describe(&managed->tensor, data, export->array, export->extents);
  }
  PyObject* capsule =
      PyCapsule_New(&export->managed, versioned ? VERSIONED : PLAIN, destroy_capsule);
  if (capsule == NULL) {
    release_export(export);
  }
  return capsule;
}

/* --- to arrays -------------------------------------------------------------------- */

/* A tensor that has been checked. */
typedef struct {
  const char* data;
  int ndim;
  int shape[MAX_NDIM];
  int64_t strides[MAX_NDIM];
  size_t itemsize;
  size_t nbytes;
  int dense;
  int narrowed; /* complex128, which becomes complex64 */
  mlx_dtype dtype;
} Layout;

static int check(const DLTensor* tensor, Layout* layout) {
  if (tensor->device.device_type != CPU && tensor->device.device_type != CUDA_HOST) {
    PyErr_Format(
        PyExc_ValueError,
        "x is on DLPack device type %d; move it to the CPU first",
        (int)tensor->device.device_type);
    return 0;
  }
  if (tensor->ndim < 0 || tensor->ndim > MAX_NDIM) {
    PyErr_Format(PyExc_ValueError, "x has %d axes, not 0 to %d", (int)tensor->ndim, MAX_NDIM);
    return 0;
  }
  int i = 0;
  while (i < DTYPE_COUNT && !same_dtype(DTYPES[i].theirs, tensor->dtype)) {
    i++;
  }
  if (i == DTYPE_COUNT) {
    PyErr_Format(
        PyExc_ValueError,
        "x has a type that arrays cannot have: DLPack code %d of %d bits, %d lanes",
        (int)tensor->dtype.code,
        (int)tensor->dtype.bits,
        (int)tensor->dtype.lanes);
    return 0;
  }
  layout->dtype = DTYPES[i].ours;
  layout->itemsize = tensor->dtype.bits / 8;
  layout->narrowed = layout->itemsize > mlx_dtype_size(layout->dtype);
  layout->ndim = tensor->ndim;
  layout->data = tensor->data == NULL ? NULL : (const char*)tensor->data + tensor->byte_offset;
  size_t count = 1;
  for (i = tensor->ndim - 1; i >= 0; i--) {
    int64_t extent = tensor->shape[i];
    if (extent < 0 || extent > INT32_MAX || (extent && count > PTRDIFF_MAX / 16 / (size_t)extent)) {
      PyErr_Format(PyExc_ValueError, "x has an axis of %lld elements", (long long)extent);
      return 0;
    }
    layout->shape[i] = (int)extent;
    layout->strides[i] = tensor->strides == NULL ? (int64_t)count : tensor->strides[i];
    count *= (size_t)extent;
  }
  int64_t dense = 1;
  layout->dense = 1;
  for (i = layout->ndim - 1; i >= 0; i--) {
    layout->dense &= layout->shape[i] == 1 || layout->strides[i] == dense || count == 0;
    dense *= layout->shape[i];
  }
  layout->nbytes = count * layout->itemsize;
  return 1;
}

/* Copies what follows from an axis on, in row-major order; returns where it ends. */
static char* pack(char* out, const char* in, const Layout* layout, int axis) {
  size_t itemsize = layout->itemsize;
  if (axis == layout->ndim) {
    memcpy(out, in, itemsize);
    return out + itemsize;
  }
  size_t extent = (size_t)layout->shape[axis];
  int64_t stride = layout->strides[axis];
  if (axis + 1 == layout->ndim && stride == 1) {
    memcpy(out, in, extent * itemsize);
    return out + extent * itemsize;
  }
  for (size_t i = 0; i < extent; i++) {
    out = pack(out, in + (int64_t)i * stride * (int64_t)itemsize, layout, axis + 1);
  }
  return out;
}

/* Doubles as floats in the same place. */
static void narrow(char* data, size_t nbytes) {
  for (size_t i = 0; i < nbytes / sizeof(double); i++) {
    double wide;
    memcpy(&wide, data + i * sizeof(double), sizeof(double));
    float value = (float)wide;
    memcpy(data + i * sizeof(float), &value, sizeof(float));
  }
}

static mlx_array copied(const Layout* layout) {
  mlx_array result = {0};
  if (layout->dense && !layout->narrowed) {
    return mlx_array_new_data(
        layout->nbytes ? layout->data : "", layout->shape, layout->ndim, layout->dtype);
  }
  char* packed = malloc(layout->nbytes ? layout->nbytes : 1);
  if (packed == NULL) {
    PyErr_NoMemory();
    return result;
  }
  if (layout->nbytes) {
    pack(packed, layout->data, layout, 0);
  }
  if (layout->narrowed) {
    narrow(packed, layout->nbytes);
  }
  result = mlx_array_new_data(packed, layout->shape, layout->ndim, layout->dtype);
  free(packed);
  return result;
}

/* The memory itself where MLX can use it; either way it calls the deleter when it is done. */
static mlx_array taken_over(const Layout* layout, void* managed, void (*deleter)(void*)) {
  return mlx_array_new_data_managed_payload(
      (void*)layout->data, layout->shape, layout->ndim, layout->dtype, managed, deleter);
}

PyObject* mlxc_from_dlpack(PyObject* module, PyObject* args) {
  (void)module;
  PyObject* capsule;
  int copy;
  if (!PyArg_ParseTuple(args, "Op:from_dlpack", &capsule, &copy)) {
    return NULL;
  }
  void* managed;
  void (*deleter)(void*);
  const DLTensor* tensor;
  uint32_t major = MAJOR;
  if (PyCapsule_IsValid(capsule, VERSIONED)) {
    managed = PyCapsule_GetPointer(capsule, VERSIONED);
    deleter = delete_versioned;
    tensor = &((DLManagedTensorVersioned*)managed)->tensor;
    major = ((DLManagedTensorVersioned*)managed)->major;
    PyCapsule_SetName(capsule, USED_VERSIONED);
  } else if (PyCapsule_IsValid(capsule, PLAIN)) {
    managed = PyCapsule_GetPointer(capsule, PLAIN);
    deleter = delete_plain;
    tensor = &((DLManagedTensor*)managed)->tensor;
    PyCapsule_SetName(capsule, USED_PLAIN);
  } else {
    PyErr_SetString(PyExc_ValueError, "x gave no DLPack capsule, or one that was used before");
    return NULL;
  }
  Layout layout;
  mlx_array array = {0};
  const void* data = NULL;
  if (major != MAJOR) {
    PyErr_Format(PyExc_BufferError, "x speaks version %u of DLPack, not 1", (unsigned)major);
  } else if (check(tensor, &layout)) {
    data = layout.data;
    if (layout.dense && !layout.narrowed && layout.nbytes && !copy) {
      array = taken_over(&layout, managed, deleter);
      managed = NULL;
    } else {
      array = copied(&layout);
    }
  }
  if (managed != NULL) {
    release(deleter, managed);
  }
  if (PyErr_Occurred()) {
    return NULL;
  }
  PyObject* owner = mlxc_owner(array);
  if (owner == NULL) {
    return NULL;
  }
  const void* kept = NULL;
  if (managed == NULL) {
    Py_BEGIN_ALLOW_THREADS
    kept = mlx_array_data_uint8(array);
    Py_END_ALLOW_THREADS
  }
  int shared = kept != NULL && kept == (const void*)data;
  PyObject* result = PyTuple_Pack(2, owner, shared ? Py_True : Py_False);
  Py_DECREF(owner);
  return result;
}
