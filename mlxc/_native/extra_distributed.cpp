// Groups of processes whose first words to each other go through a Python function.
#include "extras.hpp"

#ifndef MLXC_FOREIGN
#include "distributed.h"
#endif

// Written in Python: gathers `size` times `n_bytes` from all ranks into `dst`.
extern "C" int
mlxc_all_gather(void* payload, int rank, int size, const char* src, char* dst, size_t n_bytes);

extern "C" int mlxc_distributed_init_jaccl(mlx_distributed_group* res, bool strict, void* payload)
    MLXC_BODY(
        auto factory = [payload](int rank, int size) -> mx::distributed::AllGatherFn {
          return [=](const char* src, char* dst, size_t n_bytes) {
            if (mlxc_all_gather(payload, rank, size, src, dst, n_bytes)) {
              throw CallbackFailure("all_gather_factory failed");
            }
          };
        };
        set(res, mx::distributed::init(strict, "jaccl", factory)))
