/* results.h - the results of a step: everything that the host reads of it.
 *
 * Losses are summed on the device while micro-batches are computed. One transfer, with the one wait
 * of a step, copies all results to host memory: after the gradients are complete, and before the
 * step changes anything.
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
    hr_cell number; /* f64 [HR_RESULT_NUMBERS]: the task's sums; means over ranks once read */
} hr_results;

/* After this call and before hr_results_take, a task may add its own cells to the bundle. */
hirl_status hr_results_init(hr_results *results, hr_queue *queue);
hirl_status hr_results_take(hr_results *results);
void hr_results_done(hr_results *results); /* a zeroed struct is allowed */

void hr_results_clear(hr_results *results);
/* number[i] += x, [1] of any float type; x NULL: does nothing */
void hr_results_add(hr_results *results, int i, const hr_array *x);
/* Copies all cells to host memory and waits. Makes the task's numbers means over ranks. */
hirl_status hr_results_read(hr_results *results);
double hr_result(const hr_results *results, int i); /* number[i], after hr_results_read */

#endif
