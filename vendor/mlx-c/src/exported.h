// Functions in files, and the names of graph nodes.
#pragma once

#include "handle.h"
#include "mlx/export.h"
#include "mlx/graph_utils.h"

namespace mlxc {

MLXC_HANDLE(mlx_function_exporter, mx::FunctionExporter);
MLXC_HANDLE(mlx_imported_function, mx::ImportedFunction);
MLXC_HANDLE(mlx_node_namer, mx::NodeNamer);

} // namespace mlxc
