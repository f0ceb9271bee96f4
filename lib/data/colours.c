/* colours.c - mean and standard deviation of a data set's colours (mean=auto, std=auto). */
#include "data/colours.h"

#include <math.h>
#include <string.h>

#include "base/error.h"
#include "context.h"

static const double LEAST_STD = 1.0 / 255; /* for images of one colour */

typedef struct colour_sums {
    double sum[3], square[3];
    double images;
} colour_sums;

static void add_image(colour_sums *s, const hr_pixels *pixels)
{
    int64_t n = (int64_t)pixels->width * pixels->height;

    for (int c = 0; c < 3; c++) {
        double sum = 0, square = 0;

        for (int64_t i = 0; i < n; i++) {
            double v = pixels->data[3 * i + c] / 255.0;

            sum += v;
            square += v * v;
        }
        s->sum[c] += sum / (double)n; /* every image has the same weight, whatever its size */
        s->square[c] += square / (double)n;
    }
    s->images += 1;
}

hirl_status hr_dataset_colours(double mean[3], double std[3], hirl_dataset *dataset, int64_t images)
{
    int64_t step = dataset->count > images ? dataset->count / images : 1;
    colour_sums sums = { 0 };
    hr_pixels pixels = { 0 };
    hirl_status status = HIRL_OK;

    for (int64_t i = 0; i < dataset->count && status >= 0; i += step) {
        status = hr_dataset_read(&pixels, dataset, i);
        if (status >= 0 && pixels.width > 0 && pixels.height > 0)
            add_image(&sums, &pixels);
        if (status < 0 && !hr_is_bad_image(status))
            break;
        status = hr_progress(dataset->context, "colours", i + 1, dataset->count);
    }
    hr_pixels_done(&pixels);
    HR_TRY(status);
    if (sums.images < 1)
        return hr_fail(
            HIRL_E_FORMAT,
            "mean=auto, std=auto: none of the images could be read; give mean and std as numbers");
    for (int c = 0; c < 3; c++) {
        mean[c] = sums.sum[c] / sums.images;
        std[c] = fmax(sqrt(fmax(sums.square[c] / sums.images - mean[c] * mean[c], 0)), LEAST_STD);
    }
    return HIRL_OK;
}
