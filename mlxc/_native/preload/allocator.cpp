// The allocator of libmlx's CPU backend, which goes on with a null pointer when memory is short,
// behind one that throws. libmlx calls it by an exported name, so that a library which is loaded
// before and defines that name is called instead.
#include <dlfcn.h>
#include <sys/mman.h>

#include <cstdio>
#include <new>

#include "mlx/allocator.h"

namespace {

using mlx::core::allocator::Allocator;
using mlx::core::allocator::Buffer;

// From here on the system is asked first, because MLX counts what it did not get as active.
constexpr size_t LARGE = size_t{64} << 20;

class OutOfMemory : public std::bad_alloc {
 public:
  explicit OutOfMemory(size_t size) {
    std::snprintf(message_, sizeof message_, "cannot allocate %zu bytes", size);
  }

  const char* what() const noexcept override {
    return message_;
  }

 private:
  char message_[64];
};

bool is_available(size_t size) {
  void* place = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  return place != MAP_FAILED && munmap(place, size) == 0;
}

template <typename Function>
Function* in_libmlx(const char* name) {
  static void* library = dlopen("libmlx.so", RTLD_LAZY | RTLD_NOLOAD);
  return reinterpret_cast<Function*>(dlsym(library, name));
}

class Throwing : public Allocator {
 public:
  Buffer malloc(size_t size) override {
    if (size >= LARGE && !is_available(size)) {
      clear_cache_();
      if (!is_available(size)) {
        throw OutOfMemory(size);
      }
    }
    Buffer buffer = base_.malloc(size);
    if (!buffer.ptr()) {
      throw OutOfMemory(size);
    }
    return buffer;
  }

  void free(Buffer buffer) override {
    base_.free(buffer);
  }

  size_t size(Buffer buffer) const override {
    return base_.size(buffer);
  }

  Buffer make_buffer(void* ptr, size_t size) override {
    return base_.make_buffer(ptr, size);
  }

  void release(Buffer buffer) override {
    base_.release(buffer);
  }

 private:
  Allocator& base_ = in_libmlx<Allocator&()>("_ZN3mlx4core9allocator9allocatorEv")();
  void (*clear_cache_)() = in_libmlx<void()>("_ZN3mlx4core11clear_cacheEv");
};

} // namespace

namespace mlx::core::allocator {

// Never destroyed: arrays may outlive static objects.
Allocator& allocator() {
  static auto* throwing = new Throwing;
  return *throwing;
}

} // namespace mlx::core::allocator
