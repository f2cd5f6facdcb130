// Zeros that take no memory until they are written, where their memory is new. Caches of models are
// made of such, with room for more than they hold.
#include "primitive.h"

#ifndef MLXC_FOREIGN
#include "mlx/ops.h"

#ifdef __linux__
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

#include "mlx/allocator.h"
#endif

namespace mlxc::cpu {
namespace {

#ifdef __linux__

// Smaller memory is hardly ever new; larger always is, and its pages would come twice where they are
// read before they are written.
constexpr size_t SMALLEST = size_t{128} << 10, LARGEST = size_t{32} << 20;

size_t page_size() {
  static const auto size = static_cast<size_t>(sysconf(_SC_PAGESIZE));
  return size;
}

// Takes away what pages of private memory hold: they are zero when they are next seen.
bool forget(char* pages, size_t bytes) {
  return madvise(pages, bytes, MADV_DONTNEED) == 0;
}

// Whether they are: emulators of Linux may take the advice and do nothing.
bool forgets() {
  static const bool does = [] {
    constexpr int kind = MAP_PRIVATE | MAP_ANONYMOUS;
    void* page = mmap(nullptr, page_size(), PROT_READ | PROT_WRITE, kind, -1, 0);
    if (page == MAP_FAILED) {
      return false;
    }
    auto* byte = static_cast<volatile char*>(page);
    *byte = 1;
    bool zero = forget(static_cast<char*>(page), page_size()) && *byte == 0;
    munmap(page, page_size());
    return zero;
  }();
  return does;
}

// Pages that are there are written, because that takes less time than new ones. Of the others, some
// may have been swapped out.
void clear_pages(char* pages, size_t count) {
  std::vector<unsigned char> there(count);
  if (!forgets() || mincore(pages, count * page_size(), there.data()) != 0) {
    std::fill(there.begin(), there.end(), 1);
  }
  for (size_t begin = 0, end; begin < count; begin = end) {
    bool held = there[begin] & 1;
    end = begin + 1;
    while (end < count && (there[end] & 1) == held) {
      end++;
    }
    char* run = pages + begin * page_size();
    size_t bytes = (end - begin) * page_size();
    if (held || !forget(run, bytes)) {
      std::memset(run, 0, bytes);
    }
  }
}

void clear(char* begin, size_t bytes) {
  size_t page = page_size();
  size_t front = (page - reinterpret_cast<uintptr_t>(begin) % page) % page;
  size_t count = (bytes - front) / page;
  std::memset(begin, 0, front);
  clear_pages(begin + front, count);
  std::memset(begin + front + count * page, 0, bytes - front - count * page);
}

class Zeros : public Kernel {
 public:
  Zeros(mx::Stream stream, mx::Shape shape, mx::Dtype type)
      : Kernel(
            stream, [=](const Arrays&) -> Arrays { return {mx::zeros(shape, type, stream)}; }),
        shape_(shape),
        type_(type) {}

  DEFINE_NAME(CpuZeros)

  std::vector<mx::Shape> output_shapes(const Arrays&) override {
    return {shape_};
  }

  bool is_equivalent(const Primitive& other) const override {
    auto& that = static_cast<const Zeros&>(other);
    return shape_ == that.shape_ && type_ == that.type_;
  }

  void eval_cpu(const Arrays&, Arrays& outputs) override {
    auto& y = outputs[0];
    y.set_data(mx::allocator::malloc(y.nbytes())); // not counted: it takes no memory yet
    clear(y.data<char>(), y.nbytes());
  }

 private:
  mx::Shape shape_;
  mx::Dtype type_;
};

bool is_worth_it(const mx::Shape& shape, mx::Dtype type) {
  size_t bytes = mx::size_of(type);
  for (int length : shape) {
    if (length < 0 || __builtin_mul_overflow(bytes, static_cast<size_t>(length), &bytes)) {
      return false;
    }
  }
  return bytes >= SMALLEST && bytes <= LARGEST;
}

#endif

mx::array zeros(const mx::Shape& shape, mx::Dtype type, mx::Stream s) {
#ifdef __linux__
  if (usable(s) && is_worth_it(shape, type)) {
    return mx::array(shape, type, std::make_shared<Zeros>(s, shape, type), {});
  }
#endif
  return mx::zeros(shape, type, s);
}

} // namespace
} // namespace mlxc::cpu
#endif

extern "C" int mlxc_cpu_zeros(
    mlx_array* res, const int* shape, size_t shape_num, mlx_dtype dtype, const mlx_stream s)
    MLXC_CPU_BODY(
        mlx_zeros(res, shape, shape_num, dtype, s),
        set(res, cpu::zeros(mlxc::shape(shape, shape_num), mlxc::dtype(dtype), get(s))))
