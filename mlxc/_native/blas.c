/* BLAS and LAPACK names that libmlx calls, forwarded to OpenBLAS.
 *
 * OpenBLAS from the scipy-openblas32 wheel carries its functions with the prefix "scipy_". A plain
 * name is a jump to its prefixed twin, with three exceptions below: registers, stack and Fortran's
 * hidden string lengths pass through untouched. The jumps go through pointers that the loader has
 * filled: names to be bound would need OpenBLAS where libraries of other packages look for theirs,
 * and numpy's own OpenBLAS shares internal names with it, but not the width of integers. */

#include <dlfcn.h>
#include <stddef.h>

#if defined(__x86_64__)
#define KIND "@function"
#define JUMP(pointer) "jmp *" #pointer "(%rip)\n"
#elif defined(__aarch64__)
#define KIND "%function"
#define JUMP(pointer)                    \
  "adrp x16, " #pointer "\n"             \
  "ldr x16, [x16, :lo12:" #pointer "]\n" \
  "br x16\n"
#else
#error "the BLAS forwarder knows x86-64 and arm64"
#endif

#define HIDDEN __attribute__((visibility("hidden"), used))

#define FORWARD(name, target)              \
  HIDDEN void* to_##name;                  \
  __asm__(".pushsection .text\n"           \
          ".p2align 4\n"                   \
          ".globl " #name "\n"             \
          ".type " #name ", " KIND "\n"    \
          #name ":\n"                      \
          JUMP(to_##name)                  \
          ".size " #name ", .-" #name "\n" \
          ".popsection\n");

/* OpenBLAS's own getrf is the one routine that does not run its threads through the callback that
 * makes them ours: a product on another stream would write into the same buffers, and either might
 * wait forever. LAPACK's recursive form does the same with ordinary products. */
#define FORWARDS(F)           \
  F(cblas_dgemm, cblas_dgemm) \
  F(cblas_cgemm, cblas_cgemm) \
  F(sgeev_, sgeev_)           \
  F(dgeev_, dgeev_)           \
  F(cgeev_, cgeev_)           \
  F(sgeqrf_, sgeqrf_)         \
  F(dgeqrf_, dgeqrf_)         \
  F(sorgqr_, sorgqr_)         \
  F(dorgqr_, dorgqr_)         \
  F(sgesdd_, sgesdd_)         \
  F(dgesdd_, dgesdd_)         \
  F(cgesdd_, cgesdd_)         \
  F(sgetri_, sgetri_)         \
  F(dgetri_, dgetri_)         \
  F(spotrf_, spotrf_)         \
  F(dpotrf_, dpotrf_)         \
  F(ssyevd_, ssyevd_)         \
  F(dsyevd_, dsyevd_)         \
  F(cheevd_, cheevd_)         \
  F(strtri_, strtri_)         \
  F(dtrtri_, dtrtri_)         \
  F(sgetrf_, sgetrf2_)        \
  F(dgetrf_, dgetrf2_)

FORWARDS(FORWARD)

/* One row times a matrix, which is what a language model does for each token, is
 * bound by memory: sgemv reads the matrix once, while sgemm packs it first and
 * takes twice as long or more. */

enum Order { ROW_MAJOR = 101 };
enum Transpose { NO_TRANS = 111, TRANS = 112 };

typedef void Sgemm(
    int order, int transpose_a, int transpose_b, int m, int n, int k, float alpha, const float* a,
    int lda, const float* b, int ldb, float beta, float* c, int ldc);
typedef void Sgemv(
    int order, int transpose, int m, int n, float alpha, const float* a, int lda, const float* x,
    int incx, float beta, float* y, int incy);

static Sgemm* sgemm;
static Sgemv* sgemv;

void cblas_sgemm(
    int order, int transpose_a, int transpose_b, int m, int n, int k, float alpha, const float* a,
    int lda, const float* b, int ldb, float beta, float* c, int ldc) {
  if (m != 1 || order != ROW_MAJOR) {
    sgemm(
        order, transpose_a, transpose_b, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc);
    return;
  }
  int stride = transpose_a == NO_TRANS ? 1 : lda;
  if (transpose_b == NO_TRANS) { /* b is (k, n) */
    sgemv(order, TRANS, k, n, alpha, b, ldb, a, stride, beta, c, 1);
  } else { /* b is (n, k) */
    sgemv(order, NO_TRANS, n, k, alpha, b, ldb, a, stride, beta, c, 1);
  }
}

struct Pointer {
  const char* name;
  void** place;
};

/* Fills the pointers from the library of this path; returns what is wrong, or null. */
const char* mlxc_blas_forward_to(const char* path) {
#define POINTER(name, target) {"scipy_" #target, &to_##name},
  const struct Pointer pointers[] = {
      FORWARDS(POINTER){"scipy_cblas_sgemm", (void**)&sgemm},
      {"scipy_cblas_sgemv", (void**)&sgemv},
  };
  void* library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
  if (!library) {
    return dlerror();
  }
  for (size_t i = 0; i < sizeof pointers / sizeof *pointers; i++) {
    if (!(*pointers[i].place = dlsym(library, pointers[i].name))) {
      return dlerror();
    }
  }
  return NULL;
}
