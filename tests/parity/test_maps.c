/* test_maps.c - operations on feature maps against their definitions in f64: normalisation,
 * pooling, pending values and their gradients, for odd sizes, groups, real and bf16. */
#include <math.h>

#include "support/kernels.h"
#include "support/run.h"

enum { SCALE = 1, RELU = 2, ADD = 4, ADD_SCALE = 8, ADD_RELU = 16, BF16 = 32 };

typedef struct shape {
    int64_t n, h, w, c, groups;
    int pending; /* SCALE to ADD_RELU: what is pending in the map; BF16: its type */
    double beta;
} shape;

static const shape shapes[] = {
    { 2, 1, 1, 1, 1, 0, 0 },
    { 2, 3, 5, 3, 1, SCALE, 1 },
    { 4, 3, 3, 16, 2, SCALE | RELU, 0 },
    { 6, 7, 5, 17, 3, SCALE | RELU | ADD, 1 },
    { 4, 5, 5, 64, 4, SCALE | RELU | ADD | ADD_SCALE, 0 },
    { 8, 6, 3, 70, 2, SCALE | RELU | ADD | ADD_SCALE | ADD_RELU, 1 },
    { 4, 9, 9, 200, 1, RELU, 0 },
    { 2, 40, 37, 24, 2, SCALE | RELU, 1 },
    { 2, 4, 4, 4999, 1, SCALE | RELU, 0 },
    { 4, 5, 3, 12, 2, SCALE | RELU | ADD | BF16, 1 },
};
enum { SHAPES = sizeof shapes / sizeof *shapes };

static hr_map random_map(const shape *s, uint32_t which, bool scaled, bool relu)
{
    hr_dtype type = s->pending & BF16 ? HR_BF16 : HR_REAL;
    hr_map map = { .raw = hr_random(type, which, -1, 3, s->n, s->h, s->w, s->c), .relu = relu };

    if (scaled) {
        map.scale = hr_random(HR_REAL, which + 1, 0.5, 2, s->groups, s->c, 0, 0);
        map.shift = hr_random(HR_REAL, which + 2, -2, 0, s->groups, s->c, 0, 0);
    }
    return map;
}

static void make_map(hr_map *map, hr_map *add, const shape *s)
{
    *map = random_map(s, 10, s->pending & SCALE, s->pending & RELU);
    if (!(s->pending & ADD))
        return;
    *add = random_map(s, 20, s->pending & ADD_SCALE, s->pending & ADD_RELU);
    map->add = add;
}

static hr_array like(const shape *s, uint32_t which)
{
    return hr_random(s->pending & BF16 ? HR_BF16 : HR_REAL, which, -1, 1, s->n, s->h, s->w, s->c);
}

/* |got - want| <= 16 units in the last place of `size`, plus one rounding to bf16 */
static void assert_near(const hr_array *a, int64_t i, double want, double size, const char *what)
{
    double got = (double)hr_at(a, i), off = fabs(got - want);
    double bound = 16 * hr_epsilon() * size + (a->dtype == HR_BF16 ? 0x1p-8 * fabs(want) : 0);

    ck_assert_msg(off <= bound, "%s[%lld] is %g, wanted %g", what, (long long)i, got, want);
}

START_TEST(map_write_gives_the_value)
{
    const shape *s = &shapes[_i];
    hr_queue *q = hr_test_queue(2);
    hr_map map, add;
    hr_array y;

    make_map(&map, &add, s);
    y = like(s, 1);
    q->be->map_write(q, &y, &map);
    hr_test_sync(q);
    for (int64_t i = 0; i < hr_count(&y); i++)
        assert_near(&y, i, hr_map_value(&map, i), 16, "y");
    hr_drop(&y);
    hr_drop_map(&map);
}
END_TEST

START_TEST(map_add_grad_is_dv_where_the_value_is_positive)
{
    const shape *s = &shapes[_i];
    hr_queue *q = hr_test_queue(2);
    hr_map map, add;
    hr_array da, before, dv;

    make_map(&map, &add, s);
    da = like(s, 1);
    before = like(s, 1);
    dv = like(s, 2);
    q->be->map_add_grad(q, &da, &dv, &map, s->beta);
    hr_test_sync(q);
    for (int64_t i = 0; i < hr_count(&da); i++) {
        double v = hr_map_value(&map, i), d = !map.relu || v > 0 ? (double)hr_at(&dv, i) : 0;

        if (fabs(v) > 1e-5 || !map.relu)
            assert_near(&da, i, s->beta * (double)hr_at(&before, i) + d, 4, "da");
    }
    hr_drop(&da);
    hr_drop(&before);
    hr_drop(&dv);
    hr_drop_map(&map);
}
END_TEST

/* ---- normalisation: all its operations one after the other ---- */

