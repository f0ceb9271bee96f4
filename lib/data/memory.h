/* memory.h - a data set of images of equal size in memory. */
#ifndef HR_DATA_MEMORY_H
#define HR_DATA_MEMORY_H

#include "data/dataset.h"
#include "types.h"

/* Images u8 [count, height, width, channels]. If `owned`, the data set frees them by hr_free. */
typedef struct hr_memory_images {
    const uint8_t *pixels;
    int64_t count, height, width;
    int32_t channels;
    bool owned;
} hr_memory_images;
hirl_status hr_memory_open(hirl_dataset *dataset, const hr_memory_images *images);

#endif
