// MLX objects as MLX prints them.
#pragma once

#include <sstream>
#include <string>

#include "mlx/utils.h"

namespace mlxc {

template <class T>
std::string printed(const T& value) {
  std::ostringstream text;
  mlx::core::operator<<(text, value);
  return text.str();
}

} // namespace mlxc
