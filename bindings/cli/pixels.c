/* pixels.c - rows of features that are the pixels of the images: a baseline.
 *
 * Unreadable images are reported and left out. A share of them above max_bad is an error.
 */
#include "pixels.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "messages.h"
#include "session.h"

typedef struct reading {
    cli_session *session;
    const hirl_dataset *dataset;
    cli_rows *rows;
    int64_t height, width; /* size of the first readable image; 0: none read yet */
    int64_t bad;
    float mean[3], std[3];
} reading;

/* Reads the three numbers of mean= or std=. */
static int read_colours(float value[3], cli_session *session, const char *key)
{
    const char *text = hirl_options_get(session->options, key);
    int end = 0;

    value[0] = value[1] = value[2] = 0;
    sscanf(text, "%f ,%f ,%f %n", &value[0], &value[1], &value[2], &end);
    if (end && !text[end] && isfinite(value[0]) && isfinite(value[1]) && isfinite(value[2]))
        return CLI_OK;
    return cli_error(session, CLI_USAGE,
                     "%s=%s: pixels as features need three numbers, such as 0.5,0.5,0.5", key,
                     text);
}

/* One row: (u8 / 255 - mean) / std, channels last. */
static void put_pixels(float *row, const uint8_t *pixels, int64_t count, const float mean[3],
                       const float std[3])
{
    for (int64_t i = 0; i < count; i++)
        for (int c = 0; c < 3; c++)
            row[3 * i + c] = ((float)pixels[3 * i + c] / 255 - mean[c]) / std[c];
}

static int put_image(reading *r, int64_t image, const uint8_t *pixels, int64_t height,
                     int64_t width)
{
    cli_rows *rows = r->rows;
    int code =
        r->width ? CLI_OK : cli_rows_alloc(rows, r->session, rows->images, 3 * height * width);

    if (code)
        return code;
    if (!r->width) {
        r->height = height;
        r->width = width;
    }
    if (height != r->height || width != r->width)
        return cli_error(
            r->session, CLI_DATA,
            "pixels as features need images of one size: '%s' is %lld x %lld, the first image is "
            "%lld x %lld",
            hirl_dataset_name(r->dataset, image), (long long)width, (long long)height,
            (long long)r->width, (long long)r->height);
    put_pixels(rows->value + rows->count * rows->dim, pixels, height * width, r->mean, r->std);
    rows->image[rows->count++] = image;
    return CLI_OK;
}

static int count_bad(reading *r, int64_t image)
{
    const char *most = hirl_options_get(r->session->options, "max_bad");
    const char *name = hirl_dataset_name(r->dataset, image), *reason = hirl_error_message();
    bool limited = hirl_options_origin(r->session->options, "max_bad") > 0;
    double share = (double)++r->bad / (double)r->rows->images;

    cli_warn(r->session, "unreadable image %s: %s", name, reason);
    if (!limited || share <= strtod(most, NULL))
        return CLI_OK;
    return cli_error(
        r->session, CLI_DATA,
        "%lld of %lld images (a share of %.3g) cannot be read, more than max_bad=%s; the last "
        "one is %s: %s",
        (long long)r->bad, (long long)r->rows->images, share, most, name, reason);
}

/* Any other status, such as HIRL_E_NOMEM, does not concern the image. */
static bool is_unreadable(hirl_status status)
{
    return status == HIRL_E_FORMAT || status == HIRL_E_IO || status == HIRL_E_LIMIT ||
           status == HIRL_E_UNSUPPORTED || status == HIRL_E_CALLBACK;
}

static int read_image(reading *r, int64_t image)
{
    uint8_t *pixels = NULL;
    int64_t height, width;
    hirl_status status = hirl_dataset_read(&pixels, &height, &width, r->dataset, image);
    int code;

    if (status < 0)
        return is_unreadable(status) ? count_bad(r, image) : cli_check(r->session, status);
    code = put_image(r, image, pixels, height, width);
    hirl_free(pixels);
    return code;
}

static int read_mean_std(reading *r)
{
    int code = read_colours(r->mean, r->session, "mean");

    if (!code)
        code = read_colours(r->std, r->session, "std");
    for (int c = 0; c < 3 && !code; c++)
        if (!(r->std[c] > 0))
            code = cli_error(r->session, CLI_USAGE,
                             "std: each value must be above 0, but one is %g", (double)r->std[c]);
    return code;
}

int cli_rows_pixels(cli_rows *rows, cli_session *session, const hirl_dataset *dataset)
{
    reading r = { .session = session, .dataset = dataset, .rows = rows };
    int64_t images = hirl_dataset_count(dataset);
    int code = read_mean_std(&r);

    *rows = (cli_rows){ .images = images };
    session->running = true;
    for (int64_t i = 0; i < images && !code; i++) {
        code = cli_session_interrupted() ? cli_error(session, CLI_FAILED, "stopped on request")
                                         : read_image(&r, i);
        cli_progress_phase(&session->progress, "read", i + 1, images);
    }
    cli_progress_clear(&session->progress);
    if (!code && !rows->count)
        code = cli_error(session, CLI_DATA, "none of %lld images can be read", (long long)images);
    return code;
}
