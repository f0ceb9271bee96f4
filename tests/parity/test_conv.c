/* test_conv.c - convolution and its gradients against the definition, over many shapes. */
#include <math.h>

#include "support/kernels.h"
#include "support/run.h"

enum { SCALE = 1, RELU = 2, ADD = 4, ADD_SCALE = 8, ADD_RELU = 16, BF16 = 32 };

/* images, height, width, input and output channels; kernel, stride, pad; groups; flags; beta */
typedef struct shape {
    int64_t n, h, w, in, out;
    hr_geometry geo;
    int64_t groups;
    int pending; /* SCALE to ADD_RELU: what is pending in the map; BF16: its type */
    double beta;
} shape;

static const shape shapes[] = {
    { 1, 1, 1, 1, 1, { 1, 1, 0 }, 1, 0, 0 },
    { 2, 5, 5, 3, 4, { 3, 1, 1 }, 1, 0, 0 },
    { 2, 5, 7, 3, 17, { 3, 1, 1 }, 2, SCALE, 1 },
    { 4, 9, 8, 5, 16, { 3, 2, 1 }, 4, SCALE | RELU, 1 },
    { 4, 8, 9, 16, 33, { 3, 2, 1 }, 2, SCALE | RELU | ADD, 0 },
    { 2, 6, 6, 16, 16, { 1, 1, 0 }, 1, 0, 1 },
    { 2, 7, 7, 16, 19, { 1, 2, 0 }, 1, 0, 1 },
    { 2, 6, 6, 9, 31, { 1, 2, 0 }, 2, SCALE | RELU | ADD | ADD_SCALE | ADD_RELU, 0 },
    { 3, 15, 13, 3, 20, { 7, 2, 3 }, 1, 0, 0 },
    { 2, 9, 9, 2, 6, { 5, 1, 0 }, 1, RELU, 0 },
    { 2, 9, 9, 4, 6, { 5, 3, 2 }, 1, ADD | ADD_RELU, 1 },
    { 1, 6, 6, 3, 3, { 3, 1, 3 }, 1, SCALE | RELU, 0 }, /* some windows lie wholly in the padding */
    { 1, 7, 7, 2, 3, { 2, 3, 0 }, 1, 0, 1 },            /* some rows are in no window */
    { 2, 4, 4, 96, 40, { 3, 1, 1 }, 1, SCALE | RELU, 0 },
    { 9, 4, 4, 130, 18, { 3, 1, 1 }, 3, SCALE | RELU | ADD, 1 },
    { 1, 40, 41, 8, 8, { 3, 1, 1 }, 1, SCALE, 0 },
    { 2, 21, 300, 3, 7, { 3, 1, 1 }, 1, SCALE | RELU, 0 }, /* each unit is one row */
    { 2, 6, 5, 7, 9, { 3, 1, 1 }, 2, SCALE | RELU | ADD | ADD_SCALE | BF16, 1 },
};
enum { SHAPES = sizeof shapes / sizeof *shapes };

typedef struct operands {
    hr_map map, add;
    hr_array w, y, dy, dx, dw, sums;
} operands;

static hr_map random_map(const shape *s, uint32_t which, bool scaled, bool relu)
{
    hr_dtype type = s->pending & BF16 ? HR_BF16 : HR_REAL;
    hr_map map = { .raw = hr_random(type, which, -1, 1, s->n, s->h, s->w, s->in), .relu = relu };

    if (scaled) {
        map.scale = hr_random(HR_REAL, which + 1, 0.5, 2, s->groups, s->in, 0, 0);
        map.shift = hr_random(HR_REAL, which + 2, -1, 1, s->groups, s->in, 0, 0);
    }
    return map;
}

static void make(operands *o, const shape *s)
{
    int64_t oh = hr_window_count(s->h, s->geo), ow = hr_window_count(s->w, s->geo),
            k = s->geo.kernel;
    hr_dtype type = s->pending & BF16 ? HR_BF16 : HR_REAL;

    *o = (operands){ .map = random_map(s, 10, s->pending & SCALE, s->pending & RELU) };
    if (s->pending & ADD) {
        o->add = random_map(s, 20, s->pending & ADD_SCALE, s->pending & ADD_RELU);
        o->map.add = &o->add;
    }
    o->w = hr_random(type, 1, -1, 1, s->out, k, k, s->in);
    o->dy = hr_random(type, 2, -1, 1, s->n, oh, ow, s->out);
    o->y = hr_guarded(type, s->n, oh, ow, s->out); /* holds marks: must not be read */
    o->dx = hr_random(type, 3, -1, 1, s->n, s->h, s->w, s->in);
    o->dw = hr_random(HR_REAL, 4, -1, 1, s->out, k, k, s->in);
    o->sums = hr_guarded(HR_F64, s->groups, 2, s->out, 0);
    for (int64_t i = 0; i < hr_count(&o->sums); i++)
        ((double *)o->sums.data)[i] = 1;
}

static void drop(operands *o)
{
    hr_drop_map(&o->map);
    hr_drop(&o->w);
    hr_drop(&o->dy);
    hr_drop(&o->y);
    hr_drop(&o->dx);
    hr_drop(&o->dw);
    hr_drop(&o->sums);
}

static void compute(hr_queue *q, operands *o, const shape *s)
{
    q->be->conv(q, &o->y, &o->sums, &o->map, &o->w, s->geo);
    q->be->conv_dx(q, &o->dx, &o->dy, &o->w, s->geo, s->beta);
    q->be->conv_dw(q, &o->dw, &o->map, &o->dy, s->geo, s->beta);
    hr_test_sync(q);
}

/* ---- the definition, in f64 ---- */

typedef struct wanted {
    double *y, *dx, *dw;
    int64_t terms; /* most terms of one sum */
} wanted;

