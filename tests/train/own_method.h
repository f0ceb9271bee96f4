/* own_method.h - a method of an application (method=own) with a state that affects its loss, and
 * with failures that tests switch on. */
#ifndef OWN_METHOD_H
#define OWN_METHOD_H

#include <stdbool.h>
#include <stdint.h>

#include <hirl/hirl.h>

enum { OWN_METHOD_DIM = 16, OWN_METHOD_IMAGES = 64 }; /* at most */

/* all 0: the initial state */
typedef struct own_method {
    /* the state: a centre, and the mean of the current step that commit moves it to */
    double center[OWN_METHOD_DIM], next[OWN_METHOD_DIM];
    int64_t committed; /* steps */
    /* record of the calls */
    hirl_method_step seen;    /* the last one */
    int64_t first_id;         /* id of its first image */
    int64_t calls, with_grad; /* calls of the loss, and those with a gradient */
    bool id_seen[OWN_METHOD_IMAGES];
    /* set by tests: values that the functions return */
    int32_t loss_value, commit_value, save_value, load_value;
    bool forgetful;             /* load does not restore the centre */
    bool spoil, spoil_held_out; /* return NaN: in the gradient; as the loss of held-out images */
} own_method;

/* the functions of `method`, under the name "pulled" */
hirl_method_calls own_method_calls(own_method *method);

#endif
