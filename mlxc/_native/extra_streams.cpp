// Kinds of streams that mlx-c lacks, and the memory behind arrays.
#include "extras.hpp"

#ifndef MLXC_FOREIGN
#include <algorithm>
#include <chrono>
#include <map>
#include <thread>

#include "mlx/memory.h"
#include "mlx/scheduler.h"

namespace {

// A task that fails takes those queued behind it along, and MLX goes on counting them as active,
// until it waits for them forever. What still counts when nothing has moved for a while is taken
// back; if it was a long task of another thread, MLX merely runs one more ahead.
void forget_lost_tasks() {
  using namespace std::chrono_literals;
  auto& scheduler = mlx::core::scheduler::scheduler();
  int active = scheduler.n_active_tasks();
  for (int still = 0; active > 0 && still < 10; still++) {
    std::this_thread::sleep_for(1ms);
    if (int now = scheduler.n_active_tasks(); now != active) {
      active = now;
      still = 0;
    }
  }
  auto stream = mlxc::thread_stream(mlx::core::default_device());
  for (; active > 0; active--) {
    scheduler.notify_task_completion(stream);
  }
}

// What is mapped has no size of its own; it counts as far as its arrays reach.
size_t buffer_size(const mlxc::Arrays& arrays) {
  mlxc::Arrays allocated;
  std::map<const void*, size_t> mapped;
  for (auto& array : arrays) {
    auto& data = array.data_shared_ptr();
    if (!data || data->is_owned()) {
      allocated.push_back(array);
    } else {
      size_t& bytes = mapped[data.get()];
      bytes = std::max(bytes, array.offset() + array.data_size() * array.itemsize());
    }
  }
  size_t total = mlx::core::get_array_buffer_size(allocated);
  for (auto& [_, bytes] : mapped) {
    total += bytes;
  }
  return total;
}

} // namespace
#endif

extern "C" int mlxc_new_thread_unsafe_stream(mlx_stream* res, mlx_device dev)
    MLXC_BODY(set(res, new_shared_stream(get(dev))))

extern "C" int mlxc_new_thread_local_stream(int* index, mlx_device dev)
    MLXC_BODY(set(index, mx::new_thread_local_stream(get(dev)).index))

extern "C" int mlxc_stream_of_this_thread(mlx_stream* res, int index, mlx_device dev) MLXC_BODY(
    set(res, mx::stream_from_thread_local_stream(mx::ThreadLocalStream(index, get(dev)))))

extern "C" int mlxc_forget_lost_tasks(void) MLXC_BODY(forget_lost_tasks())

extern "C" int mlxc_clear_streams(void) MLXC_BODY(Turn turn; mx::clear_streams())

extern "C" int mlxc_get_array_buffer_size(size_t* res, const mlx_vector_array arrays)
    MLXC_BODY(Turn turn; set(res, buffer_size(get(arrays))))
