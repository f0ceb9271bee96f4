/* augment.c - times MoCo v2 views, JPEG decoding and generated images on one core, for augment.py.
 *
 *     augment WIDTH HEIGHT SIZE
 *
 * Reads commands from standard input. `view N` draws and applies N views of a photo-like picture,
 * `decode N` decodes it N times from JPEG (quality 90, 4:2:0), `generate N` draws N images of
 * data=generated. Prints one line {"seconds": x} for each command.
 */
#include <stdio.h>
#include <stdlib.h>

#include <turbojpeg.h>

#include "base/alloc.h"
#include "base/error.h"
#include "bench.h"
#include "context.h"
#include "data/augment.h"
#include "data/generated.h"
#include "pictures.h"

/* processor time of this thread, which other work on the machine hardly changes */
static double thread_seconds(void)
{
    return seconds_of(CLOCK_THREAD_CPUTIME_ID);
}

static double views(hr_queue *queue, const hr_view *view, const hr_array *pixels, const hr_array *y,
                    int64_t n)
{
    static int64_t image;
    double start = thread_seconds();

    for (int64_t i = 0; i < n; i++) {
        hr_augment_record record;

        hr_augment_draw(&record, view, pixels->dim[1], pixels->dim[0], 1, 0, image++, 0);
        queue->be->augment(queue, y, pixels, &record);
    }
    return thread_seconds() - start;
}

static double decodes(const hr_array *pixels, int64_t n)
{
    int width = (int)pixels->dim[1], height = (int)pixels->dim[0];
    unsigned char *jpeg = NULL, *out = hr_alloc((size_t)hr_count(pixels));
    unsigned long bytes = 0;
    tjhandle coder = tjInitCompress(), decoder = tjInitDecompress();
    double start;

    tjCompress2(coder, pixels->data, width, 0, height, TJPF_RGB, &jpeg, &bytes, TJSAMP_420, 90, 0);
    start = thread_seconds();
    for (int64_t i = 0; i < n; i++)
        tjDecompress2(decoder, jpeg, bytes, out, width, 0, height, TJPF_RGB, 0);
    start = thread_seconds() - start;
    tjFree(jpeg);
    tjDestroy(coder);
    tjDestroy(decoder);
    hr_free(out);
    return start;
}

static double generated(int32_t size, int64_t n)
{
    uint8_t *pixels = hr_alloc(3 * (size_t)(size * size));
    double start = thread_seconds();

    for (int64_t i = 0; pixels && i < n; i++)
        hr_generated_draw(pixels, size, 0, (uint32_t)i);
    start = thread_seconds() - start;
    hr_free(pixels);
    return start;
}

static void serve(hr_queue *queue, const hr_view *view, const hr_array *pixels, const hr_array *y)
{
    char what[16];
    long long n;

    while (scanf("%15s %lld", what, &n) == 2) {
        double seconds = what[0] == 'v'   ? views(queue, view, pixels, y, n)
                         : what[0] == 'd' ? decodes(pixels, n)
                                          : generated((int32_t)y->dim[1], n);

        printf("{\"seconds\": %.9g}\n", seconds);
        fflush(stdout);
    }
}

int main(int argc, char **argv)
{
    const float mean[3] = { 0.485f, 0.456f, 0.406f }, std[3] = { 0.229f, 0.224f, 0.225f };
    int64_t width = argc > 3 ? atoi(argv[1]) : 32, height = argc > 3 ? atoi(argv[2]) : 32;
    int32_t size = argc > 3 ? atoi(argv[3]) : 32;
    hr_array pixels = { hr_picture("photo", width, height), HR_U8, 3, { height, width, 3, 1 } };
    void *result = hr_alloc_array(3 * (size_t)(size * size), sizeof(real));
    hr_array y = hr_array_4(result, HR_REAL, 1, size, size, 3);
    hirl_context *context;
    hr_queue *queue;
    hr_view view;

    hr_view_recipe(&view, HR_RECIPE_MOCOV2, size, mean, std);
    if (hr_context_create(&context, "cpu", 1) < 0 ||
        hr_context_take_cpu_queue(&queue, context) < 0) {
        fprintf(stderr, "augment: %s\n", hr_error_text());
        return 1;
    }
    serve(queue, &view, &pixels, &y);
    hr_context_give_queue(queue);
    hr_context_drop(context);
    hr_free(pixels.data);
    hr_free(result);
    return 0;
}
