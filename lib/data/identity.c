/* identity.c - what tells a data set from another of as many images. */
#include <string.h>

#include <zlib.h>

#include "data/dataset.h"

enum { LOOKED_AT = 16 }; /* images, spread over the set */

/* `data/train` and `data` with split=train are one set */
static const char *below_split(const hirl_dataset *dataset, const char *name)
{
    const char *slash = dataset->parts > 0 ? strchr(name, '/') : NULL;

    return slash ? slash + 1 : name;
}

static uint32_t of_names(const hirl_dataset *dataset)
{
    uLong crc = 0;

    for (int64_t i = 0; i < dataset->count; i++) {
        const char *name = below_split(dataset, hr_dataset_name(dataset, i));

        crc = crc32_z(crc, (const Bytef *)name, strlen(name) + 1);
    }
    return (uint32_t)crc;
}

static hirl_status of_pixels(uint32_t *crc, const hirl_dataset *dataset)
{
    int64_t looked_at = dataset->count < LOOKED_AT ? dataset->count : LOOKED_AT;
    uLong sum = 0;

    for (int64_t i = 0; i < looked_at; i++) {
        hr_pixels pixels = { 0 };
        hirl_status status = hr_dataset_read(&pixels, dataset, i * dataset->count / looked_at);

        if (status >= 0)
            sum = crc32_z(sum, pixels.data, (size_t)(pixels.width * pixels.height) * 3);
        else if (hr_is_bad_image(status)) /* training has its own way with it */
            sum = crc32_z(sum, (const Bytef *)&i, sizeof i);
        hr_pixels_done(&pixels);
        if (status < 0 && !hr_is_bad_image(status))
            return status;
    }
    *crc = (uint32_t)sum;
    return HIRL_OK;
}

/* fine ones, and the side of the images */
static uint32_t of_labels(const hirl_dataset *dataset)
{
    uLong crc = crc32_z(0, (const Bytef *)&dataset->min_width, sizeof dataset->min_width);

    return (uint32_t)crc32_z(crc, (const Bytef *)dataset->label,
                             (size_t)dataset->count * sizeof *dataset->label);
}

hirl_status hr_dataset_identify(hr_identity *identity, const hirl_dataset *dataset)
{
    *identity = (hr_identity){ .told = dataset->source.told };
    if (identity->told == HR_TOLD_BY_PIXELS)
        return of_pixels(&identity->crc, dataset);
    if (identity->told == HR_TOLD_BY_NAMES)
        identity->crc = of_names(dataset);
    else if (identity->told == HR_TOLD_BY_LABELS)
        identity->crc = of_labels(dataset);
    return HIRL_OK;
}
