/* param.h - named parameters of a network, all in one flat array.
 *
 * A layout lists the parameters (name, shape, initial values) and the place of each in the flat
 * array; hr_weights holds one set of values. The online network, the teacher and the optimiser's
 * moments share a layout, so an optimiser step or a moving average is one pass over flat arrays.
 */
#ifndef HR_PARAM_H
#define HR_PARAM_H

#include "array.h"
#include "base/tensors.h"
#include "tape/ops.h"
#include "types.h"

/* Initial values of a slot; `fan` is its field. */
typedef enum hr_first {
    HR_FIRST_ZERO,
    HR_FIRST_ONE,
    HR_FIRST_KAIMING, /* normal, std sqrt(2 / fan), fan = O k k (He et al. 2015, fan-out mode) */
    HR_FIRST_UNIFORM, /* U(-1/sqrt(fan), 1/sqrt(fan)); fan = inputs of the layer */
    HR_FIRST_NORMAL,  /* normal, std fan, clamped to [-2, 2] */
    HR_FIRST_RANGE,   /* U(-fan, fan) */
    HR_FIRST_SINCOS,  /* sine-cosine positions [1, 1 + n n, D] of a grid with side n (param.c) */
} hr_first;

enum { HR_SLOT_NAME = 96 };

/* One parameter of a layout. */
typedef struct hr_slot {
    char name[HR_SLOT_NAME];
    int32_t rank; /* shape in memory: convolutions are [O, k, k, I], but [O, I, k, k] in files */
    int64_t dim[4];
    int64_t offset; /* first element in the flat array; a multiple of 16 */
    int64_t count;  /* number of elements */
    hr_first first;
    double fan;
} hr_slot;

typedef struct hr_layout {
    hr_slot *slot;
    int32_t count, room; /* slots used, slots allocated */
    int64_t total;       /* length of the flat array; gaps between slots always hold 0 */
} hr_layout;

/* prefix and suffix joined, truncated to the size of a slot's name */
void hr_slot_name(char name[HR_SLOT_NAME], const char *prefix, const char *suffix);

void hr_layout_done(hr_layout *layout);
/* index of the new slot, or a negative status */
int32_t hr_layout_add(hr_layout *layout, const char *name, hr_first first, double fan, int32_t rank,
                      const int64_t *dim);
/* number of elements in the first `count` slots, without gaps */
int64_t hr_layout_numbers(const hr_layout *layout, int32_t count);

/* One set of values, in the memory of the queue's device. */
typedef struct hr_weights {
    const hr_layout *layout,
        *norms;                /* names and places of the parameters; of the running statistics */
    hr_queue *queue;           /* owns the memory */
    hr_array value, grad, low; /* real; real, optional; bf16 copy of value, optional */
    hr_array running;          /* real, laid out as `norms` */
    int32_t slots, norm_slots; /* number of parameters, of running statistics */
    hr_norm_slot *norm_slot;   /* [norm_slots] */
} hr_weights;

/* Allocates the first `slots` parameters and `norm_slots` running statistics of the layouts. (A
 * teacher has fewer than the online network: no h_l.) */
hirl_status hr_weights_create(hr_weights *w, hr_queue *queue, const hr_layout *layout,
                              int32_t slots, const hr_layout *norms, int32_t norm_slots,
                              bool with_grad, bool with_low);
void hr_weights_done(hr_weights *w); /* a zeroed struct is allowed */

/* Draws the initial values. They depend on the seed and on the slot's index. Elements are drawn in
 * file order. */
hirl_status hr_weights_draw(hr_weights *w, uint64_t seed);
/* Copies the values and running statistics of the slots that both have, then refreshes w. Both have
 * the same layout, or layouts that begin with the same slots. */
void hr_weights_copy(hr_weights *w, const hr_weights *from);
void hr_weights_refresh(hr_weights *w); /* recomputes the bf16 copy */

/* A parameter as a tensor on a tape: `cast` in the activation type, the other as real. */
hr_tensor *hr_weight_cast(hr_tape *t, const hr_weights *w, int32_t slot);
hr_tensor *hr_weight(hr_tape *t, const hr_weights *w, int32_t slot);
/* a running statistic, slot of `norms` */
hr_array hr_running(const hr_weights *w, int32_t slot);

/* length of the flat array of the first `count` slots */
int64_t hr_layout_length(const hr_layout *layout, int32_t count);
/* Save and load the first `count` slots of a flat array with this layout (weights, moments or
 * running statistics). Tensors are named <prefix><slot name>; convolutions have the shape
 * [O, I, k, k]. */
hirl_status hr_layout_save(hr_tensors *out, const hr_layout *layout, int32_t count,
                           const hr_array *flat, hr_queue *queue, const char *prefix);
/* The shape that a slot has in files. */
void hr_slot_shape(int64_t dim[4], const hr_slot *slot);
/* Read and write the float32 values [count] of one slot of a flat array, in the order of files. */
hirl_status hr_slot_read(float *data, const hr_slot *slot, const hr_array *flat, hr_queue *queue);
hirl_status hr_slot_write(const hr_array *flat, const hr_slot *slot, hr_queue *queue,
                          const float *data);
/* HIRL_E_FORMAT if a tensor is missing or has another shape. Allows a check before memory is
 * allocated for the values. */
hirl_status hr_layout_check(const hr_layout *layout, int32_t count, const hr_tensors *in,
                            const char *prefix);
hirl_status hr_layout_load(const hr_array *flat, const hr_layout *layout, int32_t count,
                           hr_queue *queue, const hr_tensors *in, const char *prefix);

#endif
