// Memory that the C library keeps when it is freed.
#include "extras.h"

#include <cstdlib> // says which C library this is

#ifdef __GLIBC__
#include <malloc.h>
#endif

extern "C" void mlxc_trim_memory(void) {
#ifdef __GLIBC__
  malloc_trim(0);
#endif
}