static double *zeros(int64_t n)
{
    double *x = calloc((size_t)n, sizeof *x);

    ck_assert_ptr_nonnull(x);
    return x;
}

/* adds the products of one image, place and tap to y, dx and dw */
static void add_tap(wanted *want, const operands *o, const shape *s, int64_t n, int64_t p,
                    int64_t a)
{
    int64_t k = s->geo.kernel, ow = o->y.dim[2], places = o->y.dim[1] * ow;
    int64_t h = p / ow * s->geo.stride + a / k - s->geo.pad;
    int64_t w = p % ow * s->geo.stride + a % k - s->geo.pad;

    if (h < 0 || h >= s->h || w < 0 || w >= s->w)
        return;
    for (int64_t i = 0; i < s->in; i++) {
        int64_t x_at = ((n * s->h + h) * s->w + w) * s->in + i;
        double x = hr_map_value(&o->map, x_at);

        for (int64_t c = 0; c < s->out; c++) {
            int64_t y_at = (n * places + p) * s->out + c, w_at = (c * k * k + a) * s->in + i;
            double weight = (double)hr_at(&o->w, w_at), dy = (double)hr_at(&o->dy, y_at);

            want->y[y_at] += x * weight;
            want->dx[x_at] += dy * weight;
            want->dw[w_at] += dy * x;
        }
    }
}

static wanted definition(const operands *o, const shape *s)
{
    int64_t taps = (int64_t)s->geo.kernel * s->geo.kernel, places = o->y.dim[1] * o->y.dim[2];
    wanted want = { zeros(hr_count(&o->y)), zeros(hr_count(&o->dx)), zeros(hr_count(&o->dw)), 0 };

    for (int64_t i = 0; i < hr_count(&o->dx); i++)
        want.dx[i] = s->beta * (double)hr_at(&o->dx, i);
    for (int64_t i = 0; i < hr_count(&o->dw); i++)
        want.dw[i] = s->beta * (double)hr_at(&o->dw, i);
    for (int64_t n = 0; n < s->n; n++)
        for (int64_t p = 0; p < places; p++)
            for (int64_t a = 0; a < taps; a++)
                add_tap(&want, o, s, n, p, a);
    want.terms = taps * (s->in > s->out ? s->in : s->out);
    want.terms = want.terms > s->n * places ? want.terms : s->n * places;
    return want;
}

static void assert_array(const hr_array *got, const double *want, int64_t terms, const char *what)
{
    double bound = 3 * (double)terms * hr_epsilon();

    for (int64_t i = 0; i < hr_count(got); i++) {
        double rounding = got->dtype == HR_BF16 ? fabs(want[i]) * 0x1p-8 : 0;
        double off = fabs((double)hr_at(got, i) - want[i]);

        ck_assert_msg(off <= bound + rounding, "%s[%lld] is off by %g, allowed %g", what,
                      (long long)i, off, bound + rounding);
    }
}

START_TEST(conv_and_its_gradients_follow_the_definition)
{
    const shape *s = &shapes[_i];
    operands o;
    wanted want;

    make(&o, s);
    want = definition(&o, s);
    compute(hr_test_queue(2), &o, s);
    assert_array(&o.y, want.y, want.terms, "y");
    assert_array(&o.dx, want.dx, want.terms, "dx");
    assert_array(&o.dw, want.dw, want.terms, "dw");
    free(want.y);
    free(want.dx);
    free(want.dw);
    drop(&o);
}
END_TEST

START_TEST(conv_adds_sums_of_its_result_by_group)
{
    const shape *s = &shapes[_i];
    operands o;
    int64_t rows;

    make(&o, s);
    compute(hr_test_queue(2), &o, s);
    rows = hr_rows_of(&o.y) / s->groups;
    for (int64_t g = 0; g < s->groups; g++)
        for (int64_t c = 0; c < s->out; c++) {
            double sum = 1, square = 1;
            const double *got = (const double *)o.sums.data + 2 * g * s->out + c;

            for (int64_t r = g * rows; r < (g + 1) * rows; r++) {
                double y = (double)hr_at(&o.y, r * s->out + c);

                sum += y;
                square += y * y;
            }
            ck_assert_double_eq_tol(got[0], sum, 1e-9 * (1 + fabs(square)));
            ck_assert_double_eq_tol(got[s->out], square, 1e-9 * (1 + square));
        }
    drop(&o);
}
END_TEST

START_TEST(any_number_of_threads_gives_the_same_bits)
{
    static const int threads[] = { 2, 3, 7 };
    const shape *s = &shapes[_i];
    operands one, many;

    make(&one, s);
    compute(hr_test_queue(1), &one, s);
    for (int t = 0; t < 3; t++) {
        make(&many, s);
        compute(hr_test_queue(threads[t]), &many, s);
        ck_assert_mem_eq(one.y.data, many.y.data, hr_bytes(&one.y));
        ck_assert_mem_eq(one.dx.data, many.dx.data, hr_bytes(&one.dx));
        ck_assert_mem_eq(one.dw.data, many.dw.data, hr_bytes(&one.dw));
        ck_assert_mem_eq(one.sums.data, many.sums.data, hr_bytes(&one.sums));
        drop(&many);
    }
    drop(&one);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("conv");
    TCase *cases = tcase_create("conv");

    tcase_add_loop_test(cases, conv_and_its_gradients_follow_the_definition, 0, SHAPES);
    tcase_add_loop_test(cases, conv_adds_sums_of_its_result_by_group, 0, SHAPES);
    tcase_add_loop_test(cases, any_number_of_threads_gives_the_same_bits, 0, SHAPES);
    suite_add_tcase(suite, cases);
    return suite;
}

HR_TEST_MAIN(make_suite)
