/* kernels.c - rates of the convolution kernels on the layers of two networks.
 *
 *     kernels [threads] [repeats]
 *
 * For each layer, the best of the repeats: GF/s of y, dx and dw in elapsed time, and GF/s per core
 * in processor time, which is the better figure on a machine with other work.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/rng.h"
#include "bench.h"
#include "context.h"

typedef struct layer {
    const char *name;
    int64_t n, side, in, out;
    hr_geometry geo;
    int times; /* how often the network has this layer */
} layer;

static const layer layers[] = {
    { "224 stem", 32, 224, 3, 64, { 7, 2, 3 }, 1 },
    { "224 layer1", 32, 56, 64, 64, { 3, 1, 1 }, 4 },
    { "224 layer2.0", 32, 56, 64, 128, { 3, 2, 1 }, 1 },
    { "224 layer2 1x1", 32, 56, 64, 128, { 1, 2, 0 }, 1 },
    { "224 layer2", 32, 28, 128, 128, { 3, 1, 1 }, 3 },
    { "224 layer3.0", 32, 28, 128, 256, { 3, 2, 1 }, 1 },
    { "224 layer3", 32, 14, 256, 256, { 3, 1, 1 }, 3 },
    { "224 layer4.0", 32, 14, 256, 512, { 3, 2, 1 }, 1 },
    { "224 layer4", 32, 7, 512, 512, { 3, 1, 1 }, 3 },
    { "50 1x1 wide", 16, 56, 64, 256, { 1, 1, 0 }, 1 },
    { "50 1x1 deep", 16, 14, 1024, 256, { 1, 1, 0 }, 1 },
    { "32 stem", 128, 32, 3, 16, { 3, 1, 1 }, 1 },
    { "32 layer1", 128, 32, 16, 16, { 3, 1, 1 }, 4 },
    { "32 layer2.0", 128, 32, 16, 32, { 3, 2, 1 }, 1 },
    { "32 layer2", 128, 16, 32, 32, { 3, 1, 1 }, 3 },
    { "32 layer3.0", 128, 16, 32, 64, { 3, 2, 1 }, 1 },
    { "32 layer3", 128, 8, 64, 64, { 3, 1, 1 }, 3 },
    { "32 layer4.0", 128, 8, 64, 128, { 3, 2, 1 }, 1 },
    { "32 layer4", 128, 4, 128, 128, { 3, 1, 1 }, 3 },
};

static hr_array random_array(int64_t n, int64_t h, int64_t w, int64_t c)
{
    hr_array a = hr_array_4(NULL, HR_REAL, n, h, w, c);
    hr_rng rng;

    a.data = hr_alloc(hr_bytes(&a));
    if (!a.data)
        exit(1);
    hr_rng_init(&rng, 1, HR_RNG_TEST, 0, 0, 0);
    for (int64_t i = 0; i < hr_count(&a); i++)
        ((real *)a.data)[i] = (real)hr_rng_range(&rng, -1, 1);
    return a;
}

typedef struct operands {
    hr_map x;
    hr_array w, y, dx, dw;
} operands;

static void compute(hr_queue *q, int kind, const operands *o, hr_geometry geo)
{
    if (kind == 0)
        q->be->conv(q, &o->y, NULL, &o->x, &o->w, geo);
    else if (kind == 1)
        q->be->conv_dx(q, &o->dx, &o->y, &o->w, geo, 0);
    else
        q->be->conv_dw(q, &o->dw, &o->x, &o->y, geo, 0);
}

static void measure(hr_queue *q, const layer *l, int repeats, int pending)
{
    int64_t side = hr_window_count(l->side, l->geo), k = l->geo.kernel;
    double work = 2e-9 * (double)(l->n * side * side * l->out * k * k * l->in);
    operands o = { .x = { .raw = random_array(l->n, l->side, l->side, l->in), .relu = pending },
                   .w = random_array(l->out, k, k, l->in),
                   .y = random_array(l->n, side, side, l->out),
                   .dx = random_array(l->n, l->side, l->side, l->in),
                   .dw = random_array(l->out, k, k, l->in) };

    if (pending) {
        o.x.scale = random_array(1, 1, 1, l->in);
        o.x.shift = random_array(1, 1, 1, l->in);
    }
    printf("%-16s %6.2f GF", l->name, work);
    for (int kind = 0; kind < 3; kind++) {
        double best = 1e30, best_cpu = 1e30;

        for (int r = 0; r < repeats; r++) {
            double t = now(), c = seconds_of(CLOCK_PROCESS_CPUTIME_ID);

            compute(q, kind, &o, l->geo);
            t = now() - t;
            c = seconds_of(CLOCK_PROCESS_CPUTIME_ID) - c;
            best = t < best ? t : best;
            best_cpu = c < best_cpu ? c : best_cpu;
        }
        printf("  %s %6.1f (%5.1f per core)",
               kind == 0   ? "y"
               : kind == 1 ? "dx"
                           : "dw",
               work / best, work / best_cpu);
    }
    printf("\n");
    hr_free(o.x.raw.data);
    hr_free(o.x.scale.data);
    hr_free(o.x.shift.data);
    hr_free(o.w.data);
    hr_free(o.y.data);
    hr_free(o.dx.data);
    hr_free(o.dw.data);
}

int main(int argc, char **argv)
{
    int threads = argc > 1 ? atoi(argv[1]) : 0, repeats = argc > 2 ? atoi(argv[2]) : 5;
    hirl_context *context;
    hr_queue *q;
    hr_call call;

    if (hr_context_create(&context, "cpu", threads) < 0 || hr_context_enter(&call, context) < 0 ||
        hr_context_take_queue(&q, context) < 0)
        return 1;
    for (size_t i = 0; i < sizeof layers / sizeof *layers; i++)
        measure(q, &layers[i], repeats, 1);
    hr_context_give_queue(q);
    (void)hr_context_leave(&call, HIRL_OK);
    hr_context_drop(context);
    return 0;
}
