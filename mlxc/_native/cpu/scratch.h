// Memory of a thread for the length of one part of a job.
#pragma once

#include <cstddef>

namespace mlxc::cpu {

// At least this many bytes, aligned to a cache line; they are the thread's until its next call.
void* scratch(std::size_t bytes);

} // namespace mlxc::cpu
