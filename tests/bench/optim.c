/* optim.c - rates of the passes of the optimiser over a ViT, compared with the memory bandwidth.
 *
 *     optim [threads] [width] [repeats]          width 384: ViT-S, 768: ViT-B
 *
 * Prints the GB/s of each pass, counting only the bytes that it must move for each parameter: AdamW
 * 28 (reads and writes p, m and v, reads the gradient), moving average 12, clipping of each tensor
 * 12. `memory` is the loop y <- y / 2 + x of this file, 12 bytes. Each rate is the best of the
 * repeats, which alternate between the passes.
 */
#include "step/optim.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "bench.h"
#include "context.h"

enum { BLOCKS = 12, DECAYED = 0, PLAIN = 1, SLICE = 1 << 16 };

static void add(hr_layout *layout, const char *name, int32_t rank, int64_t rows, int64_t cols)
{
    int64_t dim[] = { rows, cols };

    if (hr_layout_add(layout, name, HR_FIRST_UNIFORM, 100, rank, dim) < 0)
        exit(1);
}

static void add_layer(hr_layout *layout, int64_t out, int64_t in)
{
    add(layout, "weight", 2, out, in);
    add(layout, "bias", 1, out, 1);
}

static void vit(hr_layout *layout, int64_t d)
{
    add(layout, "cls_token", 2, 1, d);
    add_layer(layout, d, 768);
    for (int i = 0; i < BLOCKS; i++) {
        add_layer(layout, d, 1); /* norm */
        add_layer(layout, 3 * d, d);
        add_layer(layout, d, d);
        add_layer(layout, d, 1);
        add_layer(layout, 4 * d, d);
        add_layer(layout, d, 4 * d);
    }
}

typedef struct stream {
    float *y;
    const float *x;
    int64_t n;
} stream;

static void add_slice(void *arg, int64_t i, int worker)
{
    stream *s = arg;
    int64_t end = (i + 1) * SLICE < s->n ? (i + 1) * SLICE : s->n;

    (void)worker;
    for (int64_t k = i * SLICE; k < end; k++)
        s->y[k] = 0.5f * s->y[k] + s->x[k];
}

typedef struct bench {
    hirl_context *context;
    hr_call call;
    hr_queue *q;
    hr_layout layout, norms;
    hr_weights online, teacher;
    hr_optim *optim;
} bench;

static void compute(bench *b, int pass)
{
    stream s = { b->teacher.value.data, b->online.value.data, b->layout.total };
    uint32_t both = 1u << DECAYED | 1u << PLAIN;

    if (pass == 0)
        hr_pool_run(hr_context_pool(b->context), (s.n + SLICE - 1) / SLICE, add_slice, &s);
    else if (pass == 1)
        hr_optim_step(b->optim, &b->online, both);
    else if (pass == 2)
        b->q->be->ema(b->q, &b->teacher.value, &b->online.value);
    else
        hr_optim_clip(b->optim, &b->online, both);
}

static void measure(bench *b, int repeats)
{
    static const char *const name[] = { "memory", "adamw", "average", "clip" };
    static const int bytes[] = { 12, 28, 12, 12 };
    double best[] = { 1e30, 1e30, 1e30, 1e30 };
    hr_scalars s = { .rate = { 1e-3, 1e-3 }, .decay = { 0.04 }, .ema = 0.996 };

    for (int r = 0; r < repeats; r++)
        for (int pass = 0; pass < 4; pass++) {
            double t;

            hr_optim_scalars(&s, b->optim, 3);
            b->q->be->scalars(b->q, &s);
            b->q->be->fill(b->q, &b->online.grad, 0.01);
            t = now();
            compute(b, pass);
            t = now() - t;
            best[pass] = t < best[pass] ? t : best[pass];
        }
    printf("%.1f M numbers\n", 1e-6 * (double)b->layout.total);
    for (int pass = 0; pass < 4; pass++) {
        double rate = 1e-9 * bytes[pass] * (double)b->layout.total / best[pass];

        printf("%-8s %8.2f ms %6.1f GB/s  %3.0f %% of memory\n", name[pass], 1e3 * best[pass], rate,
               100 * rate / (12e-9 * (double)b->layout.total / best[0]));
    }
}

static int open(bench *b, int threads, int64_t width)
{
    hr_optim_config config = { .kind = HR_OPTIM_ADAMW,
                               .clip = HR_CLIP_TENSOR,
                               .clip_limit = 0.3,
                               .beta1 = 0.9,
                               .beta2 = 0.999,
                               .eps = 1e-8 };
    int8_t group[256];

    vit(&b->layout, width);
    for (int s = 0; s < b->layout.count; s++)
        group[s] = hr_optim_plain(&b->layout.slot[s]) ? PLAIN : DECAYED;
    if (hr_context_create(&b->context, "cpu", threads) < 0 ||
        hr_context_enter(&b->call, b->context) < 0 || hr_context_take_queue(&b->q, b->context) < 0)
        return -1;
    if (hr_weights_create(&b->online, b->q, &b->layout, b->layout.count, &b->norms, 0, true,
                          false) < 0 ||
        hr_weights_create(&b->teacher, b->q, &b->layout, b->layout.count, &b->norms, 0, false,
                          false) < 0 ||
        hr_weights_draw(&b->online, 1) < 0)
        return -1;
    return hr_optim_create(&b->optim, b->q, &b->layout, group, &config);
}

int main(int argc, char **argv)
{
    int threads = argc > 1 ? atoi(argv[1]) : 0, repeats = argc > 3 ? atoi(argv[3]) : 10;
    bench b;

    memset(&b, 0, sizeof b);
    if (open(&b, threads, argc > 2 ? atoi(argv[2]) : 384) < 0)
        return 1;
    measure(&b, repeats);
    hr_optim_destroy(b.optim);
    hr_weights_done(&b.online);
    hr_weights_done(&b.teacher);
    hr_layout_done(&b.layout);
    hr_context_give_queue(b.q);
    (void)hr_context_leave(&b.call, HIRL_OK);
    hr_context_drop(b.context);
    return 0;
}
