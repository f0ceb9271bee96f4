/* identity.c - what tells a data set from another of as many images, without reading an image. */
#include <string.h>

#include <zlib.h>

#include "data/dataset.h"

static uint32_t of_names(const hirl_dataset *dataset)
{
    uLong crc = 0;

    for (int64_t i = 0; i < dataset->count; i++) {
        const char *name = hr_dataset_name(dataset, i);

        if (name)
            crc = crc32_z(crc, (const Bytef *)name, strlen(name) + 1);
    }
    return (uint32_t)crc;
}

uint32_t hr_dataset_identity(const hirl_dataset *dataset)
{
    if (dataset->source.name)
        return of_names(dataset);
    if (!dataset->label)
        return 0;
    return (uint32_t)crc32_z(0, (const Bytef *)dataset->label,
                             (size_t)dataset->count * sizeof *dataset->label);
}
