// The error handler, and the way from a C++ exception to it.
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <new>

#include "handle.h"

namespace mlxc {
namespace {

// The numbers of mlxc_error_kind.
enum class Kind { other, invalid_argument, out_of_range, bad_alloc, callback, overflow };

thread_local Kind last_kind = Kind::other;

void print_and_exit(const char* message, void*) {
  std::fprintf(stderr, "MLX error: %s\n", message);
  std::exit(-1);
}

struct Handler {
  mlx_error_handler_func function = print_and_exit;
  std::shared_ptr<void> data;
};

std::mutex handler_mutex;

// Never destroyed: threads may still fail while the process ends.
Handler& installed_handler() {
  static auto* handler = new Handler;
  return *handler;
}

// Called without the lock, so that a handler may fail or be replaced meanwhile.
void report(Kind kind, const char* message) {
  last_kind = kind;
  Handler handler;
  {
    std::lock_guard lock(handler_mutex);
    handler = installed_handler();
  }
  handler.function(message, handler.data.get());
}

std::string located(const char* file, int line, const char* format, va_list args) {
  va_list again;
  va_copy(again, args);
  int size = std::vsnprintf(nullptr, 0, format, again);
  va_end(again);
  std::string message(size > 0 ? size : 0, '\0');
  std::vsnprintf(message.data(), message.size() + 1, format, args);
  return message + " at " + file + ":" + std::to_string(line);
}

} // namespace

int fail() noexcept {
  try {
    throw;
  } catch (const CallbackFailure& error) {
    report(Kind::callback, error.what());
  } catch (const std::invalid_argument& error) {
    report(Kind::invalid_argument, error.what());
  } catch (const std::length_error& error) {
    report(Kind::invalid_argument, error.what());
  } catch (const std::out_of_range& error) {
    report(Kind::out_of_range, error.what());
  } catch (const std::bad_alloc& error) {
    report(Kind::bad_alloc, error.what());
  } catch (const std::overflow_error& error) {
    report(Kind::overflow, error.what());
  } catch (const std::exception& error) {
    report(Kind::other, error.what());
  } catch (...) {
    report(Kind::other, "an exception of unknown type");
  }
  return 1;
}

} // namespace mlxc

// The message alone does not tell which exception of the caller's language fits.
extern "C" int mlxc_error_kind(void) {
  return static_cast<int>(mlxc::last_kind);
}

extern "C" void
mlx_set_error_handler(mlx_error_handler_func handler, void* data, void (*dtor)(void*)) {
  try {
    auto release_data = [dtor](void* p) {
      if (dtor) {
        dtor(p);
      }
    };
    mlxc::Handler next;
    if (handler) {
      next.function = handler;
    }
    next.data = std::shared_ptr<void>(data, release_data);
    // The lock ends before next, so that the old data is released without it.
    std::lock_guard lock(mlxc::handler_mutex);
    std::swap(mlxc::installed_handler(), next);
  } catch (...) {
    mlxc::fail();
  }
}

extern "C" void _mlx_error(const char* file, const int line, const char* fmt, ...) {
  va_list args;
  va_start(args, fmt);
  try {
    mlxc::report(mlxc::Kind::other, mlxc::located(file, line, fmt, args).c_str());
  } catch (...) {
    mlxc::fail();
  }
  va_end(args);
}
