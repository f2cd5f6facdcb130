/* Kernels for the CPU, in the dialect of the headers of vendor/mlx-c. An operation here takes the
 * arguments of mlx-c's of the same name and gives the same result; it builds a kernel where one
 * fits and kernels are on, and MLX's own operation elsewhere. */
#ifndef MLXC_CPU_H
#define MLXC_CPU_H

#include "mlx/c/mlx.h"

#ifdef __cplusplus
extern "C" {
#endif

/* How many threads kernels and OpenBLAS share. set_threads returns how many can be had; if that is
 * less than asked for, nothing has changed. */
int mlxc_cpu_threads(void);
int mlxc_cpu_set_threads(int count);

/* What OpenBLAS is to call for its threads. */
void* mlxc_cpu_blas_hook(void);

/* Whether operations build kernels, and in how many bytes quantized products write activations: 1
 * and 2 round them, 3 are a float32. */
bool mlxc_cpu_enabled(void);
void mlxc_cpu_set_enabled(bool enabled);
int mlxc_cpu_activation_bytes(void);
void mlxc_cpu_set_activation_bytes(int bytes);

/* The instruction set in force; set_isa is false where the processor has none of that name. */
const char* mlxc_cpu_isa(void);
bool mlxc_cpu_set_isa(const char* name);
bool mlxc_cpu_has_int8_dot(void);
bool mlxc_cpu_has_bf16_dot(void);

/* Operations */
int mlxc_cpu_astype(mlx_array* res, const mlx_array a, mlx_dtype dtype, const mlx_stream s);
int mlxc_cpu_zeros(
    mlx_array* res, const int* shape, size_t shape_num, mlx_dtype dtype, const mlx_stream s);
int mlxc_cpu_exp(mlx_array* res, const mlx_array a, const mlx_stream s);
int mlxc_cpu_sigmoid(mlx_array* res, const mlx_array a, const mlx_stream s);
int mlxc_cpu_log(mlx_array* res, const mlx_array a, const mlx_stream s);
int mlxc_cpu_random_gumbel(
    mlx_array* res,
    const int* shape,
    size_t shape_num,
    mlx_dtype dtype,
    const mlx_array key /* or null */,
    const mlx_stream s);
int mlxc_cpu_random_uniform(
    mlx_array* res,
    const mlx_array low,
    const mlx_array high,
    const int* shape,
    size_t shape_num,
    mlx_dtype dtype,
    const mlx_array key /* or null */,
    const mlx_stream s);
int mlxc_cpu_argsort_axis(mlx_array* res, const mlx_array a, int axis, const mlx_stream s);
int mlxc_cpu_argpartition_axis(
    mlx_array* res, const mlx_array a, int kth, int axis, const mlx_stream s);

/* The greatest elements of rows, the others minus infinity. */
int mlxc_cpu_keep_top_k(mlx_array* res, const mlx_array a, int k, const mlx_stream s);
int mlxc_cpu_keep_top_p(mlx_array* res, const mlx_array a, double p, const mlx_stream s);

/* Activation functions, which mlx-c lacks, or their product with x: 0 silu, 1 gelu, 2 its tanh
 * form, 3 its sigmoid form. */
int mlxc_cpu_activation(
    mlx_array* res,
    const mlx_array gate,
    const mlx_array x /* or null */,
    int activation,
    const mlx_stream s);

int mlxc_cpu_softmax(mlx_array* res, const mlx_array a, bool precise, const mlx_stream s);
int mlxc_cpu_softmax_axis(
    mlx_array* res, const mlx_array a, int axis, bool precise, const mlx_stream s);
int mlxc_cpu_logsumexp(mlx_array* res, const mlx_array a, bool keepdims, const mlx_stream s);
int mlxc_cpu_logsumexp_axis(
    mlx_array* res, const mlx_array a, int axis, bool keepdims, const mlx_stream s);
int mlxc_cpu_argmax(mlx_array* res, const mlx_array a, bool keepdims, const mlx_stream s);
int mlxc_cpu_argmax_axis(
    mlx_array* res, const mlx_array a, int axis, bool keepdims, const mlx_stream s);
int mlxc_cpu_argmin(mlx_array* res, const mlx_array a, bool keepdims, const mlx_stream s);
int mlxc_cpu_argmin_axis(
    mlx_array* res, const mlx_array a, int axis, bool keepdims, const mlx_stream s);

int mlxc_cpu_rms_norm(
    mlx_array* res,
    const mlx_array x,
    const mlx_array weight /* or null */,
    float eps,
    const mlx_stream s);
int mlxc_cpu_layer_norm(
    mlx_array* res,
    const mlx_array x,
    const mlx_array weight /* or null */,
    const mlx_array bias /* or null */,
    float eps,
    const mlx_stream s);
int mlxc_cpu_rope(
    mlx_array* res,
    const mlx_array x,
    int dims,
    bool traditional,
    mlx_optional_float base,
    float scale,
    int offset,
    const mlx_array freqs /* or null */,
    const mlx_stream s);
int mlxc_cpu_rope_dynamic(
    mlx_array* res,
    const mlx_array x,
    int dims,
    bool traditional,
    mlx_optional_float base,
    float scale,
    const mlx_array offset,
    const mlx_array freqs /* or null */,
    const mlx_stream s);

int mlxc_cpu_scaled_dot_product_attention(
    mlx_array* res,
    const mlx_array q,
    const mlx_array k,
    const mlx_array v,
    float scale,
    const char* mask_mode,
    const mlx_array mask /* or null */,
    const mlx_array sinks /* or null */,
    const mlx_stream s);
int mlxc_cpu_quantized_attention(
    mlx_array* res,
    const mlx_array q,
    const mlx_array k,
    const mlx_array k_scales,
    const mlx_array k_biases,
    const mlx_array v,
    const mlx_array v_scales,
    const mlx_array v_biases,
    float scale,
    int group_size,
    int bits,
    bool causal,
    const mlx_array mask /* or null */,
    const mlx_array sinks /* or null */,
    const mlx_stream s);
int mlxc_cpu_write_rows(
    mlx_vector_array* res,
    const mlx_vector_array buffers,
    const mlx_vector_array rows,
    int start,
    int shown,
    const mlx_stream s);

/* Layers of a decoder, in float32; mlx-c has nothing like them. Quantized matrices are words, scales
 * and biases. */

/* How one layer is computed: attention, and a gated layer behind it unless `activation` is < 0. The
 * matrices of the attended and of `down` may have another form than those before. */
typedef struct mlxc_decoder_layer_ {
  float eps;
  int group_size;
  int bits;
  int group_size_out;
  int bits_out;
  mlx_optional_float head_eps; /* of the norms of the queries and keys of a head */
  float scale;
  int dims; /* that turn, as in fast_rope */
  bool traditional;
  mlx_optional_float base;
  float rope_scale;
  int activation; /* as in mlxc_cpu_activation */
  float feed_forward_eps;
  int gate_group_size;
  int gate_bits;
  int down_group_size;
  int down_bits;
} mlxc_decoder_layer;

/* Layers with their weights, of each layer: the norm, the matrices of queries, keys, values and of
 * the attended, then the norms of queries and keys if there is head_eps, then the frequencies if
 * there is no base; then of the gated layer as below. */
typedef struct mlxc_decoder_ {
  void* ctx;
} mlxc_decoder;

int mlxc_decoder_new(
    mlxc_decoder* res,
    const mlxc_decoder_layer* layers,
    size_t layers_num,
    const mlx_vector_array weights);
int mlxc_decoder_free(mlxc_decoder decoder);

/* `buffers`: keys and values of each layer. The results are what the last layer gives, and the
 * buffers with the new rows from `start` on. */
int mlxc_cpu_decoder_run(
    mlx_vector_array* res,
    const mlxc_decoder decoder,
    const mlx_array x,
    const mlx_vector_array buffers,
    int start,
    bool causal,
    const mlx_stream s);

/* The gated layer alone. `weights`: the norm, the matrices of the gate, of what it lets through, and
 * of the result. */
int mlxc_cpu_feed_forward_block(
    mlx_array* res,
    const mlx_array x,
    const mlx_vector_array weights,
    int group_size,
    int bits,
    int group_size_out,
    int bits_out,
    float eps,
    int activation,
    const mlx_stream s);

int mlxc_cpu_gather_qmm(
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
    bool sorted_indices,
    const mlx_stream s);
int mlxc_cpu_quantized_matmul(
    mlx_array* res,
    const mlx_array x,
    const mlx_array w,
    const mlx_array scales,
    const mlx_array biases /* or null */,
    bool transpose,
    mlx_optional_int group_size,
    mlx_optional_int bits,
    const char* mode,
    const mlx_stream s);
int mlxc_cpu_dequantize(
    mlx_array* res,
    const mlx_array w,
    const mlx_array scales,
    const mlx_array biases /* or null */,
    mlx_optional_int group_size,
    mlx_optional_int bits,
    const char* mode,
    const mlx_array global_scale /* or null */,
    mlx_optional_dtype dtype,
    const mlx_stream s);
int mlxc_cpu_quantized_take(
    mlx_array* res,
    const mlx_array w,
    const mlx_array scales,
    const mlx_array biases /* or null */,
    const mlx_array indices,
    mlx_optional_int group_size,
    mlx_optional_int bits,
    const char* mode,
    mlx_optional_dtype dtype,
    const mlx_stream s);

int mlxc_cpu_matmul(mlx_array* res, const mlx_array a, const mlx_array b, const mlx_stream s);
int mlxc_cpu_addmm(
    mlx_array* res,
    const mlx_array c,
    const mlx_array a,
    const mlx_array b,
    float alpha,
    float beta,
    const mlx_stream s);
int mlxc_cpu_gather_mm(
    mlx_array* res,
    const mlx_array a,
    const mlx_array b,
    const mlx_array lhs_indices /* or null */,
    const mlx_array rhs_indices /* or null */,
    bool sorted_indices,
    const mlx_stream s);

#ifdef __cplusplus
}
#endif
#endif
