/* BLAS and LAPACK names that libmlx calls, forwarded to OpenBLAS.
 *
 * OpenBLAS from the scipy-openblas32 wheel carries every symbol with the
 * prefix "scipy_". A plain name is a jump to its prefixed twin, with two exceptions below:
 * registers, stack and Fortran's hidden string lengths pass through untouched.
 * The prefixed names stay undefined here; the loader opens OpenBLAS first. */

#if defined(__x86_64__)
#define FORWARD_TO(name, target)         \
  __asm__(".text\n.p2align 4\n"          \
          ".globl " #name "\n"           \
          ".type " #name ", @function\n" \
          #name ":\n"                    \
          "jmp scipy_" #target "@PLT\n"  \
          ".size " #name ", .-" #name "\n");
#elif defined(__aarch64__)
#define FORWARD_TO(name, target)         \
  __asm__(".text\n.p2align 4\n"          \
          ".globl " #name "\n"           \
          ".type " #name ", %function\n" \
          #name ":\n"                    \
          "b scipy_" #target "\n"        \
          ".size " #name ", .-" #name "\n");
#else
#error "the BLAS forwarder knows x86-64 and arm64"
#endif

#define FORWARD(name) FORWARD_TO(name, name)

FORWARD(cblas_dgemm)
FORWARD(cblas_cgemm)

FORWARD(sgeev_)
FORWARD(dgeev_)
FORWARD(cgeev_)
FORWARD(sgeqrf_)
FORWARD(dgeqrf_)
FORWARD(sorgqr_)
FORWARD(dorgqr_)
FORWARD(sgesdd_)
FORWARD(dgesdd_)
FORWARD(cgesdd_)
FORWARD(sgetri_)
FORWARD(dgetri_)
FORWARD(spotrf_)
FORWARD(dpotrf_)
FORWARD(ssyevd_)
FORWARD(dsyevd_)
FORWARD(cheevd_)
FORWARD(strtri_)
FORWARD(dtrtri_)

/* OpenBLAS's own getrf is the one routine that does not run its threads through the callback that
 * makes them ours: a product on another stream would write into the same buffers, and either might
 * wait forever. LAPACK's recursive form does the same with ordinary products. */
FORWARD_TO(sgetrf_, sgetrf2_)
FORWARD_TO(dgetrf_, dgetrf2_)

/* One row times a matrix, which is what a language model does for each token, is
 * bound by memory: sgemv reads the matrix once, while sgemm packs it first and
 * takes twice as long or more. */

enum Order { ROW_MAJOR = 101 };
enum Transpose { NO_TRANS = 111, TRANS = 112 };

void scipy_cblas_sgemm(
    int order, int transpose_a, int transpose_b, int m, int n, int k, float alpha, const float* a,
    int lda, const float* b, int ldb, float beta, float* c, int ldc);
void scipy_cblas_sgemv(
    int order, int transpose, int m, int n, float alpha, const float* a, int lda, const float* x,
    int incx, float beta, float* y, int incy);

void cblas_sgemm(
    int order, int transpose_a, int transpose_b, int m, int n, int k, float alpha, const float* a,
    int lda, const float* b, int ldb, float beta, float* c, int ldc) {
  if (m != 1 || order != ROW_MAJOR) {
    scipy_cblas_sgemm(
        order, transpose_a, transpose_b, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc);
    return;
  }
  int stride = transpose_a == NO_TRANS ? 1 : lda;
  if (transpose_b == NO_TRANS) { /* b is (k, n) */
    scipy_cblas_sgemv(order, TRANS, k, n, alpha, b, ldb, a, stride, beta, c, 1);
  } else { /* b is (n, k) */
    scipy_cblas_sgemv(order, NO_TRANS, n, k, alpha, b, ldb, a, stride, beta, c, 1);
  }
}
