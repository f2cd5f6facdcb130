/* What the parts of the program share. */
#ifndef PROGRAM_H
#define PROGRAM_H

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "mlx/c/mlx.h"

/* Counts and prints a condition that does not hold. */
#define CHECK(condition)                                            \
  do {                                                              \
    if (!(condition)) {                                             \
      printf("FAILED %s:%d %s\n", __FILE__, __LINE__, #condition); \
      failures++;                                                   \
    }                                                               \
  } while (0)

extern int failures;
extern char last_error[1000];
extern int errors_seen;
extern int released;
extern mlx_stream cpu;

/* The error handler of the program. */
void remember(const char* message, void* data);

/* A destructor that only counts. */
void count_release(void* data);

/* The value of a float32 array of one element; the array is freed. */
float take(mlx_array array);

mlx_array vector_of(const float* values, int size);
mlx_array first(mlx_vector_array values);
int doubled(mlx_array* res, const mlx_array in);

void arrays(void);
void managed_memory(void);
void errors(void);
void closures(void);
void containers(void);
void files(const char* folder);
void devices(void);
void options(void);
void threads(void);

#endif
