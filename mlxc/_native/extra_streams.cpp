// Kinds of streams that mlx-c lacks, and the memory behind arrays.
#include "extras.hpp"

#ifndef MLXC_FOREIGN
#include "mlx/memory.h"
#endif

extern "C" int mlxc_new_thread_unsafe_stream(mlx_stream* res, mlx_device dev)
    MLXC_BODY(set(res, mx::new_thread_unsafe_stream(get(dev))))

extern "C" int mlxc_new_thread_local_stream(int* index, mlx_device dev)
    MLXC_BODY(set(index, mx::new_thread_local_stream(get(dev)).index))

extern "C" int mlxc_stream_of_this_thread(mlx_stream* res, int index, mlx_device dev) MLXC_BODY(
    set(res, mx::stream_from_thread_local_stream(mx::ThreadLocalStream(index, get(dev)))))

extern "C" int mlxc_clear_streams(void) MLXC_BODY(mx::clear_streams())

extern "C" int mlxc_get_array_buffer_size(size_t* res, const mlx_vector_array arrays)
    MLXC_BODY(set(res, mx::get_array_buffer_size(get(arrays))))
