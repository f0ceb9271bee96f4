/* inputs.h - everything that the host decides for a step, at fixed device addresses.
 *
 * A task declares its inputs once. In each step it writes them into host memory; one transfer then places
 * them, before anything is computed. Nothing else reaches the device during a step (tests/house/house.py).
 * A micro-batch is an offset into an input. Images are not copied twice: they go to the device from where
 * the loader left them.
 */
#ifndef HR_INPUTS_H
#define HR_INPUTS_H

#include "backend.h"
#include "step/bundle.h"
#include "types.h"

enum { HR_INPUT_STREAMS = 64 };

typedef struct hr_inputs {
    hr_queue *queue;
    hr_bundle bundle;
    hr_array *stream[HR_INPUT_STREAMS]; /* borrowed */
    int32_t streams;
} hr_inputs;

void hr_inputs_init(hr_inputs *inputs, hr_queue *queue);
void hr_inputs_done(hr_inputs *inputs); /* fine on a zeroed struct */

/* A small input: written through cell->host, read from cell->device. */
hirl_status hr_inputs_add(hr_inputs *inputs, hr_cell *cell, hr_dtype dtype, int rank,
                          const int64_t *dim);
/* A large input without a copy in host memory: images. Memory is taken at once. */
hirl_status hr_inputs_stream(hr_inputs *inputs, hr_array *array, hr_dtype dtype, int rank,
                             const int64_t *dim);
/* after the last declaration */
hirl_status hr_inputs_take(hr_inputs *inputs);

/* Sends rows of a streamed input to the device; source may be reused when the call returns. */
void hr_inputs_send(hr_inputs *inputs, const hr_array *rows, const void *source, hr_dtype type);
/* Sends all small inputs and the scalars of the step. */
void hr_inputs_place(hr_inputs *inputs, const hr_scalars *scalars);
/* Replaces a host count by its sum over all ranks. With one rank nothing happens; with several this is a
 * wait of its own, before the step's computation begins. work: i32 [1] on the device. */
hirl_status hr_inputs_sum_over_ranks(hr_inputs *inputs, int32_t *count, const hr_array *work);

#endif
