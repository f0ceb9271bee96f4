/* results.h - everything that a step reports, read by the host once.
 *
 * Losses join on the device as micro-batches end. The one transfer and the one wait of a step come after
 * the gradients are complete and before anything is changed.
 */
#ifndef HR_RESULTS_H
#define HR_RESULTS_H

#include "backend.h"
#include "step/bundle.h"
#include "types.h"

enum { HR_RESULT_NUMBERS = 16 };

typedef struct hr_results {
    hr_bundle bundle;
    hr_cell bad;    /* i32 [1]: not 0 when a gradient is not finite */
    hr_cell square; /* f64 [1]: squared length of the gradient */
    hr_cell number; /* f64 [HR_RESULT_NUMBERS]: the task's; means over ranks when read */
} hr_results;

/* A task may add cells of its own before hr_results_take. */
hirl_status hr_results_init(hr_results *results, hr_queue *queue);
hirl_status hr_results_take(hr_results *results);
void hr_results_done(hr_results *results); /* fine on a zeroed struct */

void hr_results_clear(hr_results *results);
/* number[i] += x, [1] of any float type; x NULL: nothing */
void hr_results_add(hr_results *results, int i, const hr_array *x);
/* Transfers all cells and waits. Numbers of the task become means over ranks. */
hirl_status hr_results_read(hr_results *results);
double hr_result(const hr_results *results, int i);

#endif
