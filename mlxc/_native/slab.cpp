#include "slab.h"

#ifndef MLXC_FOREIGN
#include <sys/mman.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <memory>
#include <mutex>

namespace mlxc {
namespace {

namespace mx = mlx::core;

constexpr size_t LINE = 64, LARGE_PAGE = size_t{2} << 20;
constexpr size_t SLAB = size_t{256} << 20; // of addresses: only what is written takes memory

char* round_up(char* place, size_t to) {
  return reinterpret_cast<char*>((reinterpret_cast<uintptr_t>(place) + to - 1) / to * to);
}

// Addresses that are handed out from the first on, and given back when nothing lies there any more.
class Slab {
 public:
  explicit Slab(size_t bytes) : size_(bytes + LARGE_PAGE) {
    constexpr int kind = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
    void* start = mmap(nullptr, size_, PROT_READ | PROT_WRITE, kind, -1, 0);
    if (start == MAP_FAILED) {
      return;
    }
    start_ = static_cast<char*>(start);
    next_ = round_up(start_, LARGE_PAGE);
#ifdef MADV_HUGEPAGE
    madvise(start, size_, MADV_HUGEPAGE); // a system without such pages says no
#endif
  }

  ~Slab() {
    if (start_) {
      munmap(start_, size_);
    }
  }

  Slab(const Slab&) = delete;
  Slab& operator=(const Slab&) = delete;

  // Null where there is no room.
  char* take(size_t bytes) {
    char* place = next_ ? round_up(next_ + BUFFER_FRONT, LINE) : nullptr;
    if (!place || bytes > static_cast<size_t>(start_ + size_ - place)) {
      return nullptr;
    }
    next_ = place + bytes;
    return place;
  }

  // Gives the whole pages of a place back; its addresses are not handed out again.
  static void drop(char* place, size_t bytes) {
    char* begin = round_up(place, LARGE_PAGE);
    char* end = round_up(place + bytes + 1, LARGE_PAGE) - LARGE_PAGE;
    if (begin < end) {
      madvise(begin, static_cast<size_t>(end - begin), MADV_DONTNEED);
    }
  }

 private:
  char* start_ = nullptr;
  char* next_ = nullptr;
  size_t size_;
};

// A place in the slab in use, or in a new one.
std::pair<std::shared_ptr<Slab>, char*> place_for(size_t bytes) {
  static std::mutex one;
  static std::weak_ptr<Slab> last;
  std::lock_guard lock(one);
  if (auto slab = last.lock()) {
    if (char* place = slab->take(bytes)) {
      return {slab, place};
    }
  }
  auto slab = std::make_shared<Slab>(std::max(bytes + LINE + BUFFER_FRONT, SLAB));
  char* place = slab->take(bytes);
  last = slab;
  return {slab, place};
}

} // namespace

bool is_cpu_layout() {
  static const bool is = [] {
    auto data = mx::allocator::malloc(BUFFER_FRONT);
    auto buffer = data.buffer();
    return buffer.raw_ptr() == static_cast<char*>(buffer.ptr()) + BUFFER_FRONT;
  }();
  return is;
}

mx::allocator::Data weight_memory(size_t bytes) {
  if (bytes && is_cpu_layout()) {
    auto [slab, place] = place_for(bytes);
    if (place) {
      char* front = place - BUFFER_FRONT;
      std::memcpy(front, &bytes, BUFFER_FRONT);
      return {
          mx::allocator::Buffer(front),
          [slab = std::move(slab), place, bytes](mx::allocator::Buffer) { Slab::drop(place, bytes); }};
    }
  }
  return mx::allocator::malloc(bytes);
}

} // namespace mlxc
#endif
