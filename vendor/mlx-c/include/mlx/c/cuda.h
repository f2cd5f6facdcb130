/* The CUDA backend. */
#ifndef MLX_CUDA_H
#define MLX_CUDA_H

#include <stdbool.h>

#include "mlx/c/array.h"
#include "mlx/c/closure.h"
#include "mlx/c/distributed_group.h"
#include "mlx/c/io_types.h"
#include "mlx/c/map.h"
#include "mlx/c/optional.h"
#include "mlx/c/stream.h"
#include "mlx/c/string.h"
#include "mlx/c/vector.h"

#ifdef __cplusplus
extern "C" {
#endif

int mlx_cuda_is_available(bool* res);

#ifdef __cplusplus
}
#endif

#endif
