/* small_methods.h - settings of the six methods for runs of small_trainer.h. They use local views,
 * masks, SwAV's queue, and a last layer that is frozen for the first epoch. */
#ifndef SMALL_METHODS_H
#define SMALL_METHODS_H

#include "small_trainer.h"

enum {
    SMALL_METHODS = 6,
    SMALL_KINDS = 4, /* plain, HIRL, each in one batch and in two micro-batches */
    SMALL_WHOLE_HIRL = 2,
};

/* in the order of the key `method` */
extern const small_pair *const small_method[SMALL_METHODS];
/* runs of three epochs; the first has no tree */
extern const small_pair *const small_kind[SMALL_KINDS];

/* the loss of outputs that carry no information about their images */
double small_chance(const small_trainer *t);

#endif
