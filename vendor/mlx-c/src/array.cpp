// Construction of arrays from foreign memory, and their data.
#include <cstring>
#include <limits>

#include "array.h"
#include "print.h"

#include "mlx/allocator.h"

namespace mlxc {

mx::Dtype dtype(mlx_dtype dtype) {
  static constexpr mx::Dtype dtypes[] = {
      mx::bool_,
      mx::uint8,
      mx::uint16,
      mx::uint32,
      mx::uint64,
      mx::int8,
      mx::int16,
      mx::int32,
      mx::int64,
      mx::float16,
      mx::float32,
      mx::float64,
      mx::bfloat16,
      mx::complex64,
  };
  return dtypes[enumerator<int>(dtype, MLX_COMPLEX64)];
}

namespace {

// The shape, its number of bytes checked against overflow.
std::pair<mx::Shape, std::size_t> extent(const int* dims, int dim, mx::Dtype dtype) {
  if (dim < 0) {
    throw std::invalid_argument("expected at least 0 dimensions, got " + std::to_string(dim));
  }
  auto shape = mlxc::shape(dims, dim);
  std::size_t bytes = dtype.size();
  bool empty = false;
  for (int size : shape) {
    if (size < 0) {
      throw std::invalid_argument("expected sizes of at least 0, got " + std::to_string(size));
    }
    if (size == 0) {
      empty = true;
    } else if (bytes > std::numeric_limits<std::size_t>::max() / 2 / size) {
      throw std::invalid_argument("the shape has too many elements");
    } else {
      bytes *= size;
    }
  }
  return {std::move(shape), empty ? 0 : bytes};
}

void require(const void* data, std::size_t bytes) {
  if (!data && bytes) {
    throw std::invalid_argument("expected " + std::to_string(bytes) + " bytes of data, got NULL");
  }
}

mx::array copied(const void* data, const int* dims, int dim, mlx_dtype dtype) {
  auto type = mlxc::dtype(dtype);
  auto [shape, bytes] = extent(dims, dim, type);
  require(data, bytes);
  auto memory = mx::allocator::malloc(bytes);
  if (bytes) {
    std::memcpy(memory.buffer().raw_ptr(), data, bytes);
  }
  return mx::array(std::move(memory), std::move(shape), type);
}

template <class Deleter>
mx::array managed(void* data, const int* dims, int dim, mlx_dtype dtype, Deleter deleter) {
  auto type = mlxc::dtype(dtype);
  auto [shape, bytes] = extent(dims, dim, type);
  require(data, bytes);
  return mx::array(data, std::move(shape), type, deleter);
}

// The C types of complex and half values differ between compilers, their bytes do not.
template <class T>
void copy_item(void* res, mlx_array arr) {
  evaluate(&get(arr), 1, true);
  T value = get(arr).item<T>();
  std::memcpy(&out(static_cast<T*>(res)), &value, sizeof(T));
}

} // namespace

std::size_t dtype_size(mlx_dtype dtype) {
  return mlxc::dtype(dtype).size();
}

void array_tostring(mlx_string* str, mlx_array arr) {
  evaluate(&get(arr), 1, true);
  set(str, printed(get(arr)));
}

mlx_array array_new_data(const void* data, const int* shape, int dim, mlx_dtype dtype) {
  return make<mlx_array>(copied(data, shape, dim, dtype));
}

mlx_array array_new_data_managed(
    void* data,
    const int* shape,
    int dim,
    mlx_dtype dtype,
    void (*dtor)(void*)) {
  return make<mlx_array>(managed(data, shape, dim, dtype, [dtor](void* p) {
    if (dtor) {
      dtor(p);
    }
  }));
}

mlx_array array_new_data_managed_payload(
    void* data,
    const int* shape,
    int dim,
    mlx_dtype dtype,
    void* payload,
    void (*dtor)(void*)) {
  return make<mlx_array>(managed(data, shape, dim, dtype, [payload, dtor](void*) {
    if (dtor) {
      dtor(payload);
    }
  }));
}

void array_set_data(
    mlx_array* arr,
    const void* data,
    const int* shape,
    int dim,
    mlx_dtype dtype) {
  set(arr, copied(data, shape, dim, dtype));
}

const int* array_shape(mlx_array arr) {
  return get(arr).shape().data();
}

// Strides are signed in MLX and not in the interface: a negative one wraps around.
const std::size_t* array_strides(mlx_array arr) {
  return reinterpret_cast<const std::size_t*>(get(arr).strides().data());
}

int array_dim(mlx_array arr, int dim) {
  auto& array = get(arr);
  int ndim = static_cast<int>(array.ndim());
  if (dim < -ndim || dim >= ndim) {
    throw std::out_of_range(
        "dimension " + std::to_string(dim) + " is out of range for an array with " +
        std::to_string(ndim) + " dimensions");
  }
  return array.shape(dim);
}

mlx_dtype array_dtype(mlx_array arr) {
  return static_cast<mlx_dtype>(get(arr).dtype().val());
}

// An array that nobody evaluates would wait for nothing and be taken for available.
void array_wait(mlx_array arr) {
  if (get(arr).status() == mx::array::unscheduled) {
    throw std::invalid_argument("the array is not being evaluated; evaluate it first");
  }
  evaluate(&get(arr), 1, true);
}

void array_item_complex64(mlx_complex64_t* res, mlx_array arr) {
  copy_item<mx::complex64_t>(res, arr);
}

const mlx_complex64_t* array_data_complex64(mlx_array arr) {
  return data<mlx_complex64_t>(arr);
}

void half_item(void* res, mlx_array arr, mx::Dtype dtype) {
  if (dtype == mx::float16) {
    copy_item<mx::float16_t>(res, arr);
  } else {
    copy_item<mx::bfloat16_t>(res, arr);
  }
}

} // namespace mlxc
