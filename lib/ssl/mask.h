/* mask.h - the patches of a view that are hidden from the student (iBOT: Zhou et al. 2022). */
#ifndef HR_MASK_H
#define HR_MASK_H

#include "types.h"

typedef struct hr_mask_config {
    double p;             /* probability that a view has a mask */
    double ratio, spread; /* share of the patches to hide: U(ratio - spread, ratio + spread) */
    bool scattered;       /* single patches anywhere instead of blocks */
} hr_mask_config;

/* Writes 1 to mask [h,w] where a patch is hidden, else 0, and returns the number of hidden patches,
 * which never exceeds the drawn share. The result depends only on the arguments. Trainers pass the
 * step as `epoch`, so that each step has new masks. */
int64_t hr_mask_draw(uint8_t *mask, int64_t h, int64_t w, const hr_mask_config *config,
                     uint64_t seed, int64_t epoch, int64_t image, int32_t view);

#endif
