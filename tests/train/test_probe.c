/* test_probe.c - one step of a linear classifier equals a computation by hand; micro-batches equal
 * the whole batch; the frozen encoder does not change. */
#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "small_probe.h"
#include "support/close.h"
#include "support/run.h"

static const double RATE = 0.1, MOMENTUM = 0.9;

static const real *values(const hr_tensors *state, const char *name)
{
    const hr_named *found = hr_tensors_find(state, name);

    ck_assert_msg(found != NULL, "no tensor %s", name);
    return found->data;
}

/* ---- softmax regression in double, from its definition ---- */

typedef struct regression {
    int64_t d;
    double *w, b[PROBE_CLASSES]; /* w [C,d] */
    double *momentum_w, momentum_b[PROBE_CLASSES];
    double loss;
    int right;
} regression;

static void regression_open(regression *r, const hr_tensors *state, int64_t d)
{
    const real *w = values(state, "online.fc.weight"), *b = values(state, "online.fc.bias");

    *r = (regression){ .d = d };
    r->w = calloc((size_t)(PROBE_CLASSES * d), sizeof *r->w);
    r->momentum_w = calloc((size_t)(PROBE_CLASSES * d), sizeof *r->momentum_w);
    for (int64_t i = 0; i < PROBE_CLASSES * d; i++)
        r->w[i] = (double)w[i];
    for (int c = 0; c < PROBE_CLASSES; c++)
        r->b[c] = (double)b[c];
}

static void regression_close(regression *r)
{
    free(r->w);
    free(r->momentum_w);
}

/* p <- softmax(W f + b); returns the class of the largest score */
static int classify(double *p, const regression *r, const float *f)
{
    double sum = 0;
    int best = 0;

    for (int c = 0; c < PROBE_CLASSES; c++) {
        p[c] = r->b[c];
        for (int64_t j = 0; j < r->d; j++)
            p[c] += r->w[c * r->d + j] * (double)f[j];
        best = p[c] > p[best] ? c : best;
    }
    for (int c = 0; c < PROBE_CLASSES; c++)
        sum += exp(p[c]);
    for (int c = 0; c < PROBE_CLASSES; c++)
        p[c] = exp(p[c]) / sum;
    return best;
}

/* v <- momentum v + gradient + decay w; w <- w - rate v */
static void descend(double *w, double *v, double gradient, double decay)
{
    *v = MOMENTUM * *v + gradient + decay * *w;
    *w -= RATE * *v;
}

/* One step on features [n,d]: the gradient of row c is mean_n (p[n,c] - [label n = c]) f[n]. */
static void regression_step(regression *r, const float *f, const int32_t *label, double decay_w,
                            double decay_b)
{
    double *gradient = calloc((size_t)(PROBE_CLASSES * (r->d + 1)), sizeof *gradient);

    r->loss = r->right = 0;
    for (int i = 0; i < PROBE_ROWS; i++) {
        double p[PROBE_CLASSES];

        r->right += classify(p, r, f + i * r->d) == label[i];
        r->loss -= log(p[label[i]]) / PROBE_ROWS;
        for (int c = 0; c < PROBE_CLASSES; c++) {
            double error = (p[c] - (c == label[i])) / PROBE_ROWS, *g = gradient + c * (r->d + 1);

            for (int64_t j = 0; j < r->d; j++)
                g[j] += error * (double)f[i * r->d + j];
            g[r->d] += error;
        }
    }
    for (int c = 0; c < PROBE_CLASSES; c++) {
        const double *g = gradient + c * (r->d + 1);

        for (int64_t j = 0; j < r->d; j++)
            descend(&r->w[c * r->d + j], &r->momentum_w[c * r->d + j], g[j], decay_w);
        descend(&r->b[c], &r->momentum_b[c], g[r->d], decay_b);
    }
    free(gradient);
}

/* ---- tests ---- */

