/* inputs.h - the inputs of a step: everything that the host decides for it.
 *
 * A task declares its inputs once, when it is made; their device addresses never change. There are
 * two kinds:
 *
 *   small inputs (cells)     The task writes them in host memory; one transfer sends all of them.
 *   streamed inputs          Images. They are sent from the memory of the loader, without a copy.
 *
 * Both are on the device before anything is computed, and nothing else is sent during a step
 * (tests/house/house.py checks this). The inputs of a micro-batch are a slice of those of the
 * batch.
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
    hr_array *stream[HR_INPUT_STREAMS]; /* structs borrowed, device memory owned */
    int32_t streams;
} hr_inputs;

void hr_inputs_init(hr_inputs *inputs, hr_queue *queue);
void hr_inputs_done(hr_inputs *inputs); /* a zeroed struct is allowed */

/* Declares a small input: the task writes cell->host, kernels read cell->device. */
hirl_status hr_inputs_add(hr_inputs *inputs, hr_cell *cell, hr_dtype dtype, int rank,
                          const int64_t *dim);
/* Declares a streamed input and allocates it on the device. */
hirl_status hr_inputs_stream(hr_inputs *inputs, hr_array *array, hr_dtype dtype, int rank,
                             const int64_t *dim);
/* Allocates all small inputs; called once, after the last declaration. */
hirl_status hr_inputs_take(hr_inputs *inputs);

/* Sends rows of a streamed input to the device. The source may be reused when the call returns. */
void hr_inputs_send(hr_inputs *inputs, const hr_array *rows, const void *source, hr_dtype type);
/* Sends all small inputs, and the scalars of the step. */
void hr_inputs_place(hr_inputs *inputs, const hr_scalars *scalars);
/* Replaces a count in host memory by its sum over all ranks. With several ranks the call waits for
 * the device, before the step computes anything; with one rank it does nothing. work: i32 [1] on
 * the device, overwritten. */
hirl_status hr_inputs_sum_over_ranks(hr_inputs *inputs, int32_t *count, const hr_array *work);

#endif