typedef struct norm {
    hr_map map, add;
    hr_array sums, scale, shift, mean, rstd, gamma, beta, dv, back, draw, dgamma, dbeta;
} norm;

static const double EPS = 1e-5;

static void make_norm(norm *o, const shape *s)
{
    make_map(&o->map, &o->add, s);
    o->sums = hr_guarded(HR_F64, s->groups, 2, s->c, 0);
    o->back = hr_guarded(HR_F64, s->groups, 2, s->c, 0);
    o->scale = hr_guarded(HR_REAL, s->groups, s->c, 0, 0);
    o->shift = hr_guarded(HR_REAL, s->groups, s->c, 0, 0);
    o->mean = hr_guarded(HR_REAL, s->groups, s->c, 0, 0);
    o->rstd = hr_guarded(HR_REAL, s->groups, s->c, 0, 0);
    o->gamma = hr_random(HR_REAL, 30, 0.5, 2, s->c, 0, 0, 0);
    o->beta = hr_random(HR_REAL, 31, -1, 1, s->c, 0, 0, 0);
    o->dgamma = hr_random(HR_REAL, 32, -1, 1, s->c, 0, 0, 0);
    o->dbeta = hr_random(HR_REAL, 33, -1, 1, s->c, 0, 0, 0);
    o->dv = like(s, 1);
    o->draw = like(s, 2);
}

static void drop_norm(norm *o)
{
    hr_array *all[] = { &o->sums,  &o->back, &o->scale,  &o->shift, &o->mean, &o->rstd,
                        &o->gamma, &o->beta, &o->dgamma, &o->dbeta, &o->dv,   &o->draw };

    hr_drop_map(&o->map);
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        hr_drop(all[i]);
}

static void compute_norm(hr_queue *q, norm *o, const shape *s)
{
    double count = (double)(hr_rows_of(&o->dv) / s->groups);

    q->be->norm_stats(q, &o->sums, &o->map.raw);
    q->be->norm_finish(q, &o->scale, &o->shift, &o->mean, &o->rstd, &o->sums, &o->gamma, &o->beta,
                       count, EPS);
    q->be->norm_sums(q, &o->back, &o->dv, &o->map, &o->mean, &o->rstd);
    q->be->norm_dx(q, &o->draw, &o->dgamma, &o->dbeta, &o->dv, &o->map, &o->mean, &o->rstd,
                   &o->gamma, &o->back, count, s->beta);
    hr_test_sync(q);
}

/* one channel of one group: its statistics and the sums for its gradients */
typedef struct channel {
    double mean, rstd, sum, product;
    int64_t first, last; /* rows */
} channel;

static double masked(const norm *o, int64_t at)
{
    return !o->map.relu || hr_map_value(&o->map, at) > 0 ? (double)hr_at(&o->dv, at) : 0;
}

static channel channel_of(const norm *o, const shape *s, int64_t g, int64_t c)
{
    int64_t rows = hr_rows_of(&o->dv) / s->groups;
    channel k = { .first = g * rows, .last = (g + 1) * rows };
    double square = 0;

    for (int64_t r = k.first; r < k.last; r++)
        k.mean += (double)hr_at(&o->map.raw, r * s->c + c) / (double)rows;
    for (int64_t r = k.first; r < k.last; r++) {
        double d = (double)hr_at(&o->map.raw, r * s->c + c) - k.mean;

        square += d * d / (double)rows;
    }
    k.rstd = 1 / sqrt(square + EPS);
    for (int64_t r = k.first; r < k.last; r++) {
        double d = masked(o, r * s->c + c);

        k.sum += d;
        k.product += d * ((double)hr_at(&o->map.raw, r * s->c + c) - k.mean) * k.rstd;
    }
    return k;
}

static void assert_channel(const norm *o, const norm *before, const shape *s, int64_t g, int64_t c)
{
    channel k = channel_of(o, s, g, c);
    double count = (double)(k.last - k.first), gamma = (double)hr_at(&o->gamma, c);
    const double *back = (const double *)o->back.data + 2 * g * s->c + c;
    double size = fmax(1, k.rstd) * 16;

    assert_near(&o->mean, g * s->c + c, k.mean, 4, "mean");
    assert_near(&o->rstd, g * s->c + c, k.rstd, size, "rstd");
    assert_near(&o->scale, g * s->c + c, gamma * k.rstd, size, "scale");
    assert_near(&o->shift, g * s->c + c, (double)hr_at(&o->beta, c) - k.mean * gamma * k.rstd,
                8 * size, "shift");
    ck_assert_double_eq_tol(back[0], k.sum, 1e-12 * count);
    ck_assert_double_eq_tol(back[s->c], k.product, 32 * hr_epsilon() * count * size);
    for (int64_t r = k.first; r < k.last; r++) {
        int64_t at = r * s->c + c;
        double xhat = ((double)hr_at(&o->map.raw, at) - k.mean) * k.rstd;
        double dx = gamma * k.rstd * (masked(o, at) - k.sum / count - xhat * k.product / count);

        assert_near(&o->draw, at, s->beta * (double)hr_at(&before->draw, at) + dx, 32 * size,
                    "draw");
    }
}

