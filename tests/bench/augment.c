/* augment.c - views a second of one core, for augment.py.
 *
 *     augment WIDTH HEIGHT SIZE      draws and applies MoCo v2 views of a photo-like picture
 *
 * Each line `run N` on the input makes N views and answers with one line {"seconds": x}.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/alloc.h"
#include "base/error.h"
#include "context.h"
#include "data/augment.h"
#include "pictures.h"

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static double run(hr_queue *queue, const hr_view *view, const hr_array *pixels, const hr_array *y,
                  int64_t n)
{
    static int64_t image;
    double start = now();

    for (int64_t i = 0; i < n; i++) {
        hr_augment_record record;

        hr_augment_draw(&record, view, pixels->dim[1], pixels->dim[0], 1, 0, image++, 0);
        queue->be->augment(queue, y, pixels, &record);
    }
    return now() - start;
}

int main(int argc, char **argv)
{
    const float mean[3] = { 0.485f, 0.456f, 0.406f }, std[3] = { 0.229f, 0.224f, 0.225f };
    int64_t width = argc > 3 ? atoi(argv[1]) : 32, height = argc > 3 ? atoi(argv[2]) : 32;
    int32_t size = argc > 3 ? atoi(argv[3]) : 32;
    hr_array pixels = { hr_picture("photo", width, height), HR_U8, 3, { height, width, 3, 1 } };
    hr_array y = hr_array_4(hr_alloc_array(3 * (size_t)(size * size), sizeof(real)), HR_REAL, 1,
                            size, size, 3);
    hirl_context *context;
    hr_queue *queue;
    hr_view view;
    long long n;

    hr_view_mocov2(&view, size, mean, std);
    if (hr_context_create(&context, "cpu", 1) < 0 ||
        hr_context_take_cpu_queue(&queue, context) < 0) {
        fprintf(stderr, "augment: %s\n", hr_error_text());
        return 1;
    }
    while (scanf("run %lld\n", &n) == 1) {
        printf("{\"seconds\": %.9g}\n", run(queue, &view, &pixels, &y, n));
        fflush(stdout);
    }
    hr_context_give_queue(queue);
    hr_context_drop(context);
    hr_free(pixels.data);
    hr_free(y.data);
    return 0;
}
