/* identity.c - a checksum that distinguishes data sets with the same number of images. */
#include "data/identity.h"

#include <string.h>

#include <zlib.h>

enum { SAMPLE = 16 }; /* images, spread over the set */

int64_t hr_digest_of(const void *bytes, size_t count)
{
    int64_t digest = (int64_t)((uint64_t)count << 32 | crc32_z(0, bytes, count));

    return digest ? digest : 1;
}

const char *hr_name_below_split(const hirl_dataset *dataset, const char *name)
{
    for (int32_t i = 0; i < dataset->parts; i++) {
        const char *folder = dataset->part[i].folder;
        size_t length = folder ? strlen(folder) : 0;

        if (dataset->part[i].taken && length && !strncmp(name, folder, length) &&
            name[length] == '/')
            return name + length + 1;
    }
    return name;
}

static uint32_t crc_of_names(const hirl_dataset *dataset)
{
    uLong crc = 0;

    for (int64_t i = 0; i < dataset->count; i++) {
        const char *name = hr_name_below_split(dataset, hr_dataset_name(dataset, i));

        crc = crc32_z(crc, (const Bytef *)name, strlen(name) + 1);
    }
    return (uint32_t)crc;
}

static hirl_status crc_of_pixels(uint32_t *crc, const hirl_dataset *dataset)
{
    int64_t sample = dataset->count < SAMPLE ? dataset->count : SAMPLE;
    uLong sum = 0;

    for (int64_t i = 0; i < sample; i++) {
        hr_pixels pixels = { 0 };
        hirl_status status = hr_dataset_read(&pixels, dataset, i * dataset->count / sample);

        if (status >= 0)
            sum = crc32_z(sum, pixels.data, (size_t)(pixels.width * pixels.height) * 3);
        else if (hr_is_bad_image(status)) /* on_bad_image decides later what happens to it */
            sum = crc32_z(sum, (const Bytef *)&i, sizeof i);
        hr_pixels_done(&pixels);
        if (status < 0 && !hr_is_bad_image(status))
            return status;
    }
    *crc = (uint32_t)sum;
    return HIRL_OK;
}

/* Covers the fine labels and the side of the images. */
static uint32_t crc_of_labels(const hirl_dataset *dataset)
{
    uLong crc = crc32_z(0, (const Bytef *)&dataset->min_width, sizeof dataset->min_width);

    return (uint32_t)crc32_z(crc, (const Bytef *)dataset->label,
                             (size_t)dataset->count * sizeof *dataset->label);
}

hirl_status hr_dataset_identify(hr_identity *identity, const hirl_dataset *dataset)
{
    *identity = (hr_identity){ .told = dataset->source.told };
    if (identity->told == HR_TOLD_BY_PIXELS)
        return crc_of_pixels(&identity->crc, dataset);
    if (identity->told == HR_TOLD_BY_NAMES)
        identity->crc = crc_of_names(dataset);
    else if (identity->told == HR_TOLD_BY_LABELS)
        identity->crc = crc_of_labels(dataset);
    return HIRL_OK;
}
