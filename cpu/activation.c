/* activation.c - ReLU and GELU, elementwise. A NaN stays a NaN.
 *
 *   relu   y = max(x, 0)       dx = beta dx + (y > 0) dy
 *   gelu   y = x Phi(x)        dx = beta dx + (Phi(x) + x phi(x)) dy
 *
 * Phi is the distribution function of the standard normal distribution, phi its density.
 */
#include "cpu/clones.h"
#include "cpu/cpu.h"
#include "cpu/exp.h"
#include "cpu/part.h"

typedef struct activation_job {
    real *to;
    const real *x, *dy; /* x: y in the gradient of ReLU */
    int64_t n;
    real beta;
} activation_job;

static void relu_part(void *arg, int64_t i, int worker)
{
    const activation_job *job = arg;
    hr_range r = hr_range_of(job->n, HR_PART, i);

    (void)worker;
    for (int64_t k = r.from; k < r.to; k++)
        job->to[k] = 0 > job->x[k] ? 0 : job->x[k];
}

void hr_cpu_relu(hr_queue *q, const hr_array *y, const hr_array *x)
{
    activation_job job = { hr_cpu_out(q, y, false), hr_cpu_in(q, x), NULL, hr_count(y), 0 };

    hr_cpu_run(q, hr_parts(job.n, HR_PART), relu_part, &job);
    hr_cpu_end(q);
}

static void relu_grad_part(void *arg, int64_t i, int worker)
{
    const activation_job *job = arg;
    hr_range r = hr_range_of(job->n, HR_PART, i);

    (void)worker;
    if (job->beta == 0)
        for (int64_t k = r.from; k < r.to; k++)
            job->to[k] = job->x[k] > 0 ? job->dy[k] : 0;
    else
        for (int64_t k = r.from; k < r.to; k++)
            job->to[k] = job->beta * job->to[k] + (job->x[k] > 0 ? job->dy[k] : 0);
}

void hr_cpu_relu_grad(hr_queue *q, const hr_array *dx, const hr_array *dy, const hr_array *y,
                      double beta)
{
    activation_job job = { hr_cpu_out(q, dx, beta != 0), hr_cpu_in(q, y), hr_cpu_in(q, dy),
                           hr_count(dx), (real)beta };

    hr_cpu_run(q, hr_parts(job.n, HR_PART), relu_grad_part, &job);
    hr_cpu_end(q);
}

/* ---- GELU ----
 *
 * Phi(-|x|) = e^(-x^2/2) erfcx(z) / 2, z = |x| / sqrt 2, with erfcx(z) = e^(z^2) erfc(z). In float,
 * (z + 2) erfcx(z) is a minimax polynomial in t = (z - 2) / (z + 2), with a relative error of 2e-8.
 */

/* returns Phi(x); density: phi(x) */
static inline real normal(real *density, real x)
{
    real e = hr_cpu_exp((real)-0.5 * x * x), z = (x < 0 ? -x : x) * (real)0.707106781186547524,
         tail;

#ifdef HR_REAL_DOUBLE
    tail = 0.5 * erfc(z);
#else
    float s = 1 / (z + 2), t = 1 - 4 * s, q = -5.4112432e-05f;

    q = q * t - 0.000541272f;
    q = q * t - 0.0007246264f;
    q = q * t + 0.0030527967f;
    q = q * t + 0.0064365747f;
    q = q * t - 0.021505393f;
    q = q * t - 0.036436312f;
    q = q * t + 0.27947176f;
    q = q * t - 0.6871609f;
    q = q * t + 1.0215827f;
    tail = 0.5f * e * s * q;
#endif
    *density = e * (real)0.398942280401432678;
    return x < 0 ? tail : 1 - tail;
}

HR_CLONES static void gelu_row(real *restrict y, const real *restrict x, int64_t n)
{
    for (int64_t k = 0; k < n; k++) {
        real density;

        y[k] = x[k] * normal(&density, x[k]);
    }
}

static void gelu_part(void *arg, int64_t i, int worker)
{
    const activation_job *job = arg;
    hr_range r = hr_range_of(job->n, HR_PART, i);

    (void)worker;
    gelu_row(job->to + r.from, job->x + r.from, r.to - r.from);
}

void hr_cpu_gelu(hr_queue *q, const hr_array *y, const hr_array *x)
{
    activation_job job = { hr_cpu_out(q, y, false), hr_cpu_in(q, x), NULL, hr_count(y), 0 };

    hr_cpu_run(q, hr_parts(job.n, HR_PART), gelu_part, &job);
    hr_cpu_end(q);
}

HR_CLONES static void gelu_grad_row(real *restrict dx, const real *restrict dy,
                                    const real *restrict x, int64_t n, real beta)
{
    for (int64_t k = 0; k < n; k++) {
        real density, share = normal(&density, x[k]);
        real before = beta == 0 ? 0 : beta * dx[k];

        dx[k] = before + dy[k] * (share + x[k] * density);
    }
}

static void gelu_grad_part(void *arg, int64_t i, int worker)
{
    const activation_job *job = arg;
    hr_range r = hr_range_of(job->n, HR_PART, i);

    (void)worker;
    gelu_grad_row(job->to + r.from, job->dy + r.from, job->x + r.from, r.to - r.from, job->beta);
}

void hr_cpu_gelu_grad(hr_queue *q, const hr_array *dx, const hr_array *dy, const hr_array *x,
                      double beta)
{
    activation_job job = { hr_cpu_out(q, dx, beta != 0), hr_cpu_in(q, x), hr_cpu_in(q, dy),
                           hr_count(dx), (real)beta };

    hr_cpu_run(q, hr_parts(job.n, HR_PART), gelu_grad_part, &job);
    hr_cpu_end(q);
}
