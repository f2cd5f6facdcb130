// Strings.
#include "handle.h"
#include "mlx/version.h"

namespace mlxc {

mlx_string string_new_data(const char* str) {
  return make<mlx_string>(text(str));
}

const char* string_data(mlx_string str) {
  return get(str).c_str();
}

void version(mlx_string* str) {
  set(str, std::string(mx::version()));
}

} // namespace mlxc
