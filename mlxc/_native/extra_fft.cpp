// Short-time Fourier transforms.
#include "extras.hpp"

#ifndef MLXC_FOREIGN
#include "mlx/fft.h"

namespace {

mlxc::mx::fft::FFTNorm fft_norm(mlx_fft_norm norm) {
  return mlxc::enumerator<mlxc::mx::fft::FFTNorm>(norm, MLX_FFT_NORM_FORWARD);
}

} // namespace
#endif

extern "C" int mlxc_stft(
    mlx_array* res,
    const mlx_array x,
    int n_fft,
    mlx_optional_int hop_length,
    mlx_optional_int win_length,
    const mlx_array window,
    bool center,
    const char* pad_mode,
    mlx_fft_norm norm,
    bool onesided,
    const mlx_stream s) MLXC_BODY(
    set(res,
        mx::fft::stft(
            get(x),
            n_fft,
            optional(hop_length),
            optional(win_length),
            maybe(window),
            center,
            text(pad_mode),
            fft_norm(norm),
            onesided,
            get(s))))

extern "C" int mlxc_istft(
    mlx_array* res,
    const mlx_array stft_matrix,
    mlx_optional_int n_fft,
    mlx_optional_int hop_length,
    mlx_optional_int win_length,
    const mlx_array window,
    bool center,
    mlx_fft_norm norm,
    bool onesided,
    mlx_optional_int length,
    const mlx_stream s) MLXC_BODY(
    set(res,
        mx::fft::istft(
            get(stft_matrix),
            optional(n_fft),
            optional(hop_length),
            optional(win_length),
            maybe(window),
            center,
            fft_norm(norm),
            onesided,
            optional(length),
            get(s))))
