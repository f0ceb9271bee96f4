/* hosts.c - methods as a host program would add them: SimCLR as its example has it; SimSiam (a predictor, no
 * coupling) and MoCo v3 (a predictor, a teacher, coupled), which the library has too. Rows in double.
 *
 * In the double build the library hands out doubles, so the host's float is `real` here.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <check.h>

#include "types.h"

int simclr_main(void);

#define float real
#define main simclr_main
#include "examples/simclr.c"
#undef main
#undef float

#include "golden/hosts.h"

/* unit rows; |x_r| in length */
static void make_unit(double *u, double *length, const real *x, int64_t rows, int64_t d)
{
    for (int64_t r = 0; r < rows; r++) {
        double square = 0;

        for (int64_t k = 0; k < d; k++)
            square += (double)x[r * d + k] * (double)x[r * d + k];
        length[r] = sqrt(square);
        for (int64_t k = 0; k < d; k++)
            u[r * d + k] = (double)x[r * d + k] / length[r];
    }
}

/* of x, from the gradient g by u = x / |x| */
static void add_through_unit(real *grad, const double *g, const double *u, double length, int64_t d)
{
    double along = dot(g, u, d);

    for (int64_t k = 0; k < d; k++)
        grad[k] += (real)((g[k] - along * u[k]) / length);
}

/* the numbers of rows of a batch's outputs and targets */
typedef struct rows {
    double *u, *c, *length, *g; /* [2n,d] students, targets; [2n]; [d] */
} rows;

static rows rows_of(const hirl_method_step *step, const real *target)
{
    int64_t count = 2 * step->n * step->d;
    double *block = calloc((size_t)(2 * count + 2 * step->n + step->d), sizeof *block);
    rows r = { block, block + count, block + 2 * count, block + 2 * count + 2 * step->n };

    ck_assert_int_eq(step->views, 2);
    make_unit(r.c, r.length, target, 2 * step->n, step->d);
    make_unit(r.u, r.length, step->student, 2 * step->n, step->d);
    return r;
}

/* - mean over both directions and images of cos(p_i, z_j), z held */
static int32_t simsiam(double *loss, real *grad, const hirl_method_step *step, void *user)
{
    int64_t n = step->n, d = step->d;
    rows r = rows_of(step, step->z0);

    (void)user;
    ck_assert_int_eq(step->d, step->z_dim);
    for (int64_t i = 0; i < 2 * n; i++) {
        const double *target = r.c + (i + n) % (2 * n) * d;

        *loss -= dot(r.u + i * d, target, d) / (double)(2 * n);
        for (int64_t k = 0; k < d; k++)
            r.g[k] = -target[k] / (double)(2 * n);
        if (grad)
            add_through_unit(grad + i * d, r.g, r.u + i * d, r.length[i], d);
    }
    free(r.u);
    return 0;
}

/* 2 T mean_n -log softmax_m(q_n . k_m / T)_n, of each view with the teacher's other one */
static int32_t mocov3(double *loss, real *grad, const hirl_method_step *step, void *user)
{
    int64_t n = step->n, d = step->d;
    double t = step->temperature;
    rows r = rows_of(step, step->teacher);

    (void)user;
    ck_assert_int_eq(step->d, step->teacher_dim);
    for (int64_t i = 0; i < 2 * n; i++) {
        const double *q = r.u + i * d, *theirs = r.c + (i < n ? n : 0) * d;
        double sum = 0;

        for (int64_t m = 0; m < n; m++)
            sum += exp(dot(q, theirs + m * d, d) / t);
        *loss += 2 * t * (log(sum) - dot(q, theirs + i % n * d, d) / t) / (double)n;
        memset(r.g, 0, (size_t)d * sizeof *r.g);
        for (int64_t m = 0; m < n; m++) {
            double share = exp(dot(q, theirs + m * d, d) / t) / sum - (m == i % n);

            for (int64_t k = 0; k < d; k++)
                r.g[k] += 2 * share * theirs[m * d + k] / (double)n;
        }
        if (grad)
            add_through_unit(grad + i * d, r.g, q, r.length[i], d);
    }
    free(r.u);
    return 0;
}

hirl_method_calls host_calls(const char *method)
{
    hirl_method_calls calls = { .struct_size = sizeof calls, .loss = simclr, .coupled = 1 };

    if (!strcmp(method, "simsiam")) {
        calls.loss = simsiam;
        calls.coupled = 0;
    } else if (!strcmp(method, "mocov3")) {
        calls.loss = mocov3;
    } else {
        ck_assert_str_eq(method, "simclr");
    }
    calls.name = method;
    return calls;
}
