// Functions in files, and graphs written to C streams.
#include "exported.h"

#include <cstdio>
#include <sstream>

namespace mlxc {
namespace {

void write(FILE* os, const std::string& text) {
  if (!os) {
    throw std::invalid_argument("expected an open file, got NULL");
  }
  if (std::fwrite(text.data(), 1, text.size(), os) != text.size()) {
    throw std::runtime_error("the graph could not be written to the file");
  }
}

} // namespace

mlx_function_exporter function_exporter_new(
    const char* file,
    mlx_closure fun,
    bool shapeless) {
  return make<mlx_function_exporter>(mx::exporter(text(file), get(fun), shapeless));
}

mlx_imported_function imported_function_new(const char* file) {
  return make<mlx_imported_function>(mx::import_function(text(file)));
}

void node_namer_set_name(mlx_node_namer namer, mlx_array arr, const char* name) {
  get(namer).set_name(get(arr), text(name));
}

void node_namer_get_name(const char** name, mlx_node_namer namer, mlx_array arr) {
  set(name, get(namer).get_name(get(arr)));
}

void export_to_dot(FILE* os, mlx_node_namer namer, mlx_vector_array outputs) {
  std::ostringstream text;
  mx::export_to_dot(text, get(namer), get(outputs));
  write(os, text.str());
}

void print_graph(FILE* os, mlx_node_namer namer, mlx_vector_array outputs) {
  std::ostringstream text;
  mx::print_graph(text, get(namer), get(outputs));
  write(os, text.str());
}

} // namespace mlxc
