/* small_host.h - a method of a host's own, with a state that moves its loss and with faults that tests set. */
#ifndef SMALL_HOST_H
#define SMALL_HOST_H

#include <stdbool.h>
#include <stdint.h>

#include <hirl/hirl.h>

enum { SMALL_HOST_DIM = 16, SMALL_HOST_IMAGES = 64 }; /* at most */

/* all 0: a host that has seen nothing */
typedef struct small_host {
    double center[SMALL_HOST_DIM], next[SMALL_HOST_DIM]; /* next: of the step that is under way */
    int64_t committed;                                   /* steps */
    /* what it was asked */
    hirl_method_step seen;
    int64_t asked, with_grad;
    bool id_seen[SMALL_HOST_IMAGES];
    /* what it answers */
    int32_t loss_answer, commit_answer, save_answer, load_answer;
    bool forgetful, spoil, spoil_held_out; /* spoil: the gradient; the loss of held-out images */
} small_host;

/* its functions, under the name "pulled" */
hirl_method_calls small_host_calls(small_host *host);

#endif
