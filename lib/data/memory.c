/* memory.c - images of equal size in memory, gray or RGB. */
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "data/formats.h"

static hirl_status read(hr_pixels *pixels, void *state, int64_t index)
{
    const hr_memory_images *images = state;
    size_t n = (size_t)(images->height * images->width);
    const uint8_t *from = images->pixels + (size_t)index * n * (size_t)images->channels;

    HR_TRY(hr_pixels_size(pixels, images->width, images->height));
    if (images->channels == 3)
        memcpy(pixels->data, from, 3 * n);
    else
        for (size_t i = 0; i < n; i++)
            memset(pixels->data + 3 * i, from[i], 3);
    return HIRL_OK;
}

static void close(void *state)
{
    hr_memory_images *images = state;

    if (images->owned)
        hr_free((void *)images->pixels);
    hr_free(images);
}

hirl_status hr_memory_open(hirl_dataset *dataset, const hr_memory_images *images)
{
    hr_memory_images *state = hr_alloc(sizeof *state);

    if (!state)
        return HIRL_E_NOMEM;
    *state = *images;
    dataset->source = (hr_source){ state, read, NULL, close, HR_TOLD_BY_PIXELS };
    dataset->count = images->count;
    hr_dataset_set_size(dataset, images->width, images->height);
    return HIRL_OK;
}
