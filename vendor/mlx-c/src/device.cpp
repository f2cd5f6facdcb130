// Devices, what is known of them, and streams.
#include <variant>

#include "handle.h"
#include "print.h"

namespace mlxc {
namespace {

mx::Device::DeviceType device_type(mlx_device_type type) {
  return enumerator<mx::Device::DeviceType>(type, MLX_GPU);
}

const std::variant<std::string, std::size_t>* fact(mlx_device_info info, const char* key) {
  auto& facts = get(info);
  auto entry = facts.find(text(key));
  return entry == facts.end() ? nullptr : &entry->second;
}

template <class T, class V>
int look_up(V* value, mlx_device_info info, const char* key) {
  auto* entry = fact(info, key);
  if (!entry || !std::holds_alternative<T>(*entry)) {
    return nothing;
  }
  set(value, std::get<T>(*entry));
  return 0;
}

} // namespace

mlx_device device_new_type(mlx_device_type type, int index) {
  return make<mlx_device>(device_type(type), index);
}

void device_tostring(mlx_string* str, mlx_device dev) {
  set(str, printed(get(dev)));
}

bool device_equal(mlx_device lhs, mlx_device rhs) {
  return get(lhs) == get(rhs);
}

void device_get_index(int* index, mlx_device dev) {
  out(index) = get(dev).index;
}

void device_get_type(mlx_device_type* type, mlx_device dev) {
  out(type) = static_cast<mlx_device_type>(get(dev).type);
}

void get_default_device(mlx_device* dev) {
  set(dev, mx::default_device());
}

void set_default_device(mlx_device dev) {
  mx::set_default_device(get(dev));
}

void device_is_available(bool* avail, mlx_device dev) {
  out(avail) = mx::is_available(get(dev));
}

void device_count(int* count, mlx_device_type type) {
  out(count) = mx::device_count(device_type(type));
}

void device_info_get(mlx_device_info* info, mlx_device dev) {
  set(info, mx::device_info(get(dev)));
}

void device_info_has_key(bool* exists, mlx_device_info info, const char* key) {
  out(exists) = fact(info, key) != nullptr;
}

void device_info_is_string(bool* is_string, mlx_device_info info, const char* key) {
  auto* value = fact(info, key);
  out(is_string) = value && std::holds_alternative<std::string>(*value);
}

int device_info_get_string(const char** value, mlx_device_info info, const char* key) {
  return look_up<std::string>(value, info, key);
}

int device_info_get_size(std::size_t* value, mlx_device_info info, const char* key) {
  return look_up<std::size_t>(value, info, key);
}

void device_info_get_keys(mlx_vector_string* keys, mlx_device_info info) {
  std::vector<std::string> names;
  for (auto& [name, value] : get(info)) {
    names.push_back(name);
  }
  set(keys, std::move(names));
}

mlx_stream stream_new_device(mlx_device dev) {
  return make<mlx_stream>(new_shared_stream(get(dev)));
}

void stream_tostring(mlx_string* str, mlx_stream stream) {
  set(str, printed(get(stream)));
}

bool stream_equal(mlx_stream lhs, mlx_stream rhs) {
  return get(lhs) == get(rhs);
}

void stream_get_device(mlx_device* dev, mlx_stream stream) {
  set(dev, get(stream).device);
}

void stream_get_index(int* index, mlx_stream stream) {
  out(index) = get(stream).index;
}

void synchronize(mlx_stream stream) {
  auto& given = get(stream);
  std::optional<Turn> turn;
  if (given.device == mx::Device::gpu) { // which hands over what it has not yet
    turn.emplace();
  }
  mx::synchronize(given);
}

void get_default_stream(mlx_stream* stream, mlx_device dev) {
  set(stream, thread_stream(get(dev)));
}

void set_default_stream(mlx_stream stream) {
  set_thread_stream(get(stream));
}

mlx_stream default_cpu_stream_new() {
  return make<mlx_stream>(thread_stream(mx::Device::cpu));
}

mlx_stream default_gpu_stream_new() {
  return make<mlx_stream>(thread_stream(mx::Device::gpu));
}

} // namespace mlxc
