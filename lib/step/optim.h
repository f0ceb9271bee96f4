/* optim.h - optimisers of a run: SGD, SGD with LARC or LARS, AdamW, over groups of parameters; clipping.
 *
 * A group has a rate, a decay and a momentum of its own (hr_scalars) and a count of its updates. A
 * group that a step does not name is left alone: no decay, no momentum, and its first update is step 1
 * of Adam's correction, however late it comes (spec.md 0.2). One step:
 *
 *     hr_optim_scalars(&scalars, optim, groups);      after the rates and decays are set, before upload
 *     ... forward, backward ...
 *     hr_optim_clip(optim, weights, with_gradient);
 *     hr_optim_trust(optim, weights, groups);
 *     hr_optim_step(optim, weights, groups);
 *
 * The first two change gradients only and take workspace; the last takes none, so that a lack of memory
 * is known (sync) before anything is changed.
 *
 * Sets of groups are masks: bit g is group g.
 */
#ifndef HR_OPTIM_H
#define HR_OPTIM_H

#include "backend.h"
#include "nn/param.h"
#include "types.h"

typedef struct hr_optim hr_optim;

/* in the order of the key `optimizer`. LARC and LARS (You et al. 2017): the gradient of a parameter, with its decay, is
 * scaled by trust |p| / (|g| + decay |p| + eps); LARS leaves the groups `plain` to SGD. */
typedef enum { HR_OPTIM_SGD, HR_OPTIM_LARC, HR_OPTIM_ADAMW, HR_OPTIM_LARS } hr_optim_kind;
typedef enum { HR_CLIP_NONE, HR_CLIP_TENSOR, HR_CLIP_GLOBAL } hr_clip_kind;

typedef struct hr_optim_config {
    hr_optim_kind kind;
    hr_clip_kind clip;
    double clip_limit;
    double beta1, beta2; /* of AdamW */
    double eps;          /* of AdamW, LARC and LARS */
    double trust;        /* of LARC and LARS */
    uint32_t plain;      /* LARS: groups whose gradients are not scaled */
} hr_optim_config;

/* group [slots of the layout]: group of each parameter, or -1: never trained. Read during the call. */
hirl_status hr_optim_create(hr_optim **optim, hr_queue *queue, const hr_layout *layout,
                            const int8_t *group, const hr_optim_config *config);
void hr_optim_destroy(hr_optim *optim); /* NULL is fine */

/* what depends on the count of updates, of the groups that hr_optim_step will name; LARC and LARS
 * take their decay over: call it once, after `decay` is set */
void hr_optim_scalars(hr_scalars *s, const hr_optim *optim, uint32_t groups);
/* clips the gradients of these groups: each parameter by its own norm, or all by the common one */
void hr_optim_clip(hr_optim *optim, hr_weights *w, uint32_t groups);
/* LARC, LARS: the gradients of these groups by their trust; nothing for the other kinds */
void hr_optim_trust(hr_optim *optim, hr_weights *w, uint32_t groups);
/* one update of these groups; the scalars have been uploaded */
void hr_optim_step(hr_optim *optim, hr_weights *w, uint32_t groups);

/* momentum.<slot>, or adam_m.<slot> and adam_v.<slot>; optim.steps i64 [HR_GROUPS] */
hirl_status hr_optim_save(hr_tensors *out, const hr_optim *optim);
hirl_status hr_optim_load(hr_optim *optim, const hr_tensors *in);

/* DINO's and iBOT's weight decay leaves it out: the name ends in "bias", or it has one dimension */
bool hr_optim_plain(const hr_slot *slot);

#endif