START_TEST(norm_and_its_gradient_follow_the_definition)
{
    const shape *s = &shapes[_i];
    norm o, before;

    make_norm(&o, s);
    make_norm(&before, s);
    compute_norm(hr_test_queue(2), &o, s);
    for (int64_t c = 0; c < s->c; c++) {
        double dgamma = (double)hr_at(&before.dgamma, c), dbeta = (double)hr_at(&before.dbeta, c);

        for (int64_t g = 0; g < s->groups; g++) {
            const double *back = (const double *)o.back.data + 2 * g * s->c + c;

            assert_channel(&o, &before, s, g, c);
            dbeta += back[0];
            dgamma += back[s->c];
        }
        assert_near(&o.dgamma, c, dgamma, 1 + fabs(dgamma), "dgamma");
        assert_near(&o.dbeta, c, dbeta, 1 + fabs(dbeta), "dbeta");
    }
    drop_norm(&o);
    drop_norm(&before);
}
END_TEST

START_TEST(norm_gives_the_same_bits_with_any_number_of_threads)
{
    static const int threads[] = { 2, 3, 7 };
    const shape *s = &shapes[_i];
    norm one, many;

    make_norm(&one, s);
    compute_norm(hr_test_queue(1), &one, s);
    for (int t = 0; t < 3; t++) {
        make_norm(&many, s);
        compute_norm(hr_test_queue(threads[t]), &many, s);
        ck_assert_mem_eq(one.sums.data, many.sums.data, hr_bytes(&one.sums));
        ck_assert_mem_eq(one.back.data, many.back.data, hr_bytes(&one.back));
        ck_assert_mem_eq(one.draw.data, many.draw.data, hr_bytes(&one.draw));
        ck_assert_mem_eq(one.dgamma.data, many.dgamma.data, hr_bytes(&one.dgamma));
        drop_norm(&many);
    }
    drop_norm(&one);
}
END_TEST

START_TEST(norm_dx_without_parameters_or_without_draw)
{
    const shape *s = &shapes[2];
    hr_queue *q = hr_test_queue(2);
    norm o, before;
    double count;

    make_norm(&o, s);
    make_norm(&before, s);
    compute_norm(q, &o, s);
    count = (double)(hr_rows_of(&o.dv) / s->groups);
    q->be->norm_dx(q, NULL, &before.dgamma, &before.dbeta, &o.dv, &o.map, &o.mean, &o.rstd,
                   &o.gamma, &o.back, count, 0);
    ck_assert_mem_eq(before.dgamma.data, o.dgamma.data, hr_bytes(&o.dgamma));
    /* without gamma, the gradient is the one for gamma = 1 */
    q->be->norm_dx(q, &before.draw, NULL, NULL, &o.dv, &o.map, &o.mean, &o.rstd, NULL, &o.back,
                   count, 0);
    hr_test_sync(q);
    for (int64_t i = 0; i < hr_count(&o.draw); i++)
        assert_near(&before.draw, i, (double)hr_at(&o.draw, i) / (double)hr_at(&o.gamma, i % s->c),
                    16, "draw");
    drop_norm(&o);
    drop_norm(&before);
}
END_TEST

/* ---- pooling ---- */

typedef struct pool {
    hr_map map, add;
    hr_array y, at, dy, dx, before, mean, dmean;
    hr_geometry geo;
} pool;

static const hr_geometry geometry[] = { { 3, 2, 1 }, { 2, 2, 0 }, { 1, 1, 0 }, { 3, 1, 1 } };

static bool make_pool(pool *o, const shape *s, hr_geometry geo)
{
    int64_t h = hr_window_count(s->h, geo), w = hr_window_count(s->w, geo);
    hr_dtype type = s->pending & BF16 ? HR_BF16 : HR_REAL;

    if (s->h + 2 * geo.pad < geo.kernel || s->w + 2 * geo.pad < geo.kernel)
        return false;
    make_map(&o->map, &o->add, s);
    o->geo = geo;
    o->y = hr_guarded(type, s->n, h, w, s->c);
    o->at = hr_guarded(HR_I32, s->n, h, w, s->c);
    o->dy = hr_random(type, 1, -1, 1, s->n, h, w, s->c);
    o->dx = like(s, 2);
    o->before = like(s, 2);
    o->mean = hr_guarded(HR_REAL, s->n, s->c, 0, 0);
    o->dmean = hr_random(HR_REAL, 3, -1, 1, s->n, s->c, 0, 0);
    return true;
}

