/* param.h - named parameters of a network, all in one flat array.
 *
 * A layout says which numbers there are (names as torchvision's, shapes, first values) and where
 * each lies; weights are one set of values for it. Online network, teacher and moments share a
 * layout, so an optimiser or an average is one pass over flat arrays.
 */
#ifndef HR_PARAM_H
#define HR_PARAM_H

#include "array.h"
#include "base/tensors.h"
#include "tape/ops.h"
#include "types.h"

typedef enum hr_first {
    HR_FIRST_ZERO,
    HR_FIRST_ONE,
    HR_FIRST_KAIMING, /* normal, sqrt(2 / fan): He et al. 2015, fan_out; fan = O k k */
    HR_FIRST_UNIFORM, /* U(-1/sqrt(fan), 1/sqrt(fan)); fan = inputs of the layer */
    HR_FIRST_NORMAL,  /* normal of standard deviation `fan`, cut at -2 and 2 (spec.md 1.2) */
    HR_FIRST_RANGE,   /* U(-fan, fan) */
    HR_FIRST_SINCOS,  /* fixed positions [1, 1 + n n, D] of a grid with side n (spec.md 1.2) */
} hr_first;

enum { HR_SLOT_NAME = 96 };

typedef struct hr_slot {
    char name[HR_SLOT_NAME];
    int32_t rank; /* of the array in memory: convolutions are [O, k, k, I], in files [O, I, k, k] */
    int64_t dim[4];
    int64_t offset; /* in the flat array; a multiple of 16 */
    int64_t count;
    hr_first first;
    double fan;
} hr_slot;

typedef struct hr_layout {
    hr_slot *slot;
    int32_t count, room;
    int64_t total; /* length of the flat array; the gaps between slots hold 0 and stay 0 */
} hr_layout;

/* prefix followed by suffix, cut to the size of a slot's name */
void hr_slot_name(char name[HR_SLOT_NAME], const char *prefix, const char *suffix);

void hr_layout_done(hr_layout *layout);
/* index of the new slot, or a negative status */
int32_t hr_layout_add(hr_layout *layout, const char *name, hr_first first, double fan, int32_t rank,
                      const int64_t *dim);
int64_t hr_layout_numbers(const hr_layout *layout,
                          int32_t count); /* of the first slots, without gaps */

/* One set of values; arrays lie on the queue's device. */
typedef struct hr_weights {
    const hr_layout *layout, *norms; /* parameters; running statistics */
    hr_queue *queue;                 /* whose memory it is */
    hr_array value, grad, low;       /* real, real or absent, bf16 copy or absent */
    hr_array running;                /* real, laid out as `norms` */
    int32_t slots, norm_slots;       /* how many of each there are */
    hr_norm_slot *norm_slot;         /* [norm_slots] */
} hr_weights;

/* room for the first `slots` parameters and `norm_slots` running statistics only (a teacher has no h_l) */
hirl_status hr_weights_create(hr_weights *w, hr_queue *queue, const hr_layout *layout,
                              int32_t slots, const hr_layout *norms, int32_t norm_slots,
                              bool with_grad, bool with_low);
void hr_weights_done(hr_weights *w); /* fine on a zeroed struct */

/* first values by (seed, position of the slot), in the order of the file; rounded to f32 in the product */
hirl_status hr_weights_draw(hr_weights *w, uint64_t seed);
/* w <- from, as far as both reach; of one layout, or of two that begin alike */
void hr_weights_copy(hr_weights *w, const hr_weights *from);
void hr_weights_refresh(hr_weights *w); /* low <- value */

/* leaves on a tape: in the run's precision (convolutions), or as they are */
hr_tensor *hr_weight_cast(hr_tape *t, const hr_weights *w, int32_t slot);
hr_tensor *hr_weight(hr_tape *t, const hr_weights *w, int32_t slot);
hr_array hr_running(const hr_weights *w, int32_t slot);

/* to and from files: <prefix><slot name>, convolutions as [O, I, k, k]; values of any flat array of
 * the layout (weights, moments, running statistics). count: the first slots only. */
int64_t hr_layout_length(const hr_layout *layout,
                         int32_t count); /* of the flat array of the first slots */
hirl_status hr_layout_save(hr_tensors *out, const hr_layout *layout, int32_t count,
                           const hr_array *flat, hr_queue *queue, const char *prefix);
/* FORMAT when one of them is missing or has another shape: before room is made for them */
hirl_status hr_layout_check(const hr_layout *layout, int32_t count, const hr_tensors *in,
                            const char *prefix);
hirl_status hr_layout_load(const hr_array *flat, const hr_layout *layout, int32_t count,
                           hr_queue *queue, const hr_tensors *in, const char *prefix);

#endif
