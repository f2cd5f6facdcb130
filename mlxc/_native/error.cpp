// Errors of the calling thread. mlx-c knows one handler for the whole process;
// this one keeps each message with the thread whose call failed.
#include "mlxc.h"

#include <string>

namespace {

thread_local std::string last_message;

void remember(const char* message, void*) {
  last_message = message;
}

} // namespace

extern "C" void mlxc_install_error_handler(void) {
  mlx_set_error_handler(remember, nullptr, nullptr);
}

extern "C" const char* mlxc_error_message(void) {
  return last_message.c_str();
}

#ifdef MLXC_FOREIGN
extern "C" int mlxc_error_kind(void) {
  return -1;
}
#endif
