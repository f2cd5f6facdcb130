#include "scratch.h"

#include <memory>
#include <new>

namespace mlxc::cpu {
namespace {

constexpr std::align_val_t LINE{64};

struct Free {
  void operator()(void* memory) const {
    ::operator delete(memory, LINE);
  }
};

} // namespace

void* scratch(std::size_t bytes) {
  thread_local std::unique_ptr<void, Free> memory;
  thread_local std::size_t size = 0;
  if (size < bytes) {
    memory.reset();
    size = 0;
    memory.reset(::operator new(bytes, LINE));
    size = bytes;
  }
  return memory.get();
}

} // namespace mlxc::cpu
