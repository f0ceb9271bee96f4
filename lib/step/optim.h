/* optim.h - optimisers over parameter groups: SGD, SGD with LARC or LARS, AdamW; clipping.
 *
 * A group has its own learning rate, decay and momentum (hr_scalars), and counts its updates. A
 * step does not change a group that it does not name: neither decay nor momentum applies, and the
 * group's first update, however late, is t = 1 in AdamW's bias correction. One step:
 *
 *     hr_optim_scalars(&scalars, optim, groups);    once rates and decays are set, before sending
 *     ... forward, backward ...
 *     hr_optim_clip(optim, weights, with_gradient);
 *     hr_optim_trust(optim, weights, groups);
 *     hr_optim_step(optim, weights, groups);
 *
 * Clip and trust change gradients only, and may need workspace. hr_optim_step needs none, so that
 * the wait before it reports a lack of memory before any parameter changes.
 *
 * Sets of groups are bit masks: bit g is group g.
 */
#ifndef HR_OPTIM_H
#define HR_OPTIM_H

#include "backend.h"
#include "nn/param.h"
#include "types.h"

typedef struct hr_optim hr_optim;

/* In the order of the key `optimizer`. LARC and LARS (You et al. 2017) scale the gradient of a
 * parameter p, with its decay, by trust |p| / (|g| + decay |p| + eps). LARS updates the groups
 * `plain` as SGD does. */
typedef enum { HR_OPTIM_SGD, HR_OPTIM_LARC, HR_OPTIM_ADAMW, HR_OPTIM_LARS } hr_optim_kind;
typedef enum { HR_CLIP_NONE, HR_CLIP_TENSOR, HR_CLIP_GLOBAL } hr_clip_kind;

typedef struct hr_optim_config {
    hr_optim_kind kind;
    hr_clip_kind clip;
    double clip_limit;
    double beta1, beta2; /* AdamW */
    double eps;          /* AdamW, LARC and LARS */
    double trust;        /* LARC and LARS */
    uint32_t plain;      /* LARS: groups whose gradients are not scaled */
} hr_optim_config;

/* group: [slots of the layout] group of each parameter, -1: never trained; read during the call */
hirl_status hr_optim_create(hr_optim **optim, hr_queue *queue, const hr_layout *layout,
                            const int8_t *group, const hr_optim_config *config);
void hr_optim_destroy(hr_optim *optim); /* NULL is allowed */

/* Sets the scalars that depend on the number of updates, for the groups that hr_optim_step will
 * name. For LARC and LARS it also moves `decay` to `larc`: call it once, after `decay` is set. */
void hr_optim_scalars(hr_scalars *s, const hr_optim *optim, uint32_t groups);
/* Clips the gradients of these groups: each parameter by its own norm, or all by their joint
 * norm. */
void hr_optim_clip(hr_optim *optim, hr_weights *w, uint32_t groups);
/* LARC, LARS: scales the gradients of these groups. Other kinds: does nothing. */
void hr_optim_trust(hr_optim *optim, hr_weights *w, uint32_t groups);
/* Updates these groups once; the scalars are already on the device. */
void hr_optim_step(hr_optim *optim, hr_weights *w, uint32_t groups);

/* Tensors: momentum.<slot>, or adam_m.<slot> and adam_v.<slot>; optim.steps i64 [HR_GROUPS]. */
hirl_status hr_optim_save(hr_tensors *out, const hr_optim *optim);
hirl_status hr_optim_load(hr_optim *optim, const hr_tensors *in);

/* Whether decay_all=0 exempts this slot from weight decay: it has one dimension, or its name ends
 * in "bias". */
bool hr_optim_plain(const hr_slot *slot);

#endif
