/* formats.h - the formats of data sets: each opens a data set from what lies at a path. */
#ifndef HR_FORMATS_H
#define HR_FORMATS_H

#include "data/dataset.h"
#include "types.h"

typedef struct hr_format {
    const char *name;
    hirl_status (*matches)(bool *yes, const char *path); /* looks at names only */
    hirl_status (*open)(hirl_dataset *dataset, const char *path, const hr_data_config *config);
} hr_format;

extern const hr_format hr_format_cifar, hr_format_folder, hr_format_generated, hr_format_idx,
    hr_format_npy;

/* whether a folder has an entry of such a name */
hirl_status hr_folder_has(bool *yes, const char *path, bool (*is_such)(const char *name));

/* u8 [count, height, width, channels]; owned: freed with hr_free when the set ends */
typedef struct hr_memory_images {
    const uint8_t *pixels;
    int64_t count, height, width;
    int32_t channels;
    bool owned;
} hr_memory_images;
hirl_status hr_memory_open(hirl_dataset *dataset, const hr_memory_images *images);
hirl_status hr_callback_open(hirl_dataset *dataset, hirl_image_fn *read, void *user, int64_t count,
                             const hr_data_config *config);

/* reads hierarchy.tsv beside the data, when there is one, into levels, classes, parents and names */
hirl_status hr_hierarchy_read(hirl_dataset *dataset, const char *data_path);

#endif
