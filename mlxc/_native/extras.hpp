// The body of a function of extras.h: C++ that may throw, reported as mlx-c does. A foreign
// mlx-c has other handles and maybe an older MLX, so there the body is left out.
#pragma once

#include "extras.h"

#ifdef MLXC_FOREIGN

#define MLXC_BODY(...)                                    \
  {                                                       \
    mlx_error("this function needs mlxc's own mlx-c");    \
    return 1;                                             \
  }

#else

#include "handle.h"

#define MLXC_BODY(...)      \
  {                         \
    using namespace mlxc;   \
    try {                   \
      __VA_ARGS__;          \
      return 0;             \
    } catch (...) {         \
      return fail();        \
    }                       \
  }

#endif
