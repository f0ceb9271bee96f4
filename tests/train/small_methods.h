/* small_methods.h - settings of the six methods for runs of small_trainer.h: local views, masks, a queue in use,
 * a last layer that is released after one epoch. */
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
/* runs of three epochs, T1 = 1 */
extern const small_pair *const small_kind[SMALL_KINDS];

/* the loss of outputs that say nothing */
double small_chance(const small_trainer *t);

#endif
