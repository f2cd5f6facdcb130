/* BLAS and LAPACK names that libmlx calls, forwarded to OpenBLAS.
 *
 * OpenBLAS from the scipy-openblas32 wheel carries every symbol with the
 * prefix "scipy_". Each plain name below is one jump to its prefixed twin:
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

FORWARD(cblas_sgemm)
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
