/* callback.c - images from a function of the application, encoded or as pixels. */

#include "data/callback.h"

#include "base/alloc.h"
#include "base/error.h"
#include "data/image.h"

typedef struct callback {
    hirl_image_fn *read;
    void *user;
    hr_decoding how;
} callback;

static hirl_status copy_pixels(hr_pixels *pixels, const hirl_image *image)
{
    if (!image->pixels)
        return hr_fail(HIRL_E_FORMAT, "the data callback gave neither encoded bytes nor pixels");
    if (image->channels != 1 && image->channels != 3)
        return hr_fail(HIRL_E_FORMAT, "the data callback gave %d channels, expected 1 or 3",
                       (int)image->channels);
    return hr_pixels_copy(pixels, image->pixels, image->width, image->height, image->channels);
}

static hirl_status read(hr_pixels *pixels, void *state, int64_t index)
{
    const callback *application = state;
    hirl_image image = { .struct_size = sizeof image };
    int32_t result = application->read(&image, index, application->user);
    hirl_status status;

    if (result < 0)
        return hr_fail_callback(result, "data");
    if (image.encoded)
        status = hr_image_decode(pixels, image.encoded, image.encoded_bytes, &application->how);
    else
        status = copy_pixels(pixels, &image);
    if (image.release)
        image.release(image.token);
    return status;
}

hirl_status hr_callback_open(hirl_dataset *dataset, hirl_image_fn *read_image, void *user,
                             int64_t count, const hr_data_config *config)
{
    callback *state = hr_alloc(sizeof *state);

    if (!state)
        return HIRL_E_NOMEM;
    *state = (callback){ read_image, user, { config->exif != 0, config->max_pixels } };
    dataset->source = (hr_source){ state, read, NULL, hr_free, HR_TOLD_NOT };
    dataset->count = count;
    dataset->exif = config->exif != 0;
    return HIRL_OK;
}
