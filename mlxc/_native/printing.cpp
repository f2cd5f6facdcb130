// How arrays are printed.
#include "mlxc.h"

#ifdef MLXC_FOREIGN

namespace {

int unknown() {
  mlx_error("print options need mlxc's own mlx-c");
  return 1;
}

} // namespace

extern "C" int mlxc_set_print_precision(int) {
  return unknown();
}

extern "C" int mlxc_print_precision(int*) {
  return unknown();
}

#else

#include "handle.h"
#include "mlx/utils.h"

extern "C" int mlxc_set_print_precision(int precision) {
  try {
    mlx::core::set_printoptions({precision});
  } catch (...) {
    return mlxc::fail();
  }
  return 0;
}

extern "C" int mlxc_print_precision(int* res) {
  try {
    mlxc::set(res, mlx::core::get_global_formatter().format_options.precision);
  } catch (...) {
    return mlxc::fail();
  }
  return 0;
}

#endif
