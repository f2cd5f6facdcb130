/* What mlxc adds to the mlx-c interface: errors with a type, the calling
 * thread's default stream, Python scalars as arrays. All names start with
 * "mlxc_"; the interface in vendor/mlx-c stays exact. */
#ifndef MLXC_H
#define MLXC_H

#include "mlx/c/mlx.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The C++ class behind the calling thread's last failure: 0 any other,
 * 1 invalid_argument or length_error, 2 out_of_range, 3 bad_alloc, 4 a callback
 * failed, 5 overflow_error, -1 unknown (built against a foreign mlx-c). */
int mlxc_error_kind(void);

/* Routes errors to the calling thread instead of exiting the process. */
void mlxc_install_error_handler(void);

/* Lets the work of the streams remembered finish when the process ends, and no
 * more begin. Every stream that ops are given is to be remembered. */
void mlxc_park_streams_at_exit(void);
void mlxc_remember_stream(mlx_stream stream);

/* Halts the streams remembered when their queues are done, and lets them go on. No thread
 * evaluates meanwhile. */
void mlxc_before_fork(void);
void mlxc_after_fork_in_parent(void);
void mlxc_after_fork_in_child(void);

/* Whether this process was forked from one with streams, whose threads stayed there. */
bool mlxc_is_forked(void);

/* The calling thread's last message, valid until its next failure. */
const char* mlxc_error_message(void);

/* The calling thread's default stream on the default device. Borrowed. The first call of a thread
 * may wait for a turn, so it must not hold the GIL; the second function gives null instead. */
mlx_stream mlxc_default_stream(void);
mlx_stream mlxc_known_stream(void);

/* Forgets every cached default stream: a default has changed. */
void mlxc_default_stream_changed(void);

/* A 0-d array of the given type; ctx is null on failure. */
mlx_array mlxc_scalar_int(int64_t value, mlx_dtype dtype);
mlx_array mlxc_scalar_float(double value, mlx_dtype dtype);

/* `a OP b`, or `b OP a` if reflected, for the operators as mlxc/_operators.py counts them. Frees
 * the scalar b; empty on failure, also for an empty b. */
mlx_array mlxc_binary_scalar(int op, mlx_array a, mlx_array b, bool reflected);

/* Blocks of GGUF's types 0 Q4_0, 1 Q4_1, 2 Q8_0 as arrays of a shape whose last length is a
 * multiple of 32: weight, scales and biases of the affine mode with groups of 32; or float32. */
int mlxc_affine_blocks(
    mlx_array* results,
    int kind,
    const void* blocks,
    const int* shape,
    int dim);
int mlxc_float_blocks(mlx_array* res, int kind, const void* blocks, const int* shape, int dim);

/* How many decimal places printed arrays have, for the whole process; -1 is as many as
 * tell the values apart to six digits. */
int mlxc_set_print_precision(int precision);
int mlxc_print_precision(int* res);

/* What MLX calls for a closure over a Python function, and the part of it that is
 * written in Python. */
int mlxc_call_python(mlx_vector_array* res, const mlx_vector_array args, void* payload);
int mlxc_call(mlx_vector_array* res, const mlx_vector_array args, void* payload);

/* The same for a function of named arrays, and for the rules of a custom function. */
int mlxc_call_python_named(
    mlx_vector_array* res,
    const mlx_vector_array args,
    const mlx_map_string_to_array named,
    void* payload);
int mlxc_call_named(
    mlx_vector_array* res,
    const mlx_vector_array args,
    const mlx_map_string_to_array named,
    void* payload);
int mlxc_call_python_vjp(
    mlx_vector_array* res,
    const mlx_vector_array primals,
    const mlx_vector_array cotangents,
    const mlx_vector_array outputs,
    void* payload);
int mlxc_call_vjp(
    mlx_vector_array* res,
    const mlx_vector_array primals,
    const mlx_vector_array cotangents,
    const mlx_vector_array outputs,
    void* payload);
int mlxc_call_python_jvp(
    mlx_vector_array* res,
    const mlx_vector_array primals,
    const mlx_vector_array tangents,
    const int* argnums,
    size_t num,
    void* payload);
int mlxc_call_jvp(
    mlx_vector_array* res,
    const mlx_vector_array primals,
    const mlx_vector_array tangents,
    const int* argnums,
    size_t num,
    void* payload);
int mlxc_call_python_vmap(
    mlx_vector_array* res,
    mlx_vector_int* res_axes,
    const mlx_vector_array inputs,
    const int* axes,
    size_t num,
    void* payload);
int mlxc_call_vmap(
    mlx_vector_array* res,
    mlx_vector_int* res_axes,
    const mlx_vector_array inputs,
    const int* axes,
    size_t num,
    void* payload);

/* What is told of a function that is exported to a callback: one event as JSON, with its
 * arrays beside it. */
int mlxc_call_export(const char* event, const mlx_vector_array arrays, void* payload);

/* Tells of a thread that is about to touch graphs for the first time; takes the GIL. */
void mlxc_see_thread(void);
void mlxc_watch_threads(void);

/* Frees an array while no other thread touches graphs. */
void mlxc_free_alone(mlx_array array);

/* The destructor of a closure whose payload is a Python object, and the payloads
 * that were dropped since, one a call, NULL when there are no more. */
void mlxc_drop_payload(void* payload);
void* mlxc_next_dropped(void);

#ifdef __cplusplus
}
#endif
#endif