START_TEST(three_steps_equal_softmax_regression_by_hand)
{
    bool decay_all = _i;
    double decay = 0.05;
    small_probe p;
    hr_tensors state;
    regression r;
    float *f;
    int64_t d;

    small_probe_open(&p, 1, decay_all);
    d = p.probe->net.backbone_dim;
    f = calloc((size_t)(PROBE_ROWS * d), sizeof *f);
    small_probe_state(&state, &p);
    regression_open(&r, &state, d);
    hr_tensors_done(&state);
    for (int s = 0; s < 3; s++) {
        hr_step_result result = small_probe_step(&p, s, decay);

        hr_assert_ok(hr_model_embed_input(f, p.model, HR_LAYER_BACKBONE, p.image, PROBE_ROWS));
        regression_step(&r, f, p.label, decay, decay_all ? decay : 0);
        hr_assert_close(&result.loss, &r.loss, 1, 1e-6, 0);
        ck_assert(result.top1 * PROBE_ROWS == r.right);
        small_probe_state(&state, &p);
        hr_assert_distance(values(&state, "online.fc.weight"), r.w, PROBE_CLASSES * d, 1e-6);
        hr_assert_distance(values(&state, "online.fc.bias"), r.b, PROBE_CLASSES, 1e-6);
        hr_tensors_done(&state);
    }
    regression_close(&r);
    free(f);
    small_probe_close(&p);
}
END_TEST

static void three_steps(hr_tensors *state, int64_t accumulate)
{
    small_probe p;

    small_probe_open(&p, accumulate, true);
    for (int s = 0; s < 3; s++)
        small_probe_step(&p, s, 1e-3);
    small_probe_state(state, &p);
    small_probe_close(&p);
}

START_TEST(micro_batches_equal_the_whole_batch)
{
    hr_tensors whole, parts;

    three_steps(&whole, 1);
    three_steps(&parts, _i ? 4 : 2);
    ck_assert_int_eq(whole.count, parts.count);
    for (int i = 0; i < whole.count; i++) {
        const hr_named *a = &whole.item[i], *b = &parts.item[i];

        ck_assert_str_eq(a->name, b->name);
        ck_assert_uint_eq(a->bytes, b->bytes);
        if (strncmp(a->name, "encoder.", 8) != 0 && a->dtype == HR_REAL)
            hr_assert_distance((const real *)b->data, (const real *)a->data,
                               (int64_t)(a->bytes / sizeof(real)), 1e-12);
        else
            ck_assert_msg(!memcmp(a->data, b->data, a->bytes), "%s", a->name);
    }
    hr_tensors_done(&whole);
    hr_tensors_done(&parts);
}
END_TEST

START_TEST(steps_do_not_change_the_encoder)
{
    hr_tensors state, model;
    small_probe p;
    int compared = 0;

    small_probe_open(&p, 1, true);
    for (int s = 0; s < 3; s++)
        small_probe_step(&p, s, 0.05);
    small_probe_state(&state, &p);
    hr_tensors_init(&model);
    hr_assert_ok(hr_model_to_tensors(&model, p.model));
    for (int i = 0; i < state.count; i++) {
        const hr_named *now = &state.item[i], *before;

        if (strncmp(now->name, "encoder.", 8) != 0)
            continue;
        before = hr_tensors_find(&model, now->name + 8);
        ck_assert_msg(before && before->bytes == now->bytes &&
                          !memcmp(before->data, now->data, now->bytes),
                      "%s", now->name);
        compared++;
    }
    ck_assert_int_gt(compared, 60); /* weights and running statistics of ResNet-18 */
    hr_tensors_done(&model);
    hr_tensors_done(&state);
    small_probe_close(&p);
}
END_TEST

static Suite *probe(void)
{
    Suite *suite = suite_create("probe");
    TCase *tests = tcase_create("probe");

    tcase_add_loop_test(tests, three_steps_equal_softmax_regression_by_hand, 0, 2);
    tcase_add_loop_test(tests, micro_batches_equal_the_whole_batch, 0, 2);
    tcase_add_test(tests, steps_do_not_change_the_encoder);
    suite_add_tcase(suite, tests);
    return suite;
}

HR_TEST_MAIN(probe)
