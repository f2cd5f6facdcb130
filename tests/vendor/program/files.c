/* Files, readers and writers, exported functions, graphs. */
#include "program.h"

typedef struct {
  char bytes[4096];
  size_t at;
  size_t size;
} memory_file;

static bool always(void* desc) {
  (void)desc;
  return true;
}

static size_t tell(void* desc) {
  return ((memory_file*)desc)->at;
}

static void seek(void* desc, int64_t off, int whence) {
  memory_file* file = desc;
  size_t base = whence == SEEK_SET ? 0 : whence == SEEK_CUR ? file->at : file->size;
  file->at = base + (size_t)off;
}

static void read_at(void* desc, char* data, size_t n, size_t off) {
  memcpy(data, ((memory_file*)desc)->bytes + off, n);
}

static void read_next(void* desc, char* data, size_t n) {
  memory_file* file = desc;
  read_at(desc, data, n, file->at);
  file->at += n;
}

static void write_next(void* desc, const char* data, size_t n) {
  memory_file* file = desc;
  memcpy(file->bytes + file->at, data, n);
  file->at += n;
  file->size = file->at > file->size ? file->at : file->size;
}

static const char* label(void* desc) {
  (void)desc;
  return "memory.safetensors";
}

static const mlx_io_vtable memory_calls = {
    always, always, tell, seek, read_next, read_at, write_next, label, count_release};

static void check_loaded(mlx_map_string_to_array weights, mlx_map_string_to_string notes) {
  mlx_array w = mlx_array_new();
  CHECK(mlx_map_string_to_array_get(&w, weights, "w") == 0);
  CHECK(mlx_array_size(w) == 3 && mlx_sum(&w, w, false, cpu) == 0 && take(w) == 6);
  const char* note = NULL;
  CHECK(mlx_map_string_to_string_get(&note, notes, "format") == 0 && strcmp(note, "mlx") == 0);
}

void files(const char* folder) {
  char path[1000];
  mlx_array w = vector_of((float[]){1, 2, 3}, 3);
  mlx_map_string_to_array weights = mlx_map_string_to_array_new();
  mlx_map_string_to_string notes = mlx_map_string_to_string_new();
  mlx_map_string_to_array_insert(weights, "w", w);
  mlx_map_string_to_string_insert(notes, "format", "mlx");
  mlx_map_string_to_array loaded = mlx_map_string_to_array_new();
  mlx_map_string_to_string read_notes = mlx_map_string_to_string_new();

  snprintf(path, sizeof path, "%s/weights.safetensors", folder);
  CHECK(mlx_save_safetensors(path, weights, notes) == 0);
  CHECK(mlx_load_safetensors(&loaded, &read_notes, path, cpu) == 0);
  check_loaded(loaded, read_notes);

  released = 0;
  memory_file file = {{0}, 0, 0};
  mlx_io_writer writer = mlx_io_writer_new(&file, memory_calls);
  CHECK(mlx_save_safetensors_writer(writer, weights, notes) == 0);
  void* desc = NULL;
  CHECK(mlx_io_writer_descriptor(&desc, writer) == 0 && desc == &file);
  mlx_io_writer_free(writer);
  CHECK(released == 1 && file.size > 12);
  file.at = 0;
  mlx_io_reader reader = mlx_io_reader_new(&file, memory_calls);
  CHECK(mlx_load_safetensors_reader(&loaded, &read_notes, reader, cpu) == 0);
  mlx_string text = mlx_string_new();
  CHECK(mlx_io_reader_tostring(&text, reader) == 0);
  CHECK(strstr(mlx_string_data(text), "memory") != NULL);
  mlx_string_free(text);
  mlx_io_reader_free(reader);
  check_loaded(loaded, read_notes); /* lazy arrays keep the reader */
  mlx_map_string_to_array_free(loaded);
  CHECK(released == 2);

  snprintf(path, sizeof path, "%s/array.npy", folder);
  mlx_array back = mlx_array_new();
  CHECK(mlx_save(path, w) == 0 && mlx_load(&back, path, cpu) == 0);
  CHECK(mlx_array_equal(&back, back, w, false, cpu) == 0);
  bool equal = false;
  CHECK(mlx_array_item_bool(&equal, back) == 0 && equal);

  snprintf(path, sizeof path, "%s/weights.gguf", folder);
  mlx_io_gguf gguf = mlx_io_gguf_new();
  mlx_io_gguf read_gguf = mlx_io_gguf_new();
  CHECK(mlx_io_gguf_set_array(gguf, "w", w) == 0);
  CHECK(mlx_io_gguf_set_metadata_string(gguf, "general.name", "tiny") == 0);
  CHECK(mlx_save_gguf(path, gguf) == 0 && mlx_load_gguf(&read_gguf, path, cpu) == 0);
  mlx_vector_string keys = mlx_vector_string_new();
  CHECK(mlx_io_gguf_get_keys(&keys, read_gguf) == 0 && mlx_vector_string_size(keys) == 1);
  text = mlx_string_new();
  CHECK(mlx_io_gguf_get_metadata_string(&text, read_gguf, "general.name") == 0);
  CHECK(strcmp(mlx_string_data(text), "tiny") == 0);
  bool flag = true;
  CHECK(mlx_io_gguf_has_metadata_array(&flag, read_gguf, "general.name") == 0 && !flag);
  CHECK(mlx_io_gguf_get_array(&back, read_gguf, "w") == 0 && mlx_array_size(back) == 3);
  CHECK(mlx_io_gguf_get_array(&back, read_gguf, "v") == 1);
  mlx_string_free(text);
  mlx_vector_string_free(keys);
  mlx_io_gguf_free(read_gguf);
  mlx_io_gguf_free(gguf);

  snprintf(path, sizeof path, "%s/function.mlxfn", folder);
  mlx_closure unary = mlx_closure_new_unary(doubled);
  mlx_vector_array args = mlx_vector_array_new_value(w);
  mlx_vector_array results = mlx_vector_array_new();
  mlx_function_exporter exporter = mlx_function_exporter_new(path, unary, false);
  CHECK(mlx_function_exporter_apply(exporter, args) == 0);
  mlx_function_exporter_free(exporter);
  mlx_imported_function imported = mlx_imported_function_new(path);
  CHECK(mlx_imported_function_apply(&results, imported, args) == 0);
  mlx_array sum = first(results);
  CHECK(mlx_sum(&sum, sum, false, cpu) == 0 && take(sum) == 12);
  mlx_imported_function_free(imported);

  FILE* stream = tmpfile();
  mlx_node_namer namer = mlx_node_namer_new();
  CHECK(mlx_closure_apply(&results, unary, args) == 0);
  CHECK(mlx_node_namer_set_name(namer, w, "weight") == 0);
  const char* name = NULL;
  CHECK(mlx_node_namer_get_name(&name, namer, w) == 0 && strcmp(name, "weight") == 0);
  CHECK(mlx_export_to_dot(stream, namer, results) == 0 && mlx_print_graph(stream, namer, results) == 0);
  CHECK(ftell(stream) > 0);
  fclose(stream);
  mlx_node_namer_free(namer);
  mlx_vector_array_free(results);
  mlx_vector_array_free(args);
  mlx_closure_free(unary);

  mlx_array_free(back);
  mlx_map_string_to_string_free(read_notes);
  mlx_map_string_to_string_free(notes);
  mlx_map_string_to_array_free(weights);
  mlx_array_free(w);
}
