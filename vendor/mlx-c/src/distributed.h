// Groups of processes.
#pragma once

#include "handle.h"
#include "mlx/distributed/distributed.h"

namespace mlxc {

MLXC_HANDLE(mlx_distributed_group, mx::distributed::Group);

} // namespace mlxc
