#include "turn.h"

#include <algorithm>
#include <atomic>
#include <thread>
#include <utility>
#include <vector>

#include "mlx/compile_impl.h"
#include "mlx/transforms.h"

namespace mlxc {
namespace {

// A mutex of which taking and giving back is one instruction each: that much every operation pays
// whose result is dropped.
class Gate {
 public:
  bool try_lock() {
    int free = FREE;
    return state_.compare_exchange_strong(free, TAKEN, std::memory_order_acquire);
  }

  void lock() {
    if (!try_lock()) {
      while (state_.exchange(AWAITED, std::memory_order_acquire) != FREE) {
        state_.wait(AWAITED);
      }
    }
  }

  void unlock() {
    if (state_.exchange(FREE) == AWAITED) {
      state_.notify_one();
    }
  }

 private:
  enum { FREE, TAKEN, AWAITED };
  std::atomic<int> state_{FREE};
};

Gate turn;
thread_local int depth = 0; // how many times this thread has the turn

// What threads leave to whoever has the turn, without a lock that a fork could catch taken.
template <class T>
class Mailbox {
 public:
  bool empty() const {
    return !top_.load(std::memory_order_acquire);
  }

  void put(T value) {
    auto* node = new Node{std::move(value), top_};
    while (!top_.compare_exchange_weak(node->next, node)) {
    }
  }

  template <class Take>
  void take_all(Take take) {
    for (Node* node = top_.exchange(nullptr); node;) {
      take(node->value);
      delete std::exchange(node, node->next);
    }
  }

 private:
  struct Node {
    T value;
    Node* next;
  };
  std::atomic<Node*> top_{nullptr};
};

struct Dropped {
  void* held;
  void (*free)(void*);
};

// None has a destructor, because threads may outlive those of static objects.
Mailbox<Dropped> dropped;
Mailbox<mx::Stream> unused_streams;

// Ends this thread's turn, and sees to what was dropped until then.
void end_turn(int& depth) {
  do {
    while (!dropped.empty()) { // freeing may drop more
      dropped.take_all([](Dropped& item) { item.free(item.held); });
    }
    depth = 0;
    turn.unlock();
  } while (!dropped.empty() && turn.try_lock() && (depth = 1));
}

// For others to free; returns whether this thread has the turn after all and is to do it.
bool leave(void* held, void (*free)(void*)) {
  dropped.put({held, free});
  return turn.try_lock(); // if not, whoever has it looks once more when it ends
}

// --- in this thread's turn ---

std::vector<mx::Stream>& spare_streams() {
  static auto* streams = new std::vector<mx::Stream>;
  unused_streams.take_all([](mx::Stream stream) { streams->push_back(stream); });
  return *streams;
}

std::vector<mx::detail::CompileCacheWeakPtr>& compile_caches() {
  static auto* caches = new std::vector<mx::detail::CompileCacheWeakPtr>;
  return *caches;
}

struct Thread {
  std::vector<mx::Device> provided; // the devices whose default stream is set
  std::vector<mx::Stream> streams; // lent to this thread
  bool known = false;

  ~Thread() {
    for (mx::Stream stream : streams) {
      unused_streams.put(stream);
    }
  }

  bool has(mx::Device device) const {
    return std::find(provided.begin(), provided.end(), device) != provided.end();
  }

  void provide(mx::Device device) {
    if (has(device)) {
      return;
    }
    auto& spare = spare_streams();
    auto found = std::find_if(
        spare.begin(), spare.end(), [&](const mx::Stream& s) { return s.device == device; });
    if (found == spare.end()) {
      streams.push_back(mx::new_thread_unsafe_stream(device));
    } else {
      streams.push_back(*found);
      spare.erase(found);
    }
    provided.push_back(device);
    mx::set_default_stream(streams.back());
  }

