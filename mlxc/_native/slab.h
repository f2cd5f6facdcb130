// Memory for the weights of a model.
#pragma once

#include <cstddef>

#include "extras.hpp"

#ifndef MLXC_FOREIGN
#include "mlx/allocator.h"

namespace mlxc {

// MLX's CPU allocator writes the size of a buffer in front of it and points there; whatever stands
// in front of other memory is taken for that. Other backends have other pointers.
constexpr std::size_t BUFFER_FRONT = sizeof(std::size_t);

// Whether the backend's buffers are of that kind.
bool is_cpu_layout();

// Memory in pages of 2 MiB, where the system has such, and at the beginning of a cache line: a token
// of a model reads all weights, and would wait for the page table at every 4 KiB of them. It lies
// beside that of others, outside of what MLX counts, and MLX takes it for no result. Where the
// backend is no CPU, it is MLX's own.
mlx::core::allocator::Data weight_memory(std::size_t bytes);

} // namespace mlxc
#endif
