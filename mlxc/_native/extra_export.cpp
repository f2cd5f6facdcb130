// Exporting with metadata or to a callback.
#include "extras.hpp"

#ifndef MLXC_FOREIGN

#include <cstdio>
#include <tuple>

#include "closure.h"
#include "cpu/settings.h"
#include "exported.h"
#include "mlxc.h"

namespace {

namespace mx = mlx::core;

const char* name_of(const mx::Dtype& dtype) {
  switch (dtype.val()) {
    case mx::Dtype::Val::bool_: return "bool_";
    case mx::Dtype::Val::uint8: return "uint8";
    case mx::Dtype::Val::uint16: return "uint16";
    case mx::Dtype::Val::uint32: return "uint32";
    case mx::Dtype::Val::uint64: return "uint64";
    case mx::Dtype::Val::int8: return "int8";
    case mx::Dtype::Val::int16: return "int16";
    case mx::Dtype::Val::int32: return "int32";
    case mx::Dtype::Val::int64: return "int64";
    case mx::Dtype::Val::float16: return "float16";
    case mx::Dtype::Val::float32: return "float32";
    case mx::Dtype::Val::float64: return "float64";
    case mx::Dtype::Val::bfloat16: return "bfloat16";
    case mx::Dtype::Val::complex64: return "complex64";
  }
  throw std::invalid_argument("an exported function has a value of unknown type");
}

// One event as JSON. What JSON lacks is an object of one key: {"tuple": [...]},
// {"dtype": name}, {"array": place}.
class Event {
 public:
  explicit Event(const mx::ExportCallbackInput& input) {
    json_ += '{';
    for (const char* separator = ""; const auto& [key, value] : input) {
      json_ += separator;
      separator = ",";
      write(key);
      json_ += ':';
      std::visit([this](const auto& v) { write(v); }, value);
    }
    json_ += '}';
  }

  const std::string& json() const {
    return json_;
  }

  const mlxc::Arrays& arrays() const {
    return arrays_;
  }

 private:
  void write(const std::string& text) {
    json_ += '"';
    for (unsigned char c : text) {
      if (c == '"' || c == '\\') {
        json_ += '\\';
        json_ += static_cast<char>(c);
      } else if (c < 0x20) {
        char escaped[8];
        std::snprintf(escaped, sizeof escaped, "\\u%04x", c);
        json_ += escaped;
      } else {
        json_ += static_cast<char>(c);
      }
    }
    json_ += '"';
  }

  void write(bool value) {
    json_ += value ? "true" : "false";
  }

  template <class T>
    requires std::is_integral_v<T>
  void write(T value) {
    json_ += std::to_string(value);
  }

  void write(double value) {
    char text[32];
    std::snprintf(text, sizeof text, "%.17g", value);
    if (value != value) {
      json_ += "NaN";
    } else if (value - value != 0) {
      json_ += value > 0 ? "Infinity" : "-Infinity";
    } else {
      json_ += text;
      json_ += std::string(text).find_first_of(".e") == std::string::npos ? ".0" : "";
    }
  }

  void write(float value) {
    write(static_cast<double>(value));
  }

  void write(const mx::Dtype& dtype) {
    json_ += std::string("{\"dtype\":\"") + name_of(dtype) + "\"}";
  }

  void write(const mx::array& a) {
    json_ += "{\"array\":" + std::to_string(arrays_.size()) + "}";
    arrays_.push_back(a);
  }

  template <class T>
  void write(const std::optional<T>& value) {
    if (value) {
      write(*value);
    } else {
      json_ += "null";
    }
  }

  template <class... Ts>
  void write(const std::variant<Ts...>& value) {
    std::visit([this](const auto& v) { write(v); }, value);
  }

  void write(const mx::Shape& shape) {
    write_tuple([&] { write_items(shape); });
  }

  void write(const mx::Strides& strides) {
    write_tuple([&] { write_items(strides); });
  }

  template <class A, class B>
  void write(const std::pair<A, B>& pair) {
    write(std::tuple<const A&, const B&>(pair));
  }

  template <class... Ts>
  void write(const std::tuple<Ts...>& items) {
    write_tuple([&] {
      const char* separator = "";
      auto one = [&](const auto& item) {
        json_ += separator;
        separator = ",";
        write(item);
      };
      json_ += '[';
      std::apply([&](const auto&... item) { (one(item), ...); }, items);
      json_ += ']';
    });
  }

  template <class T>
  void write(const std::vector<T>& items) {
    write_items(items);
  }

  template <class Items>
  void write_items(const Items& items) {
    json_ += '[';
    for (const char* separator = ""; const auto& item : items) {
      json_ += separator;
      separator = ",";
      write(item);
    }
    json_ += ']';
  }

  template <class Write>
  void write_tuple(Write write_list) {
    json_ += "{\"tuple\":";
    write_list();
    json_ += '}';
  }

  std::string json_;
  mlxc::Arrays arrays_;
};

mx::ExportCallback to_python(void* payload) {
  return [payload](const mx::ExportCallbackInput& input) {
    Event event(input);
    mlxc::Pause pause;
    mlxc::Owned<mlx_vector_array> arrays(event.arrays());
    mlxc::check(mlxc_call_export(event.json().c_str(), arrays.handle, payload));
  };
}

// libmlx writes its own primitives alone, so the function is traced without kernels.
auto without_kernels(const mlx_closure_kwargs fun) {
  return [traced = mlxc::get(fun)](const mx::Args& args, const mx::Kwargs& kwargs) {
    mlxc::cpu::Hold hold;
    return traced(args, kwargs);
  };
}

} // namespace

#endif

extern "C" int mlxc_exporter_new(
    mlx_function_exporter* res,
    const char* file,
    const mlx_closure_kwargs fun,
    bool shapeless,
    const char* metadata)
    MLXC_BODY(out(res) = make<mlx_function_exporter>(
                  mx::exporter(text(file), without_kernels(fun), shapeless, text(metadata))))

extern "C" int mlxc_exporter_new_callback(
    mlx_function_exporter* res,
    void* payload,
    const mlx_closure_kwargs fun,
    bool shapeless)
    MLXC_BODY(out(res) = make<mlx_function_exporter>(
                  mx::exporter(to_python(payload), without_kernels(fun), shapeless)))

extern "C" int mlxc_exporter_close(const mlx_function_exporter exporter)
    MLXC_BODY(get(exporter).close())
