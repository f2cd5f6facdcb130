"""Writes the C++ glue of the interface: one wrapper a function, none lets an exception out.

A wrapper takes its body from the first of three places that knows the function: ``IRREGULAR``
(the body is ``mlxc::<name>`` in ``src/``, the wrapper is still made here), ``PATTERNS`` (families
that differ by a type), and else the regular rule: convert every parameter by its type, call the
MLX function of the same name, set the results.

    python generate.py --out DIR
"""

from __future__ import annotations

import argparse
import re
from dataclasses import dataclass
from pathlib import Path

from interface import Function, Interface, Param, read_interface

HERE = Path(__file__).parent

BANNER = "// Made by vendor/mlx-c/generate.py from the headers; edit those.\n"

# Written as a whole in src/error.cpp: wrappers call the handler that these make.
WHOLE = frozenset({"mlx_set_error_handler", "_mlx_error"})

# (names, why no rule fits); the body is in src/.
IRREGULAR: tuple[tuple[str, str], ...] = (
    (r"mlx_dtype_size|mlx_array_dtype", "dtypes are objects in C++"),
    (r"mlx_(array|device|stream|io_reader|io_writer)_tostring", "printed through a C++ stream"),
    (r"mlx_array_(new|set)_data\w*", "checks and copies or owns foreign memory"),
    (r"mlx_array_(shape|strides|dim)", "lends memory of the array, checks the bounds"),
    (r"mlx_array_(item|data)_complex64", "a C type that C++ lacks"),
    (r"_mlx_array_wait", "refuses an array that nobody evaluates"),
    (r"mlx_closure_new_unary", "wraps one array in vectors of one"),
    (r"mlx_device_(new_type|equal|get_\w+|is_available|count)", "fields of a C++ struct"),
    (r"mlx_device_info_(get|has_key|is_string|get_\w+)", "looks into a map of variants"),
    (r"mlx_stream_(new_device|equal|get_\w+)|mlx_synchronize", "fields of a C++ struct"),
    (r"mlx_([gs]et_default_(device|stream)|default_\w+_stream_new)", "no result of its own"),
    (r"mlx_io_(reader|writer)_(new|descriptor)", "C callbacks behind a C++ base class"),
    (r"mlx_io_gguf_(get|has|set)_\w+|mlx_save_gguf", "two maps, one of variants"),
    (r"mlx_(function_exporter|imported_function)_new", "a C++ object that cannot be empty"),
    (r"mlx_node_namer_[gs]et_name|mlx_export_to_dot|mlx_print_graph", "FILE* for a C++ stream"),
    (r"mlx_distributed_(init|group_rank|group_size|group_split|is_available)", "NULL backend"),
    (r"mlx_detail_compile_(clear_cache|erase)", "every thread has a cache"),
    (r"mlx_fast_scaled_dot_product_attention", "MLX 0.32 adds force_fused"),
    (r"mlx_gather_qmm", "MLX 0.32 adds global_scale"),
    (r"mlx_string_(new_data|data)|mlx_version", "C strings"),
)

