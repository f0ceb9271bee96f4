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
    hr_format_list, hr_format_npy, hr_format_stl10;

#endif
