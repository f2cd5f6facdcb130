/* Failures on several threads while the handler is replaced. */
#include <pthread.h>
#include <stdatomic.h>

#include "program.h"

enum { THREADS = 4, ROUNDS = 200 };

static atomic_int seen;
static atomic_int dropped;

static void count(const char* message, void* data) {
  (void)message;
  (void)data;
  seen++;
}

static void drop(void* data) {
  (void)data;
  dropped++;
}

static void* fail_often(void* unused) {
  for (int i = 0; i < ROUNDS; i++) {
    mlx_array_eval(mlx_array_new());
  }
  return unused;
}

void threads(void) {
  pthread_t workers[THREADS];
  mlx_set_error_handler(count, NULL, drop);
  for (int i = 0; i < THREADS; i++) {
    CHECK(pthread_create(&workers[i], NULL, fail_often, NULL) == 0);
  }
  for (int i = 0; i < ROUNDS; i++) {
    mlx_set_error_handler(count, NULL, drop);
  }
  for (int i = 0; i < THREADS; i++) {
    pthread_join(workers[i], NULL);
  }
  CHECK(seen == THREADS * ROUNDS);
  CHECK(dropped == ROUNDS);
  mlx_set_error_handler(remember, NULL, NULL);
  CHECK(dropped == ROUNDS + 1);
}
