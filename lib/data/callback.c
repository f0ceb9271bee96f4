/* callback.c - images from a function of the application, encoded or as pixels. */

#include "data/callback.h"

#include <stdio.h>
#include <time.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/halt.h"
#include "data/given.h"

/* A read that is to be tried again: TRIES in all, with pauses that double up to LONGEST. Pauses are
 * taken in slices, so that a stop ends them. */
enum { TRIES = 10, FIRST_MS = 10, LONGEST_MS = 1000, SLICE_MS = 20 };

typedef struct callback {
    hirl_image_fn *read;
    hr_user user;
    hr_decoding how;
} callback;

static hirl_status pause_for(int ms)
{
    for (; ms > 0; ms -= SLICE_MS) {
        int slice = ms < SLICE_MS ? ms : SLICE_MS;

        HR_TRY(hr_halt_check());
        nanosleep(&(struct timespec){ .tv_nsec = slice * 1000000L }, NULL);
    }
    return hr_halt_check();
}

/* The failure that the application described in `image`. An image that can never be read is an
 * unreadable one (IO); everything else stops the call (CALLBACK). */
static hirl_status refuse(const hirl_image *image, int32_t result)
{
    hirl_status status = hr_fail_callback(image->value ? image->value : result, "data");
    char text[256], reason[256];

    if (result == HIRL_IMAGE_NEVER)
        status = hr_fail(HIRL_E_IO, "the application cannot read the image");
    if (result == HIRL_IMAGE_AGAIN)
        status = hr_fail(status, "data: the application's callback asked for another try %d times",
                         TRIES);
    if (!image->text)
        return status;
    snprintf(text, sizeof text, "%s", hr_error_text());
    snprintf(reason, sizeof reason, "%s", image->text);
    return hr_fail(status, "%s: %s", text, reason);
}

static hirl_status ask(hirl_image *image, const callback *application, int64_t index)
{
    int32_t result = HIRL_IMAGE_AGAIN;
    int ms = FIRST_MS;

    for (int i = 0; i < TRIES && result == HIRL_IMAGE_AGAIN; i++) {
        if (i) {
            HR_TRY(pause_for(ms));
            ms = 2 * ms < LONGEST_MS ? 2 * ms : LONGEST_MS;
        }
        *image = (hirl_image){ .struct_size = sizeof *image };
        result = application->read(image, index, application->user.data);
    }
    return result ? refuse(image, result) : HIRL_OK;
}

static hirl_status read(hr_pixels *pixels, void *state, int64_t index)
{
    const callback *application = state;
    hirl_image image;
    hirl_status status;

    HR_TRY(ask(&image, application, index));
    status = hr_given_complete(&image);
    if (status >= 0)
        status = hr_given_read(pixels, &image, &application->how);
    else if (status == HIRL_E_INVALID)
        status = hr_fail_in(HIRL_E_FORMAT, "the data callback");
    hr_user_release((hr_user){ image.token, image.release });
    return status;
}

static void close(void *state)
{
    hr_user user = ((callback *)state)->user;

    hr_free(state);
    hr_user_release(user);
}

void hr_callback_release(hirl_dataset *dataset, hirl_release_fn *release)
{
    ((callback *)dataset->source.state)->user.release = release;
}

hirl_status hr_callback_open(hirl_dataset *dataset, hirl_image_fn *read_image, void *user,
                             int64_t count, const hr_data_config *config)
{
    callback *state = hr_alloc(sizeof *state);

    if (!state)
        return HIRL_E_NOMEM;
    *state = (callback){ read_image, { user, NULL }, { config->exif != 0, config->max_pixels } };
    dataset->source = (hr_source){ state, read, NULL, close, HR_TOLD_NOT };
    dataset->count = count;
    dataset->exif = config->exif != 0;
    return HIRL_OK;
}
