// Readers, writers and GGUF contents.
#include "files.h"

namespace mlxc {
namespace {

template <class T>
const T* metadata(mlx_io_gguf io, const char* key) {
  auto& entries = get(io).second;
  auto entry = entries.find(text(key));
  return entry == entries.end() ? nullptr : std::get_if<T>(&entry->second);
}

template <class T>
const T& metadata_of_type(mlx_io_gguf io, const char* key, const char* type) {
  auto* value = metadata<T>(io, key);
  if (!value) {
    throw std::out_of_range(std::string("no ") + type + " in the metadata is named " + key);
  }
  return *value;
}

} // namespace

mlx_io_reader io_reader_new(void* desc, mlx_io_vtable vtable) {
  return make<mlx_io_reader>(std::make_shared<Reader>(desc, vtable));
}

void io_reader_descriptor(void** desc, mlx_io_reader io) {
  out(desc) = get(io)->descriptor();
}

void io_reader_tostring(mlx_string* str, mlx_io_reader io) {
  set(str, get(io)->label());
}

mlx_io_writer io_writer_new(void* desc, mlx_io_vtable vtable) {
  return make<mlx_io_writer>(std::make_shared<Writer>(desc, vtable));
}

void io_writer_descriptor(void** desc, mlx_io_writer io) {
  out(desc) = get(io)->descriptor();
}

void io_writer_tostring(mlx_string* str, mlx_io_writer io) {
  set(str, get(io)->label());
}

void save_gguf(const char* file, mlx_io_gguf gguf) {
  mx::save_gguf(text(file), get(gguf).first, get(gguf).second);
}

void io_gguf_get_keys(mlx_vector_string* keys, mlx_io_gguf io) {
  std::vector<std::string> names;
  for (auto& [name, value] : get(io).first) {
    names.push_back(name);
  }
  set(keys, std::move(names));
}

void io_gguf_get_array(mlx_array* arr, mlx_io_gguf io, const char* key) {
  auto& arrays = get(io).first;
  auto entry = arrays.find(text(key));
  if (entry == arrays.end()) {
    throw std::out_of_range(std::string("no array is named ") + key);
  }
  set(arr, entry->second);
}

void io_gguf_get_metadata_array(mlx_array* arr, mlx_io_gguf io, const char* key) {
  set(arr, metadata_of_type<mx::array>(io, key, "array"));
}

void io_gguf_get_metadata_string(mlx_string* str, mlx_io_gguf io, const char* key) {
  set(str, metadata_of_type<std::string>(io, key, "string"));
}

void io_gguf_get_metadata_vector_string(
    mlx_vector_string* vstr,
    mlx_io_gguf io,
    const char* key) {
  set(vstr, metadata_of_type<std::vector<std::string>>(io, key, "vector of strings"));
}

void io_gguf_has_metadata_array(bool* flag, mlx_io_gguf io, const char* key) {
  out(flag) = metadata<mx::array>(io, key) != nullptr;
}

void io_gguf_has_metadata_string(bool* flag, mlx_io_gguf io, const char* key) {
  out(flag) = metadata<std::string>(io, key) != nullptr;
}

void io_gguf_has_metadata_vector_string(bool* flag, mlx_io_gguf io, const char* key) {
  out(flag) = metadata<std::vector<std::string>>(io, key) != nullptr;
}

void io_gguf_set_array(mlx_io_gguf io, const char* key, mlx_array arr) {
  get(io).first.insert_or_assign(text(key), get(arr));
}

void io_gguf_set_metadata_array(mlx_io_gguf io, const char* key, mlx_array marr) {
  get(io).second.insert_or_assign(text(key), get(marr));
}

void io_gguf_set_metadata_string(mlx_io_gguf io, const char* key, const char* mstr) {
  get(io).second.insert_or_assign(text(key), text(mstr));
}

void io_gguf_set_metadata_vector_string(
    mlx_io_gguf io,
    const char* key,
    mlx_vector_string mvstr) {
  get(io).second.insert_or_assign(text(key), get(mvstr));
}

} // namespace mlxc
