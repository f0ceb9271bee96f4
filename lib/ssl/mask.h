/* mask.h - which patches of a view are hidden from the student (iBOT: Zhou et al. 2022). */
#ifndef HR_MASK_H
#define HR_MASK_H

#include "types.h"

typedef struct hr_mask_config {
    double p;             /* share of the views that have a mask: 0.5 */
    double ratio, spread; /* share of the patches to hide: U(ratio - spread, ratio + spread) */
    bool scattered;       /* single patches anywhere (`rand`), not blocks */
} hr_mask_config;

/* mask [h,w] <- 1 where a patch is hidden, else 0; -> how many are. Never more than the share that
 * was drawn. A function of (seed, epoch, image, view) alone; a trainer
 * gives its step as epoch, so that every step has masks of its own. */
int64_t hr_mask_draw(uint8_t *mask, int64_t h, int64_t w, const hr_mask_config *config,
                     uint64_t seed, int64_t epoch, int64_t image, int32_t view);

#endif
