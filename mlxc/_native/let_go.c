/* The end of arrays that Python objects own. */
#define Py_LIMITED_API 0x030b0000
#include "handle_type.h"

#include <pthread.h>

/* --- whether it needs a turn: not while one thread alone touches graphs ------------- */

static int several = 0; /* changes with the GIL held, so never within mlxc_let_go */
static int any = 0;
static pthread_t first;

static void see_thread(void) {
  if (!any) {
    any = 1;
    first = pthread_self();
  }
  several |= !pthread_equal(first, pthread_self());
}

void mlxc_see_thread(void) {
  PyGILState_STATE state = PyGILState_Ensure();
  see_thread();
  PyGILState_Release(state);
}

static void free_array(mlx_array array) {
  see_thread();
  if (several) {
    mlx_array_free(array);
  } else {
    mlxc_free_alone(array);
  }
}

/* --- addresses that are on their way to C -------------------------------------------- */

/* Arrays whose Python object is gone, or has another one since `a += b`, while somebody holds the
 * address: the int that a thread in another call was given. */
typedef struct Lent {
  mlx_array array;
  PyObject* address;
  struct Lent* next;
} Lent;
static Lent* lent = NULL;

static void free_returned(void) {
  for (Lent** place = &lent; *place != NULL;) {
    Lent* kept = *place;
    if (Py_REFCNT(kept->address) > 1) {
      place = &kept->next;
      continue;
    }
    *place = kept->next;
    Py_DECREF(kept->address);
    free_array(kept->array); /* which may run Python, and change the list */
    PyMem_Free(kept);
    place = &lent;
  }
}

void mlxc_let_go(mlx_array array, PyObject* address) {
  if (address != NULL && Py_REFCNT(address) > 1) {
    Lent* kept = PyMem_Malloc(sizeof(Lent));
    if (kept != NULL) { /* else the array is never freed */
      *kept = (Lent){array, address, lent};
      lent = kept;
    }
    return;
  }
  Py_XDECREF(address);
  free_array(array);
  if (lent != NULL) {
    free_returned();
  }
}
