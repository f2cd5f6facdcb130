// Arrays over a mapped file. MLX takes the memory of another array for a result, or writes into
// it, only where it allocated that memory itself (array::is_donatable); what is mapped here is
// not of that kind and only read. The mapping is a private copy-on-write one, so that whoever
// writes through a numpy view changes the array, as always, and never the file.
#include "slab.h"

#ifndef MLXC_FOREIGN
#include <sys/mman.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstring>
#include <memory>
#include <system_error>

namespace {

namespace mx = mlx::core;

class Mapping {
 public:
  explicit Mapping(int file) {
    struct stat found;
    if (fstat(file, &found) < 0) {
      throw std::system_error(errno, std::generic_category(), "cannot map the file");
    }
    size_ = found.st_size;
    constexpr int kind = MAP_PRIVATE | MAP_NORESERVE;
    void* start = mmap(nullptr, size_, PROT_READ | PROT_WRITE, kind, file, 0);
    if (start == MAP_FAILED) {
      throw std::system_error(errno, std::generic_category(), "cannot map the file");
    }
    start_ = static_cast<char*>(start);
  }

  ~Mapping() {
    munmap(start_, size_);
  }

  Mapping(const Mapping&) = delete;
  Mapping& operator=(const Mapping&) = delete;

  char* at(size_t offset, size_t bytes) const {
    if (offset > size_ || bytes > size_ - offset) {
      throw std::invalid_argument("the file became shorter while it was loaded");
    }
    return start_ + offset;
  }

 private:
  char* start_;
  size_t size_;
};

mx::array mapped(
    const std::shared_ptr<Mapping>& mapping,
    size_t offset,
    mx::Shape shape,
    mx::Dtype dtype) {
  size_t bytes = dtype.size();
  for (int length : shape) {
    bytes *= length;
  }
  char* data = mapping->at(offset, bytes);
  if (bytes == 0 || offset < mlxc::BUFFER_FRONT || offset % dtype.size() != 0) {
    auto memory = mx::allocator::malloc(bytes);
    std::memcpy(memory.buffer().raw_ptr(), data, bytes);
    return mx::array(std::move(memory), std::move(shape), dtype);
  }
  mx::allocator::Data memory(
      mx::allocator::Buffer(data - mlxc::BUFFER_FRONT), [mapping](mx::allocator::Buffer) {});
  return mx::array(std::move(memory), std::move(shape), dtype);
}

std::vector<mx::array> map_arrays(
    int file,
    const size_t* offsets,
    const int* shapes,
    const int* ndims,
    const int* dtypes,
    size_t num) {
  auto mapping = std::make_shared<Mapping>(file);
  std::vector<mx::array> arrays;
  for (size_t i = 0; i < num; shapes += ndims[i++]) {
    auto dtype = mlxc::dtype(static_cast<mlx_dtype>(dtypes[i]));
    arrays.push_back(mapped(mapping, offsets[i], mx::Shape(shapes, shapes + ndims[i]), dtype));
  }
  return arrays;
}

} // namespace
#endif

extern "C" int mlxc_maps_files(bool* res) MLXC_BODY(set(res, mlxc::is_cpu_layout()))

extern "C" int mlxc_map_arrays(
    mlx_vector_array* res,
    int file,
    const size_t* offsets,
    const int* shapes,
    const int* ndims,
    const int* dtypes,
    size_t num)
    MLXC_BODY(set(res, map_arrays(file, offsets, shapes, ndims, dtypes, num)))
