/* conv.c - convolution of a pending map, its gradients.
 *
 *   y[n,p,o]  = sum_{a,i} x[n, stride p + a - pad, i] w[o,a,i]
 *   dx[n,h,i] = beta dx + sum_{a,o} dy[n, (h + pad - a) / stride, o] w[o,a,i]
 *   dw[o,a,i] = beta dw + sum_{n,p} dy[n,p,o] x[n, stride p + a - pad, i]
 */
#include <string.h>

#include "cpu/cpu.h"
#include "cpu/map.h"
#include "cpu/part.h"

typedef struct conv_job {
    hr_queue *q;
    hr_geometry geo;
    int64_t images, h, w, in, oh, ow, out;
    real *to;
    const real *value, *dy, *weight;
    real beta;
} conv_job;

static conv_job conv_of(hr_queue *q, const hr_array *x, const hr_array *y, hr_geometry geo)
{
    return (conv_job){ .q = q,
                       .geo = geo,
                       .images = x->dim[0],
                       .h = x->dim[1],
                       .w = x->dim[2],
                       .in = x->dim[3],
                       .oh = y->dim[1],
                       .ow = y->dim[2],
                       .out = y->dim[3] };
}

static const real *value_of(hr_queue *q, const hr_map *x)
{
    real *value = hr_cpu_work(q, (size_t)hr_count(&x->raw) * sizeof *value);
    hr_cpu_map map = hr_cpu_map_in(q, x);

    if (hr_cpu_ok(q))
        hr_cpu_map_rows(value, &map, 0, map.rows);
    return value;
}

static void conv_row(void *arg, int64_t i, int worker)
{
    const conv_job *j = arg;
    int64_t n = i / j->oh, oh = i % j->oh, k = j->geo.kernel;

    (void)worker;
    for (int64_t ow = 0; ow < j->ow; ow++)
        for (int64_t o = 0; o < j->out; o++) {
            real sum = 0;

            for (int64_t a = 0; a < k * k; a++) {
                int64_t h = oh * j->geo.stride + a / k - j->geo.pad;
                int64_t w = ow * j->geo.stride + a % k - j->geo.pad;
                const real *x = j->value + ((n * j->h + h) * j->w + w) * j->in;
                const real *weight = j->weight + (o * k * k + a) * j->in;

                if (h < 0 || h >= j->h || w < 0 || w >= j->w)
                    continue;
                for (int64_t c = 0; c < j->in; c++)
                    sum += x[c] * weight[c];
            }
            j->to[(i * j->ow + ow) * j->out + o] = sum;
        }
}

void hr_cpu_conv(hr_queue *q, const hr_array *y, const hr_array *sums, const hr_map *x,
                 const hr_array *w, hr_geometry geo)
{
    conv_job job = conv_of(q, &x->raw, y, geo);

    job.value = value_of(q, x);
    job.weight = hr_cpu_in(q, w);
    job.to = hr_cpu_out(q, y, false);
    hr_cpu_run(q, job.images * job.oh, conv_row, &job);
    hr_cpu_end(q);
    if (sums)
        hr_cpu_norm_stats(q, sums, y);
}

static void dx_image(void *arg, int64_t n, int worker)
{
    const conv_job *j = arg;
    int64_t k = j->geo.kernel, size = j->h * j->w * j->in;
    real *dx = j->to + n * size;

    (void)worker;
    for (int64_t c = 0; c < size; c++)
        dx[c] = j->beta == 0 ? 0 : j->beta * dx[c];
    for (int64_t p = 0; p < j->oh * j->ow; p++)
        for (int64_t a = 0; a < k * k; a++) {
            int64_t h = p / j->ow * j->geo.stride + a / k - j->geo.pad;
            int64_t w = p % j->ow * j->geo.stride + a % k - j->geo.pad;
            const real *dy = j->dy + (n * j->oh * j->ow + p) * j->out;

            if (h < 0 || h >= j->h || w < 0 || w >= j->w)
                continue;
            for (int64_t o = 0; o < j->out; o++)
                for (int64_t c = 0; c < j->in; c++)
                    dx[(h * j->w + w) * j->in + c] +=
                        dy[o] * j->weight[(o * k * k + a) * j->in + c];
        }
}

void hr_cpu_conv_dx(hr_queue *q, const hr_array *dx, const hr_array *dy, const hr_array *w,
                    hr_geometry geo, double beta)
{
    conv_job job = conv_of(q, dx, dy, geo);

    job.dy = hr_cpu_in(q, dy);
    job.weight = hr_cpu_in(q, w);
    job.to = hr_cpu_out(q, dx, beta != 0);
    job.beta = (real)beta;
    hr_cpu_run(q, job.images, dx_image, &job);
    hr_cpu_end(q);
}

static void dw_place(void *arg, int64_t i, int worker)
{
    const conv_job *j = arg;
    int64_t k = j->geo.kernel, o = i / (k * k), a = i % (k * k);
    real *dw = j->to + i * j->in;

    (void)worker;
    for (int64_t c = 0; c < j->in; c++)
        dw[c] = j->beta == 0 ? 0 : j->beta * dw[c];
    for (int64_t p = 0; p < j->images * j->oh * j->ow; p++) {
        int64_t n = p / (j->oh * j->ow);
        int64_t h = p / j->ow % j->oh * j->geo.stride + a / k - j->geo.pad;
        int64_t w = p % j->ow * j->geo.stride + a % k - j->geo.pad;

        if (h < 0 || h >= j->h || w < 0 || w >= j->w)
            continue;
        for (int64_t c = 0; c < j->in; c++)
            dw[c] += j->dy[p * j->out + o] * j->value[((n * j->h + h) * j->w + w) * j->in + c];
    }
}

void hr_cpu_conv_dw(hr_queue *q, const hr_array *dw, const hr_map *x, const hr_array *dy,
                    hr_geometry geo, double beta)
{
    conv_job job = conv_of(q, &x->raw, dy, geo);

    job.value = value_of(q, x);
    job.dy = hr_cpu_in(q, dy);
    job.to = hr_cpu_out(q, dw, beta != 0);
    job.beta = (real)beta;
    hr_cpu_run(q, job.out * geo.kernel * geo.kernel, dw_place, &job);
    hr_cpu_end(q);
}