# (names, body). {p[i]} is a parameter, {args} all of them, {tail} all but the first,
# {converted} all of them as C++ values, {returns} the return type, \1 a group of the name.
PATTERNS: tuple[tuple[str, str], ...] = (
    (r"(mlx_map_\w+)_iterator_new", "return mlxc::begin<{returns}>({p[0]});"),
    (r"(mlx_map_\w+)_iterator_free", r"mlxc::end<\1>({p[0]});"),
    (r"(mlx_map_\w+)_iterator_next", r"return mlxc::next<\1>({args});"),
    (
        r"mlx_map_\w+_insert",
        "mlxc::get({p[0]}).insert_or_assign(mlxc::text({p[1]}), mlxc::element({p[2]}));",
    ),
    (r"mlx_map_\w+_get", "return mlxc::look_up({args});"),
    (
        r"(mlx_vector_\w+)_new_data",
        "return mlxc::make<{returns}>(mlxc::elements<{returns}>({args}));",
    ),
    (
        r"(mlx_vector_\w+)_new_value",
        "return mlxc::make<{returns}>(mlxc::elements<{returns}>(&{p[0]}, 1));",
    ),
    (r"(mlx_vector_\w+)_set_data", r"mlxc::set({p[0]}, mlxc::elements<\1>({tail}));"),
    (r"(mlx_vector_\w+)_set_value", r"mlxc::set({p[0]}, mlxc::elements<\1>(&{p[1]}, 1));"),
    (r"mlx_vector_\w+_append_data", "mlxc::append({args});"),
    (r"mlx_vector_\w+_append_value", "mlxc::append({p[0]}, &{p[1]}, 1);"),
    (r"mlx_vector_\w+_size", "return mlxc::get({p[0]}).size();"),
    (r"mlx_vector_\w+_get", "mlxc::set({p[0]}, mlxc::at({tail}));"),
    (
        r"mlx_(vector|map|node_namer|io_gguf|fast_\w+_config)\w*_new",
        "return mlxc::make<{returns}>();",
    ),
    (
        r"mlx_fast_(cuda|metal)_kernel_new",
        r"return mlxc::make<{returns}>(mx::fast::\1_kernel({converted}));",
    ),
    (r"mlx_fast_\w+_kernel_config_((add|set)_\w+)", r"mlxc::get({p[0]}).\1({tail});"),
    (
        r"mlx_fast_\w+_kernel_apply",
        "mlxc::set({p[0]}, mlxc::get({p[3]}).run("
        "mlxc::get({p[1]}), mlxc::get({p[2]}), mlxc::get({p[4]})));",
    ),
    (r"mlx_closure\w*_new_func(_payload)?", "return mlxc::closure<{returns}>({args});"),
    (r"mlx_\w+_new", "return {returns}{{nullptr}};"),
    (r"mlx_\w+_free", "mlxc::release({p[0]});"),
    (r"mlx_\w+_set", "mlxc::set({p[0]}, mlxc::get({p[1]}));"),
    (r"mlx_array_new_(bool|int|float32|float)", "return mlxc::make<mlx_array>(val);"),
    (r"mlx_array_new_(float64|double)", "return mlxc::make<mlx_array>(val, mx::float64);"),
    (
        r"mlx_array_new_complex",
        "return mlxc::make<mlx_array>(mx::complex64_t(real_val, imag_val));",
    ),
    (r"mlx_array_set_(bool|int|float32|float)", "mlxc::set(arr, mx::array(val));"),
    (r"mlx_array_set_(float64|double)", "mlxc::set(arr, mx::array(val, mx::float64));"),
    (
        r"mlx_array_set_complex",
        "mlxc::set(arr, mx::array(mx::complex64_t(real_val, imag_val)));",
    ),
    (r"mlx_array_(itemsize|size|nbytes|ndim)", r"return mlxc::get({p[0]}).\1();"),
    (r"mlx_array_eval", "mlxc::evaluate(&mlxc::get({p[0]}), 1, true);"),
    (r"mlx_eval", "mlxc::evaluate(mlxc::get({p[0]}).data(), mlxc::get({p[0]}).size(), true);"),
    (
        r"mlx_async_eval",
        "mlxc::evaluate(mlxc::get({p[0]}).data(), mlxc::get({p[0]}).size(), false);",
    ),
    (r"mlx_array_item_(float16|bfloat16)", r"mlxc::half_item({args}, mx::\1);"),
    (r"mlx_array_item_\w+", "mlxc::item({args});"),
    (r"mlx_array_data_(float16|bfloat16)", r"return mlxc::data<\1_t>({args});"),
    (r"mlx_array_data_(bool)", r"return mlxc::data<\1>({args});"),
    (r"mlx_array_data_float32", "return mlxc::data<float>({args});"),
    (r"mlx_array_data_float64", "return mlxc::data<double>({args});"),
    (r"mlx_array_data_(u?int\d+)", r"return mlxc::data<\1_t>({args});"),
    (r"_mlx_array_(is_available)", r"mlxc::set({p[0]}, mlxc::\1(mlxc::get({p[1]})));"),
    (r"_mlx_array_is_(\w+)", r"mlxc::set({p[0]}, mlxc::get({p[1]}).flags().\1);"),
)

# What walks or changes graphs, so that one thread at a time may do it; see src/turn.h.
IN_TURN = re.compile(
    r"\w+_apply(_kwargs)?|mlx_v?jvp|mlx_detail_vmap_\w+|mlx_export_\w+|mlx_print_graph"
    r"|mlx_save\w*"
)

# An int that is the answer; on failure it is 0 and only the handler tells.
VALUES = frozenset({"mlx_array_dim", "mlx_distributed_group_rank", "mlx_distributed_group_size"})

# The body in src/ chooses the status: 2 where nothing was found.
LOOKUPS = frozenset({"mlx_device_info_get_string", "mlx_device_info_get_size"})

CALLABLE = re.compile(r"mlx_(closure\w*|imported_function|function_exporter)_apply(_kwargs)?")

# Suffixes that tell overloads of one C++ function apart, and names that only look so.
OVERLOAD = re.compile(
    r"_(axes|axis|single|dynamic|sections|symmetric|shape|num_samples|num|arange|broadcast"
    r"|matrix|l2|reader|writer|kwargs)$"
)
WHOLE_NAMES = frozenset({"take_along_axis", "put_along_axis", "scatter_add_axis", "nan_to_num"})

