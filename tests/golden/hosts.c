/* hosts.c - methods as an application would add them: SimCLR from the example program; SimSiam
 * (predictor, loss does not couple images) and MoCo v3 (predictor, teacher, coupled loss), which
 * the library has too. They compute in double.
 *
 * In the double build the library passes doubles, so the application's float is defined as `real`
 * here.
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

/* u_r = x_r / |x_r| for each row r; length[r] = |x_r| */
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

/* Adds the gradient with respect to x, given the gradient g with respect to u = x / |x|. */
static void add_through_unit(real *grad, const double *g, const double *u, double length, int64_t d)
{
    double along = dot(g, u, d);

    for (int64_t k = 0; k < d; k++)
        grad[k] += (real)((g[k] - along * u[k]) / length);
}

/* normalised outputs and targets of a batch */
typedef struct rows {
    double *u, *c;  /* [2n,d] student, target */
    double *length; /* [2n] of the student's rows before normalisation */
    double *g;      /* [d] gradient of one row */
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

/* - mean over both directions and all images of cos(p_i, z_j), no gradient through z */
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

/* 2 T mean_n -log softmax_m(q_n . k_m / T)_n, summed over both views; keys are the teacher's of the
 * other view */
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
