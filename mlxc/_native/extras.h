/* What MLX offers and mlx-c 0.6 lacks, in the dialect and conventions of the headers of
 * vendor/mlx-c, so that every function that makes arrays has an `h_` form as theirs do.
 * Built against a foreign mlx-c, each of these fails and says so. */
#ifndef MLXC_EXTRAS_H
#define MLXC_EXTRAS_H

#include "mlx/c/mlx.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Operations */
int mlxc_unique(
    mlx_vector_array* res,
    const mlx_array a,
    int size,
    bool return_index,
    bool return_inverse,
    bool return_counts,
    const mlx_array fill_value /* or null */,
    const mlx_stream s);

int mlxc_searchsorted(
    mlx_array* res,
    const mlx_array sorted_sequence,
    const mlx_array values,
    const char* side,
    const mlx_stream s);

/* Integers divide without a trap: the least one by -1 wraps around. */
int mlxc_safe_floor_divide(
    mlx_array* res,
    const mlx_array a,
    const mlx_array b,
    const mlx_stream s);
int mlxc_safe_remainder(
    mlx_array* res,
    const mlx_array a,
    const mlx_array b,
    const mlx_stream s);
int mlxc_safe_divmod(
    mlx_vector_array* res,
    const mlx_array a,
    const mlx_array b,
    const mlx_stream s);

/* The path as the length of each step followed by its operands. */
int mlxc_einsum_path(
    mlx_vector_int* path,
    mlx_string* description,
    const char* subscripts,
    const mlx_vector_array operands);

/* Quantized products */
int mlxc_gather_qmm_scaled(
    mlx_array* res,
    const mlx_array x,
    const mlx_array w,
    const mlx_array scales,
    const mlx_array biases /* or null */,
    const mlx_array lhs_indices /* or null */,
    const mlx_array rhs_indices /* or null */,
    bool transpose,
    mlx_optional_int group_size,
    mlx_optional_int bits,
    const char* mode,
    const mlx_array global_scale,
    bool sorted_indices,
    const mlx_stream s);
int mlxc_gather_qqmm(
    mlx_array* res,
    const mlx_array x,
    const mlx_array w,
    const mlx_array scales /* or null */,
    const mlx_array lhs_indices /* or null */,
    const mlx_array rhs_indices /* or null */,
    mlx_optional_int group_size,
    mlx_optional_int bits,
    const char* mode,
    const mlx_array global_scale_x /* or null */,
    const mlx_array global_scale_w /* or null */,
    bool sorted_indices,
    const mlx_stream s);

/* Layers */
int mlxc_cross_entropy(
    mlx_array* res,
    const mlx_array logits,
    const mlx_array targets,
    const mlx_stream s);

/* Attention */
int mlxc_fused_attention(
    mlx_array* res,
    const mlx_array queries,
    const mlx_array keys,
    const mlx_array values,
    float scale,
    const char* mask_mode,
    const mlx_array mask_arr /* or null */,
    const mlx_array sinks /* or null */,
    const mlx_stream s);
int mlxc_gated_delta_update(
    mlx_vector_array* res,
    const mlx_array queries,
    const mlx_array keys,
    const mlx_array values,
    const mlx_array gates,
    const mlx_array beta,
    const mlx_array initial_state /* or null */,
    const mlx_array mask /* or null */,
    const mlx_stream s);

/* Linear algebra */
int mlxc_det(mlx_array* res, const mlx_array a, const mlx_stream s);
int mlxc_slogdet(
    mlx_array* sign,
    mlx_array* logarithm,
    const mlx_array a,
    const mlx_stream s);

/* Short-time Fourier transforms */
int mlxc_stft(
    mlx_array* res,
    const mlx_array x,
    int n_fft,
    mlx_optional_int hop_length,
    mlx_optional_int win_length,
    const mlx_array window /* or null */,
    bool center,
    const char* pad_mode,
    mlx_fft_norm norm,
    bool onesided,
    const mlx_stream s);
int mlxc_istft(
    mlx_array* res,
    const mlx_array stft_matrix,
    mlx_optional_int n_fft,
    mlx_optional_int hop_length,
    mlx_optional_int win_length,
    const mlx_array window /* or null */,
    bool center,
    mlx_fft_norm norm,
    bool onesided,
    mlx_optional_int length,
    const mlx_stream s);

/* Custom kernels; math_mode counts safe, relaxed, fast, and the kinds of scalars bool, int,
 * float. */
int mlxc_metal_kernel(
    mlx_fast_metal_kernel* res,
    const char* name,
    const mlx_vector_string input_names,
    const mlx_vector_string output_names,
    const char* source,
    const char* header,
    bool ensure_row_contiguous,
    bool atomic_outputs,
    int math_mode);
int mlxc_precompiled_cuda_kernel(
    mlx_vector_array* res,
    const char* name,
    const char* compiled,
    size_t compiled_num,
    const mlx_vector_array inputs,
    const mlx_fast_cuda_kernel_config config,
    const double* scalars,
    const int* scalar_kinds,
    size_t scalars_num,
    int shared_memory,
    bool ensure_row_contiguous,
    const mlx_stream s);

/* Streams. A thread-local stream is known by its number and its device. */
int mlxc_new_thread_unsafe_stream(mlx_stream* res, mlx_device dev);
int mlxc_new_thread_local_stream(int* index, mlx_device dev);
int mlxc_stream_of_this_thread(mlx_stream* res, int index, mlx_device dev);
int mlxc_clear_streams(void);

/* To be called when an evaluation has failed. */
int mlxc_forget_lost_tasks(void);

/* Groups of processes; the bytes of the side channel go to mlxc_all_gather with its payload */
int mlxc_distributed_init_jaccl(mlx_distributed_group* res, bool strict, void* payload);

/* Arrays over a file that is open for reading, as long as any of them lives: each at an offset
 * that fits its type, else it is copied; the shapes stand one behind the other. Whether libmlx
 * computes on such memory goes by its backend. */
int mlxc_maps_files(bool* res);
int mlxc_map_arrays(
    mlx_vector_array* res,
    int file,
    const size_t* offsets,
    const int* shapes,
    const int* ndims,
    const int* dtypes,
    size_t num);

/* Memory */
int mlxc_get_array_buffer_size(size_t* res, const mlx_vector_array arrays);
void mlxc_trim_memory(void);

/* Exported functions; the events for a callback go to mlxc_call_export with its payload */
int mlxc_exporter_new(
    mlx_function_exporter* res,
    const char* file,
    const mlx_closure_kwargs fun,
    bool shapeless,
    const char* metadata);
int mlxc_exporter_new_callback(
    mlx_function_exporter* res,
    void* payload,
    const mlx_closure_kwargs fun,
    bool shapeless);
int mlxc_exporter_close(const mlx_function_exporter exporter);

#ifdef __cplusplus
}
#endif
#endif
