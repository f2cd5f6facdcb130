/* The declarations of this folder as cffi reads them. */
int mlxc_error_kind(void);
void mlxc_install_error_handler(void);
void mlxc_park_streams_at_exit(void);
void mlxc_remember_stream(mlx_stream stream);
void mlxc_before_fork(void);
void mlxc_after_fork_in_parent(void);
void mlxc_after_fork_in_child(void);
bool mlxc_is_forked(void);
const char* mlxc_error_message(void);
mlx_stream mlxc_default_stream(void);
void mlxc_default_stream_changed(void);
void mlxc_watch_threads(void);

int mlxc_set_print_precision(int precision);
int mlxc_print_precision(int* res);

void mlxc_drop_payload(void* payload);

int mlxc_call_python_named(
    mlx_vector_array* res,
    const mlx_vector_array args,
    const mlx_map_string_to_array named,
    void* payload);
extern "Python+C" int mlxc_call_named(
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
extern "Python+C" int mlxc_call_vjp(
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
extern "Python+C" int mlxc_call_jvp(
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
extern "Python+C" int mlxc_call_vmap(
    mlx_vector_array* res,
    mlx_vector_int* res_axes,
    const mlx_vector_array inputs,
    const int* axes,
    size_t num,
    void* payload);
extern "Python+C" int mlxc_call_export(const char* event, const mlx_vector_array arrays, void* payload);

extern "Python+C" int mlxc_all_gather(
    void* payload, int rank, int size, const char* src, char* dst, size_t n_bytes);

/* The forms below take and return handles as integers; 0 is a failure. */
uintptr_t h_scalar_int(int64_t value, int dtype);
uintptr_t h_scalar_float(double value, int dtype);
uintptr_t h_scalar_complex(double real, double imag);
uintptr_t h_from_data(const void* data, const int* shape, int dim, int dtype);
int h_affine_blocks(
    uintptr_t* results, int kind, const void* blocks, const int* shape, int dim);
uintptr_t h_float_blocks(int kind, const void* blocks, const int* shape, int dim);
int h_ndim(uintptr_t a);
size_t h_size(uintptr_t a);
int h_dim(uintptr_t a, int axis);
int h_dtype(uintptr_t a);
void h_shape(uintptr_t a, int* shape);
bool h_is_available(uintptr_t a);
int h_eval(uintptr_t a);
uintptr_t h_data(uintptr_t a);
uintptr_t h_flatnonzero(uintptr_t mask);
int h_eval_all(const uintptr_t* arrays, size_t arrays_num, bool wait);
uintptr_t h_binary_int(int op, uintptr_t a, int64_t b, bool reflected);
uintptr_t h_index(uintptr_t a, int64_t index);
uintptr_t h_slice_first(uintptr_t a, int64_t start, int64_t stop, int64_t step);
uintptr_t h_keep(uintptr_t a);
void h_closure_free(uintptr_t fun);
int h_value_and_grad(
    uintptr_t* results,
    uintptr_t fun,
    const uintptr_t* args,
    size_t args_num,
    const int* argnums,
    size_t argnums_num);
