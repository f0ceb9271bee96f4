/* fill.h - a batch of the loader while it is being filled, and who fills it. */
#ifndef HR_FILL_H
#define HR_FILL_H

#include <pthread.h>
#include <sys/types.h>

#include "base/error.h"
#include "data/loader.h"

enum { HR_RING = 3 };

typedef struct hr_bad_image {
    int64_t image;
    hr_error error;
} hr_bad_image;

typedef enum { HR_SLOT_EMPTY, HR_SLOT_FILLING, HR_SLOT_READY, HR_SLOT_TAKEN } hr_slot_state;

typedef struct hr_slot {
    hr_batch batch;
    hr_slot_state state;
    int32_t next, done; /* images handed to threads; finished */
    hr_error failure;   /* of the batch; status >= 0: none */
    hr_bad_image *bad;
    int64_t bads, bad_room;
} hr_slot;

typedef struct hr_loader_worker {
    hr_loader *loader;
    pthread_t thread;
    hr_queue *queue;
    hr_pixels pixels;
    real *scratch; /* one view, where real is not float */
} hr_loader_worker;

struct hr_loader {
    hirl_dataset *dataset;
    hr_loader_config config;
    int64_t steps, count;
    int64_t whole; /* images of a batch on all ranks */
    size_t largest_view;
    hr_loader_worker *worker; /* [threads], or one for the caller */
    int workers, started;
    pid_t process; /* a forked child has none of the threads */

    pthread_mutex_t lock; /* everything below */
    pthread_cond_t work, ready;
    hr_slot ring[HR_RING];
    int rings, taken;              /* slots in use; the one the caller has, or -1 */
    int64_t epoch, step;           /* of the next batch to begin */
    int64_t want_epoch, want_step; /* of the next batch to hand over */
    int busy;                      /* threads at an image */
    bool running, quit;

    pthread_mutex_t order_lock; /* the two below */
    int64_t order_epoch;
    int64_t *order; /* [count] of order_epoch */
};

/* image[i] = place first + i of the epoch's order, going round, i < n */
void hr_fill_order(hr_loader *loader, int64_t *image, int64_t epoch, int64_t first, int64_t n);
/* decodes and augments the image of a row; what went wrong is kept in the slot */
void hr_fill_row(hr_loader_worker *w, hr_slot *s, int32_t row);
/* the last image is done: unreadable ones are replaced, or fail the batch */
void hr_fill_finish(hr_loader_worker *w, hr_slot *s);

#endif