static void drop_pool(pool *o)
{
    hr_drop_map(&o->map);
    hr_drop(&o->y);
    hr_drop(&o->at);
    hr_drop(&o->dy);
    hr_drop(&o->dx);
    hr_drop(&o->before);
    hr_drop(&o->mean);
    hr_drop(&o->dmean);
}

/* the input place under tap a of the window of output place `place`, or -1 in the padding */
static int64_t tap(const pool *o, const shape *s, int64_t place, int64_t a)
{
    int64_t oh = o->y.dim[1], ow = o->y.dim[2], n = place / (oh * ow), p = place % (oh * ow);
    int64_t h = p / ow * o->geo.stride + a / o->geo.kernel - o->geo.pad;
    int64_t w = p % ow * o->geo.stride + a % o->geo.kernel - o->geo.pad;

    return h < 0 || h >= s->h || w < 0 || w >= s->w ? -1 : (n * s->h + h) * s->w + w;
}

static void assert_max_pool(const pool *o, const shape *s)
{
    double *dx = calloc((size_t)hr_count(&o->dx), sizeof *dx);

    ck_assert_ptr_nonnull(dx);
    for (int64_t i = 0; i < hr_count(&o->y); i++) {
        int64_t place = i / s->c, c = i % s->c, winner = ((const int32_t *)o->at.data)[i];
        double best = hr_map_value(&o->map, tap(o, s, place, winner) * s->c + c);

        assert_near(&o->y, i, best, 16, "y");
        for (int64_t a = 0; a < o->geo.kernel * o->geo.kernel; a++)
            if (tap(o, s, place, a) >= 0) {
                double v = hr_map_value(&o->map, tap(o, s, place, a) * s->c + c);

                ck_assert_double_le(v, best + 16 * hr_epsilon());
                ck_assert(a >= winner || v < best + (v == 0 ? 0 : 16 * hr_epsilon()));
            }
        dx[tap(o, s, place, winner) * s->c + c] += (double)hr_at(&o->dy, i);
    }
    for (int64_t i = 0; i < hr_count(&o->dx); i++)
        assert_near(&o->dx, i, s->beta * (double)hr_at(&o->before, i) + dx[i], 8, "dx");
    free(dx);
}

START_TEST(max_pool_and_its_gradient_follow_the_definition)
{
    const shape *s = &shapes[_i];
    hr_queue *q = hr_test_queue(2);

    for (size_t k = 0; k < sizeof geometry / sizeof *geometry; k++) {
        pool o;

        if (!make_pool(&o, s, geometry[k]))
            continue;
        q->be->max_pool(q, &o.y, &o.at, &o.map, o.geo);
        q->be->max_pool_grad(q, &o.dx, &o.dy, &o.at, o.geo, s->beta);
        hr_test_sync(q);
        assert_max_pool(&o, s);
        drop_pool(&o);
    }
}
END_TEST

START_TEST(mean_pool_and_its_gradient_follow_the_definition)
{
    const shape *s = &shapes[_i];
    hr_queue *q = hr_test_queue(2);
    int64_t places = s->h * s->w;
    pool o;

    ck_assert(make_pool(&o, s, geometry[2]));
    q->be->mean_pool(q, &o.mean, &o.map);
    q->be->mean_pool_grad(q, &o.dx, &o.dmean, s->beta);
    hr_test_sync(q);
    for (int64_t i = 0; i < s->n * s->c; i++) {
        double sum = 0;

        for (int64_t p = 0; p < places; p++) {
            int64_t at = (i / s->c * places + p) * s->c + i % s->c;
            double d = (double)hr_at(&o.dmean, i) / (double)places;

            sum += hr_map_value(&o.map, at);
            assert_near(&o.dx, at, s->beta * (double)hr_at(&o.before, at) + d, 2, "dx");
        }
        assert_near(&o.mean, i, sum / (double)places, 16, "mean");
    }
    drop_pool(&o);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("maps");
    TCase *cases = tcase_create("maps");

    tcase_add_loop_test(cases, map_write_gives_the_value, 0, SHAPES);
    tcase_add_loop_test(cases, map_add_grad_is_dv_where_the_value_is_positive, 0, SHAPES);
    tcase_add_loop_test(cases, norm_and_its_gradient_follow_the_definition, 0, SHAPES);
    tcase_add_loop_test(cases, norm_gives_the_same_bits_with_any_number_of_threads, 0, SHAPES);
    tcase_add_test(cases, norm_dx_without_parameters_or_without_draw);
    tcase_add_loop_test(cases, max_pool_and_its_gradient_follow_the_definition, 0, SHAPES);
    tcase_add_loop_test(cases, mean_pool_and_its_gradient_follow_the_definition, 0, SHAPES);
    suite_add_tcase(suite, cases);
    return suite;
}

HR_TEST_MAIN(make_suite)
