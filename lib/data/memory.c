/* memory.c - images of equal size in memory, gray or RGB. */
#include "data/memory.h"

#include "base/alloc.h"

static hirl_status read(hr_pixels *pixels, void *state, int64_t index)
{
    const hr_memory_images *images = state;
    size_t bytes = (size_t)(images->height * images->width) * (size_t)images->channels;

    return hr_pixels_copy(pixels, images->pixels + (size_t)index * bytes, images->width,
                          images->height, images->channels);
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