NAMESPACES = {
    "cuda.h": ("cuda_", "mx::cu::"),
    "distributed.h": ("distributed_", "mx::distributed::"),
    "fast.h": ("fast_", "mx::fast::"),
    "fft.h": ("fft_", "mx::fft::"),
    "linalg.h": ("linalg_", "mx::linalg::"),
    "metal.h": ("metal_", "mx::metal::"),
    "random.h": ("random_", "mx::random::"),
    "compile.h": ("detail_", "mx::detail::"),
    "transforms_impl.h": ("detail_", "mx::detail::"),
}

CONVERSIONS = {
    "mlx_dtype": "mlxc::dtype({})",
    "mlx_optional_int": "mlxc::optional({})",
    "mlx_optional_float": "mlxc::optional({})",
    "mlx_optional_dtype": "mlxc::optional({})",
    "const char*": "mlxc::text({})",
    "mlx_compile_mode": "mlxc::enumerator<mx::CompileMode>({}, MLX_COMPILE_MODE_ENABLED)",
    "mlx_fft_norm": "mlxc::enumerator<mx::fft::FFTNorm>({}, MLX_FFT_NORM_FORWARD)",
}

# Integer sequences that are a Shape in C++; the others are vectors.
SHAPES = frozenset(
    {"shape", "start", "stop", "strides", "slice_size", "slice_sizes", "low_pad_size"}
    | {"high_pad_size", "shift", "indices", "n"}
)


@dataclass(frozen=True)
class Unit:
    """One file of glue: the functions of some headers, and what they need."""

    name: str
    headers: tuple[str, ...]
    includes: tuple[str, ...]
    parts: int = 1


# Balanced for two compilers at once: the headers of MLX weigh more than the wrappers.
UNITS = (
    Unit("ops", ("ops.h",), ("handle.h", "mlx/einsum.h", "mlx/ops.h"), parts=3),
    Unit(
        "array",
        ("array.h", "device.h", "stream.h", "string.h", "version.h", "vector.h", "map.h"),
        ("array.h", "container.h", "half_names.h"),
    ),
    Unit(
        "function",
        (
            "closure.h",
            "compile.h",
            "transforms.h",
            "transforms_impl.h",
            "export.h",
            "graph_utils.h",
        ),
        (
            "closure.h",
            "exported.h",
            "mlx/compile.h",
            "mlx/compile_impl.h",
            "mlx/transforms.h",
            "mlx/transforms_impl.h",
        ),
    ),
    Unit(
        "math",
        ("fft.h", "linalg.h", "random.h", "fast.h"),
        ("handle.h", "kernel.h", "mlx/fft.h", "mlx/linalg.h", "mlx/random.h"),
    ),
    Unit(
        "system",
        (
            "io.h",
            "io_types.h",
            "memory.h",
            "metal.h",
            "cuda.h",
            "distributed.h",
            "distributed_group.h",
        ),
        (
            "distributed.h",
            "files.h",
            "mlx/backend/cuda/cuda.h",
            "mlx/backend/metal/metal.h",
            "mlx/distributed/ops.h",
            "mlx/memory.h",
        ),
    ),
)


