/* BLAS and LAPACK names that libmlx calls, forwarded to OpenBLAS.
 *
 * OpenBLAS from the scipy-openblas32 wheel carries every symbol with the
 * prefix "scipy_". Each plain name but one is a jump to its prefixed twin:
 * registers, stack and Fortran's hidden string lengths pass through untouched.
 * The prefixed names stay undefined here; the loader opens OpenBLAS first. */

#if defined(__x86_64__)
#define FORWARD(name)                    \
  __asm__(".text\n.p2align 4\n"          \
          ".globl " #name "\n"           \
          ".type " #name ", @function\n" \
          #name ":\n"                    \
          "jmp scipy_" #name "@PLT\n"    \
          ".size " #name ", .-" #name "\n");
#elif defined(__aarch64__)
#define FORWARD(name)                    \
  __asm__(".text\n.p2align 4\n"          \
          ".globl " #name "\n"           \
          ".type " #name ", %function\n" \
          #name ":\n"                    \
          "b scipy_" #name "\n"          \
          ".size " #name ", .-" #name "\n");
#else
#error "the BLAS forwarder knows x86-64 and arm64"
#endif

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
FORWARD(sgetrf_)
FORWARD(dgetrf_)
FORWARD(sgetri_)
FORWARD(dgetri_)
FORWARD(spotrf_)
FORWARD(dpotrf_)
FORWARD(ssyevd_)
FORWARD(dsyevd_)
FORWARD(cheevd_)
FORWARD(strtri_)
FORWARD(dtrtri_)

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
