/* How fast N threads read memory: `read_bandwidth THREADS MEGABYTES` prints GB/s, best of 20.

   Each thread adds up a part of its own, much larger than the caches, with as many sums as the
   compiler needs to load without waiting. */

#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { SUMS = 64, ROUNDS = 20 };

typedef struct {
  const uint64_t* data;
  size_t count;
  uint64_t sum;
} part;

static void* add_up(void* argument) {
  part* mine = argument;
  uint64_t sums[SUMS] = {0};
  for (size_t i = 0; i < mine->count; i += SUMS)
    for (int j = 0; j < SUMS; j++) sums[j] += mine->data[i + j];
  for (int j = 0; j < SUMS; j++) mine->sum += sums[j];
  return NULL;
}

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec + time.tv_nsec * 1e-9;
}

int main(int count, char** arguments) {
  if (count != 3) return 2;
  int threads = atoi(arguments[1]);
  size_t bytes = (size_t)atoi(arguments[2]) << 20;
  if (threads < 1 || threads > 256 || !bytes) return 2;
  size_t each = bytes / 8 / threads / SUMS * SUMS;
  uint64_t* data = aligned_alloc(4096, bytes);
  if (!data) return 1;
  memset(data, 1, bytes);
  double best = 1e9;
  uint64_t sum = 0;
  for (int round = 0; round < ROUNDS; round++) {
    pthread_t ids[256];
    part parts[256];
    double start = now();
    for (int i = 0; i < threads; i++) {
      parts[i] = (part){data + i * each, each, 0};
      pthread_create(&ids[i], NULL, add_up, &parts[i]);
    }
    for (int i = 0; i < threads; i++) {
      pthread_join(ids[i], NULL);
      sum += parts[i].sum;
    }
    double seconds = now() - start;
    if (seconds < best) best = seconds;
  }
  /* The sum is printed so that it has to be computed. */
  printf("%.2f %llu\n", each * 8.0 * threads / best / 1e9, (unsigned long long)sum);
  return 0;
}