def generate(interface: Interface, out_dir: Path) -> list[Path]:
    """Write the glue.

    Args:
        interface: what to wrap.
        out_dir: an existing folder; files of an earlier run with the same names are replaced.

    Returns:
        The C++ files, to be compiled together with ``src/*.cpp``.
    """
    paths: list[Path] = []
    for unit in UNITS:
        functions = [
            f for f in interface.functions if f.header in unit.headers and f.name not in WHOLE
        ]
        size = -(-len(functions) // unit.parts)
        for part in range(unit.parts):
            name = f"glue_{unit.name}_{part}.cpp" if unit.parts > 1 else f"glue_{unit.name}.cpp"
            path = out_dir / name
            path.write_text(source(unit, functions[part * size : (part + 1) * size], interface))
            paths.append(path)
    return paths


def source(unit: Unit, functions: list[Function], interface: Interface) -> str:
    """The text of one file."""
    includes = "".join(f'#include "{include}"\n' for include in unit.includes)
    declared = "".join(f"{helper(f)};\n" for f in functions if is_irregular(f))
    declared = declared and f"\nnamespace mlxc {{\n{declared}}} // namespace mlxc\n"
    wrappers = "\n".join(wrapper(function, interface) for function in functions)
    return f"{BANNER}{includes}{declared}\nnamespace mx = mlx::core;\n\n{wrappers}"


def wrapper(function: Function, interface: Interface) -> str:
    """The C function: its body in a try block, its failure reported."""
    has_status = function.returns == "int" and function.name not in VALUES
    statement = body(function, interface)
    if IN_TURN.fullmatch(function.name):
        statement = f"mlxc::Turn turn;\n    {statement}"
    if has_status and not statement.startswith("return "):
        statement += "\n    return 0;"
    if has_status:
        failure = "return mlxc::fail();"
    elif function.returns == "void":
        failure = "mlxc::fail();"
    else:
        failure = "mlxc::fail();\n    return {};"
    return (
        f'extern "C" {function.text} {{\n'
        f"  try {{\n    {statement}\n  }} catch (...) {{\n    {failure}\n  }}\n}}\n"
    )


def body(function: Function, interface: Interface) -> str:
    """The statements between try and catch."""
    names = [param.name for param in function.params]
    if is_irregular(function):
        call = f"mlxc::{helper_name(function)}({', '.join(names)});"
        is_answer = function.returns != "int" or function.name in VALUES | LOOKUPS
        return f"return {call}" if is_answer else call
    for pattern, text in PATTERNS:
        if match := re.fullmatch(pattern, function.name):
            return match.expand(text).format(
                p=names,
                args=", ".join(names),
                tail=", ".join(names[1:]),
                converted=", ".join(arguments(list(function.params), interface)),
                returns=function.returns,
            )
    return regular(function, interface)


def regular(function: Function, interface: Interface) -> str:
    """Convert, call, set the results."""
    results = [p.name for p in function.params if is_result(p)]
    inputs = [p for p in function.params if not is_result(p)]
    if CALLABLE.fullmatch(function.name):
        callee = f"mlxc::get({inputs.pop(0).name})"
    else:
        callee = counterpart(function)
    call = f"{callee}({', '.join(arguments(inputs, interface))})"
    if not results:
        return f"{call};"
    if len(results) == 1:
        return f"mlxc::set({results[0]}, {call});"
    first, second = results
    return (
        f"auto results = {call};\n"
        f"    mlxc::set({first}, std::move(results.first));\n"
        f"    mlxc::set({second}, std::move(results.second));"
    )


def arguments(params: list[Param], interface: Interface) -> list[str]:
    """C++ expressions of the parameters: a length joins its pointer, stem_0, stem_1 a tuple."""
    converted: list[str] = []
    rest = list(params)
    while rest:
        param = rest.pop(0)
        kind = param.type.removeprefix("const ")
        if rest and rest[0].name == f"{param.name}_num":
            converted.append(f"{sequence(param)}({param.name}, {rest.pop(0).name})")
        elif kind in interface.handles:
            converted.append(f"mlxc::{'maybe' if param.optional else 'get'}({param.name})")
        elif param.name.endswith("_0"):
            stem = param.name.removesuffix("_0")
            group = [param.name]
            while rest and rest[0].name == f"{stem}_{len(group)}":
                group.append(rest.pop(0).name)
            converted.append(f"{{{', '.join(group)}}}")
        else:
            converted.append(CONVERSIONS.get(param.type, "{}").format(param.name))
    return converted


def sequence(param: Param) -> str:
    """The function that makes a C++ sequence of pointer and length."""
    if param.optional:
        return "mlxc::maybe_vector"
    if param.type == "const int64_t*":
        return "mlxc::strides"
    return "mlxc::shape" if param.name in SHAPES else "mlxc::vector"


def counterpart(function: Function) -> str:
    """The C++ function that the C function is named after."""
    prefix, namespace = NAMESPACES.get(function.header, ("", "mx::"))
    name = function.name.removeprefix("mlx_")
    if not name.startswith(prefix):
        namespace = "mx::"
    name = name.removeprefix(prefix)
    return namespace + (name if name in WHOLE_NAMES else OVERLOAD.sub("", name))


def is_result(param: Param) -> bool:
    return param.type.endswith("*") and not param.type.startswith("const ")


def is_irregular(function: Function) -> bool:
    return any(re.fullmatch(names, function.name) for names, _ in IRREGULAR)


def helper_name(function: Function) -> str:
    return function.name.lstrip("_").removeprefix("mlx_")


def helper(function: Function) -> str:
    """The prototype of an irregular function's body in src/."""
    has_status = function.returns == "int" and function.name not in VALUES | LOOKUPS
    params = ", ".join(param.text for param in function.params)
    return f"{'void' if has_status else function.returns} {helper_name(function)}({params})"


def main() -> None:
    parser = argparse.ArgumentParser(description="Write the C++ glue of the mlx-c interface.")
    parser.add_argument("--out", type=Path, required=True, help="folder for the C++ files")
    out: Path = parser.parse_args().out
    out.mkdir(parents=True, exist_ok=True)
    for path in generate(read_interface(HERE / "include"), out):
        print(path)


if __name__ == "__main__":
    main()
