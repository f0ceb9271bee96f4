/* augment.c - makes one view of an image: applies an augmentation record to decoded pixels.
 *
 *     crop, resize - brightness, contrast, saturation, hue in the drawn order - gray - blur
 *     - solarize - mirror - (v / 255 - mean) / std
 *
 * The mirror commutes with every colour operation (they are pointwise, or symmetric in x), so it is
 * always applied last, while the result is written, whatever its place in the record.
 *
 * images: n of u8 [H,W,3], y [n,S,S,3]. Each image is one task of the queue's threads. A loader
 * passes one image at a time, on threads that each have a queue.
 */
#include <math.h>
#include <string.h>

#include "base/half.h"
#include "cpu/clones.h"
#include "cpu/cpu.h"
#include "cpu/image.h"

/* size: the side of y */
static bool check(hr_queue *q, int64_t size, const hr_array *pixels, const hr_augment_record *r)
{
    int64_t height = pixels->dim[0], width = pixels->dim[1];
    bool box = r->left >= 0 && r->top >= 0 && r->width > 0 && r->height > 0 &&
               r->left + (int64_t)r->width <= width && r->top + (int64_t)r->height <= height;

    if (!hr_cpu_ok(q))
        return false;
    if (!box || r->size < 1 || (r->resize && r->resize < r->size) || r->size != size)
        hr_cpu_fail(q, HIRL_E_INTERNAL,
                    "augment: box %d x %d at column %d, row %d of a %lld x %lld image, resize %d, "
                    "size %d, output of side %lld: these do not fit together",
                    r->width, r->height, r->left, r->top, (long long)width, (long long)height,
                    r->resize, r->size, (long long)size);
    return hr_cpu_ok(q);
}

/* For evaluation (r->resize > 0) the shorter side becomes r->resize, and the middle r->size pixels
 * of each side are kept. */
static void make_axes(hr_resize_axis *x, hr_resize_axis *y, const hr_augment_record *r)
{
    int32_t size = r->size;

    *x = (hr_resize_axis){ r->left, r->width, size, 0, size };
    *y = (hr_resize_axis){ r->top, r->height, size, 0, size };
    if (!r->resize)
        return;
    x->size = y->size = r->resize;
    if (r->width > r->height)
        x->size = (int32_t)((int64_t)r->resize * r->width / r->height);
    else
        y->size = (int32_t)((int64_t)r->resize * r->height / r->width);
    x->from = (int32_t)rint((x->size - size) / 2.0);
    y->from = (int32_t)rint((y->size - size) / 2.0);
}

static void jitter(hr_image *image, const hr_augment_record *r)
{
    static void (*const apply[])(hr_image *, float) = { hr_image_brightness, hr_image_contrast,
                                                        hr_image_saturation, hr_image_hue };

    for (int i = 0; i < 4; i++)
        if (r->order[i] >= 0)
            apply[r->order[i]](image, r->factor[r->order[i]]);
}

static real value_of(int v, const hr_augment_record *r, int c)
{
    return ((real)v / 255 - (real)r->mean[c]) / (real)r->std[c];
}

static void write_wide(real *y, const hr_image *image, const hr_augment_record *r)
{
    int64_t n = image->width;
    real value[3][256];

    for (int c = 0; c < 3; c++)
        for (int v = 0; v < 256; v++)
            value[c][v] = value_of(v, r, c);
    for (int64_t row = 0; row < image->height; row++)
        for (int64_t i = 0; i < n; i++) {
            int64_t from = row * n + (r->flip ? n - 1 - i : i);

            for (int c = 0; c < 3; c++)
                *y++ = value[c][image->plane[c][from]];
        }
}

static void write_narrow(uint16_t *y, const hr_image *image, const hr_augment_record *r)
{
    int64_t n = image->width;
    uint16_t value[3][256];

    for (int c = 0; c < 3; c++)
        for (int v = 0; v < 256; v++)
            value[c][v] = hr_bf16_narrow((float)value_of(v, r, c));
    for (int64_t row = 0; row < image->height; row++)
        for (int64_t i = 0; i < n; i++) {
            int64_t from = row * n + (r->flip ? n - 1 - i : i);

            for (int c = 0; c < 3; c++)
                *y++ = value[c][image->plane[c][from]];
        }
}

static size_t work_bytes(const hr_array *pixels, const hr_augment_record *r)
{
    size_t resize = hr_image_resize_bytes(pixels->dim[1], pixels->dim[0], r->size, r->filter);
    size_t blur = hr_image_blur_bytes(r->size, r->size, r->sigma);

    return resize > blur ? resize : blur;
}

typedef struct augment_job {
    hr_queue *q;
    const hr_array *y, *images;
    const hr_augment_record *records;
} augment_job;

static void augment_one(void *arg, int64_t i, int worker)
{
    const augment_job *job = arg;
    const hr_augment_record *r = &job->records[i];
    const hr_array *pixels = &job->images[i];
    size_t plane = ((size_t)r->size * (size_t)r->size + 63) / 64 * 64;
    hr_array y = hr_slice(job->y, i, 1);
    hr_image image = { 0 };
    hr_resize_axis across, down;
    uint8_t *work = hr_cpu_scratch(job->q, worker, 3 * plane + work_bytes(pixels, r));

    if (!work)
        return;
    for (int c = 0; c < 3; c++, work += plane)
        image.plane[c] = work;

    make_axes(&across, &down, r);
    hr_image_resize(&image, pixels->data, pixels->dim[1], pixels->dim[0], &across, &down, r->filter,
                    work);
    if (r->jitter)
        jitter(&image, r);
    if (r->gray)
        hr_image_gray(&image);
    if (r->sigma > 0)
        hr_image_blur(&image, r->sigma, work);
    if (r->solarize)
        hr_image_solarize(&image);

    if (y.dtype == HR_BF16)
        write_narrow(y.data, &image, r);
    else
        write_wide(y.data, &image, r);
}

void hr_cpu_augment(hr_queue *q, const hr_array *y, const hr_array *images,
                    const hr_augment_record *records)
{
    augment_job job = { q, y, images, records };

    for (int64_t i = 0; i < y->dim[0]; i++)
        if (!check(q, y->dim[1], &images[i], &records[i]))
            return;
    hr_cpu_run(q, y->dim[0], augment_one, &job);
}
