/* formats.h - the formats of data sets. */
#ifndef HR_FORMATS_H
#define HR_FORMATS_H

#include "data/dataset.h"
#include "types.h"

typedef struct hr_format {
    const char *name;
    /* Recognises the format by the names of files, or by the first bytes of a file. */
    hirl_status (*matches)(bool *yes, const char *path);
    hirl_status (*open)(hirl_dataset *dataset, const char *path, const hr_data_config *config);
} hr_format;

extern const hr_format hr_format_cifar, hr_format_folder, hr_format_generated, hr_format_idx,
    hr_format_npy;

/* Finds whether a folder has an entry whose name is `wanted`. */
hirl_status hr_folder_has(bool *yes, const char *path, bool (*wanted)(const char *name));

/* Images u8 [count, height, width, channels]. If `owned`, the data set frees them by hr_free. */
typedef struct hr_memory_images {
    const uint8_t *pixels;
    int64_t count, height, width;
    int32_t channels;
    bool owned;
} hr_memory_images;
hirl_status hr_memory_open(hirl_dataset *dataset, const hr_memory_images *images);
hirl_status hr_callback_open(hirl_dataset *dataset, hirl_image_fn *read, void *user, int64_t count,
                             const hr_data_config *config);

/* Fills levels, classes, parents and class names from hierarchy.tsv beside the data, if present. */
hirl_status hr_hierarchy_read(hirl_dataset *dataset, const char *data_path);

#endif