  void register_cache() {
    std::erase_if(compile_caches(), [](auto& cache) { return cache.expired(); });
    compile_caches().push_back(mx::detail::compile_cache());
  }
};

thread_local Thread this_thread;

} // namespace

void (*before_first_turn)() = nullptr;
void (*while_waiting)(bool (*over)(const void*), const void* context) = nullptr;

Turn::Turn() {
  if (depth == 0) {
    bool known = std::exchange(this_thread.known, true);
    if (!known && before_first_turn) {
      before_first_turn();
    }
    turn.lock();
    depth = 1;
    try {
      if (!known) {
        this_thread.register_cache();
      }
      // Or MLX would give this thread a stream that only it can use.
      this_thread.provide(mx::default_device());
    } catch (...) {
      end_turn(depth);
      throw;
    }
  } else {
    depth++;
  }
}

Turn::~Turn() {
  give_turn();
}

Pause::Pause() : had_(depth == 1) {
  if (had_) {
    end_turn(depth);
  }
}

Pause::~Pause() {
  if (had_) {
    turn.lock();
    depth = 1;
  }
}

bool take_turn(std::chrono::seconds most) {
  auto until = std::chrono::steady_clock::now() + most;
  while (depth == 0 && !turn.try_lock()) {
    if (std::chrono::steady_clock::now() > until) {
      return false;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  depth++;
  return true;
}

void give_turn() {
  if (depth == 1) {
    end_turn(depth);
  } else {
    depth--;
  }
}

void drop(void* held, void (*free)(void*)) {
  int& mine = depth; // looked up once
  if (mine) {
    return free(held);
  }
  if (turn.try_lock()) {
    mine = 1;
    free(held);
  } else if (leave(held, free)) {
    mine = 1;
  } else {
    return;
  }
  end_turn(mine);
}

void evaluate(const mx::array* arrays, std::size_t size, bool wait) {
  auto end = arrays + size;
  if (std::all_of(arrays, end, [](auto& a) { return a.status() == mx::array::available; })) {
    std::atomic_thread_fence(std::memory_order_acquire);
    return;
  }
  Turn mine;
  std::vector<mx::array> all(arrays, end);
  if (std::any_of(arrays, end, [](auto& a) { return a.is_tracer(); })) {
    return wait ? mx::eval(std::move(all)) : mx::async_eval(std::move(all));
  }
  mx::async_eval(all);
  for (auto& a : all) {
    if (wait && !a.is_available()) {
      // Something with the same event, because another thread may have this array available.
      mx::array waiting(mx::Shape{}, mx::bool_, nullptr, {});
      waiting.attach_event(a.event());
      waiting.set_status(mx::array::evaluated);
      {
        Pause pause;
        if (while_waiting && waiting.event().stream().device == mx::Device::cpu) {
          while_waiting(
              [](const void* a) { return static_cast<const mx::array*>(a)->is_available(); },
              &waiting);
        }
        waiting.wait();
      }
      a.wait();
    }
  }
}

bool is_available(const mx::array& a) {
  auto status = a.status();
  if (status == mx::array::evaluated) {
    Turn mine;
    return a.is_available();
  }
  std::atomic_thread_fence(std::memory_order_acquire);
  return status == mx::array::available;
}

mx::Stream new_shared_stream(mx::Device device) {
  Turn mine;
  return mx::new_thread_unsafe_stream(device);
}

mx::Stream thread_stream(mx::Device device) {
  if (!this_thread.has(device)) {
    Turn mine;
    this_thread.provide(device);
  }
  return mx::default_stream(device);
}

void set_thread_stream(mx::Stream stream) {
  mx::set_default_stream(stream);
  if (!this_thread.has(stream.device)) {
    this_thread.provided.push_back(stream.device);
  }
}

void forget_compiled(std::uintptr_t fun_id) {
  Turn mine;
  for (auto& cache : compile_caches()) {
    mx::detail::compile_erase(cache, fun_id);
  }
}

void forget_all_compiled() {
  Turn mine;
  for (auto& cache : compile_caches()) {
    mx::detail::compile_clear_cache(cache);
  }
}

} // namespace mlxc
