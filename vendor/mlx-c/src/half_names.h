// The half types by the names the interface uses; included last, as mlx/c/array.h does.
#ifndef HAS_FLOAT16
#define float16_t void
#endif

#ifndef HAS_BFLOAT16
#define bfloat16_t void
#endif
