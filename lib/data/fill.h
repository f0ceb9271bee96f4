/* fill.h - the state of the loader's batches, and the functions that fill them. */
#ifndef HR_FILL_H
#define HR_FILL_H

#include <pthread.h>
#include <sys/types.h>

#include "base/error.h"
#include "base/halt.h"
#include "data/batch.h"
#include "data/dataset.h"

enum { HR_RING = 3 };

typedef struct hr_bad_image {
    int64_t image;
    hr_error error;
} hr_bad_image;

typedef enum { HR_SLOT_EMPTY, HR_SLOT_FILLING, HR_SLOT_READY, HR_SLOT_TAKEN } hr_slot_state;

typedef struct hr_slot {
    hr_batch batch;
    hr_slot_state state;
    int32_t next, done; /* rows given to threads; rows finished */
    hr_error failure;   /* error of the whole batch; status >= 0: none */
    hr_bad_image *bad;
    int64_t bads, bad_room;
} hr_slot;

typedef struct hr_loader_worker {
    hr_loader *loader;
    pthread_t thread;
    hr_queue *queue;
    hr_pixels pixels;
    real *scratch; /* one view; NULL when real is float */
} hr_loader_worker;

struct hr_loader {
    hirl_dataset *dataset;
    hr_loader_config config;
    int64_t steps, count;
    int64_t whole; /* images of a batch on all ranks */
    size_t largest_view;
    hr_loader_worker *worker; /* [workers]: one a thread, or one for the caller */
    int workers, started;
    pid_t process; /* the creator: a process forked from it has none of the threads */

    pthread_mutex_t lock; /* guards the members down to `quit` */
    pthread_cond_t work, ready;
    hr_slot ring[HR_RING];
    int rings, taken;              /* slots in use; the slot that the caller holds, or -1 */
    int64_t epoch, step;           /* the next batch to start filling */
    int64_t want_epoch, want_step; /* the next batch to hand to the caller */
    int busy;                      /* threads that are filling a row or finishing a batch */
    bool running, quit;
    hirl_stop dropped; /* requested: what the threads are reading is not wanted any more */

    pthread_mutex_t order_lock; /* guards the two members below */
    int64_t order_epoch;
    int64_t *order; /* [count] the permutation of order_epoch */
};

/* image[i] = place (first + i) mod count of the epoch's order, for i < n */
void hr_fill_order(hr_loader *loader, int64_t *image, int64_t epoch, int64_t first, int64_t n);
/* Decodes and augments the image of a row. Errors are kept in the slot. */
void hr_fill_row(hr_loader_worker *w, hr_slot *s, int32_t row);
/* Called after the last row of a batch: replaces unreadable images or fails, as on_bad requires. */
void hr_fill_finish(hr_loader_worker *w, hr_slot *s);

#endif
