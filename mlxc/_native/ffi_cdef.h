/* The declarations of this folder as cffi reads them. */
int mlxc_error_kind(void);
void mlxc_install_error_handler(void);
const char* mlxc_error_message(void);
mlx_stream mlxc_default_stream(void);
void mlxc_default_stream_changed(void);

/* The forms below take and return handles as integers; 0 is a failure. */
uintptr_t h_scalar_int(int64_t value, int dtype);
uintptr_t h_scalar_float(double value, int dtype);
uintptr_t h_scalar_complex(double real, double imag);
uintptr_t h_from_data(const void* data, const int* shape, int dim, int dtype);
int h_ndim(uintptr_t a);
size_t h_size(uintptr_t a);
int h_dim(uintptr_t a, int axis);
int h_dtype(uintptr_t a);
void h_shape(uintptr_t a, int* shape);
int h_eval(uintptr_t a);
int h_eval_all(const uintptr_t* arrays, size_t arrays_num, bool wait);
bool h_same_shape(uintptr_t a, uintptr_t b);
size_t h_vector_size(uintptr_t vector);
int h_vector_take(uintptr_t vector, uintptr_t* arrays);
uintptr_t h_keep(uintptr_t a);
void h_free(uintptr_t a);
