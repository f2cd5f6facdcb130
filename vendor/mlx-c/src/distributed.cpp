// Groups of processes. A backend of NULL leaves the choice to MLX.
#include "distributed.h"

namespace mlxc {

void distributed_init(mlx_distributed_group* res, bool strict, const char* bk) {
  set(res, mx::distributed::init(strict, bk ? bk : "any"));
}

int distributed_group_rank(mlx_distributed_group group) {
  return get(group).rank();
}

int distributed_group_size(mlx_distributed_group group) {
  return get(group).size();
}

void distributed_group_split(
    mlx_distributed_group* res,
    mlx_distributed_group group,
    int color,
    int key) {
  set(res, get(group).split(color, key));
}

bool distributed_is_available(const char* bk) {
  return bk ? mx::distributed::is_available(bk) : mx::distributed::is_available();
}

} // namespace mlxc
