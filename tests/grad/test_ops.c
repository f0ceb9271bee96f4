/* test_ops.c - the gradient of every operation against central differences, in double. */
#include <check.h>
#include <math.h>

#include "support/close.h"
#include "support/gradcheck.h"
#include "support/run.h"
#include "support/tape.h"

enum { VARIANTS = 3 };

#define DIM(...) ((const int64_t[]){ __VA_ARGS__ })
#define LEAF_1(c, n) hr_check_leaf_of(c, 1, DIM(n))
#define LEAF_2(c, n, m) hr_check_leaf_of(c, 2, DIM(n, m))
#define LEAF_4(c, n, h, w, k) hr_check_leaf_of(c, 4, DIM(n, h, w, k))

/* ---- op_arith.c ---- */

static hr_tensor *add(hr_gradcheck *c)
{
    int64_t n = 1 + 2 * c->variant;
    hr_tensor *a = LEAF_2(c, n, 3), *b = LEAF_2(c, n, 3);

    return hr_add(&c->tape, hr_add(&c->tape, a, b), a); /* uses a twice */
}

static hr_tensor *scale(hr_gradcheck *c)
{
    return hr_scale(&c->tape, LEAF_4(c, 2, 1 + c->variant, 2, 3), -1.75);
}

static hr_tensor *scale_by(hr_gradcheck *c)
{
    static const double factor[VARIANTS] = { 1.75, 3, -0.5 };
    hr_array k = hr_test_upload(&c->tape, HR_REAL, 1, DIM(1), &factor[c->variant], HR_F64);

    return hr_scale_by(&c->tape, LEAF_4(c, 2, 1 + c->variant, 2, 3), &k);
}

static hr_tensor *mean(hr_gradcheck *c)
{
    return hr_mean(&c->tape, LEAF_4(c, 2, 1 + c->variant, 3, 2));
}

/* via bf16, in which multiples of 1/8 are exact */
static hr_tensor *convert(hr_gradcheck *c)
{
    c->step = c->quantum = 0.125;
    return hr_convert(&c->tape, hr_convert(&c->tape, LEAF_2(c, 2 + c->variant, 5), HR_BF16),
                      HR_REAL);
}

/* ---- op_linear.c, op_activation.c ---- */

static hr_tensor *linear(hr_gradcheck *c)
{
    int64_t n = DIM(1, 5, 4)[c->variant], i = DIM(3, 2, 7)[c->variant],
            o = DIM(2, 6, 1)[c->variant];
    hr_tensor *x = LEAF_2(c, n, i), *w = LEAF_2(c, o, i);

    return hr_linear(&c->tape, x, w, c->variant == 1 ? NULL : LEAF_1(c, o));
}

static hr_tensor *bias(hr_gradcheck *c)
{
    return hr_bias(&c->tape, LEAF_4(c, 2, 1, 3, 2 + c->variant), LEAF_1(c, 2 + c->variant));
}

static hr_tensor *relu(hr_gradcheck *c)
{
    return hr_relu(&c->tape, LEAF_2(c, 4 + c->variant, 3));
}

static hr_tensor *gelu(hr_gradcheck *c)
{
    return hr_gelu(&c->tape, hr_scale(&c->tape, LEAF_2(c, 4 + c->variant, 3), 1 + c->variant));
}

/* ---- op_conv.c ---- */

static hr_tensor *conv(hr_gradcheck *c)
{
    static const int shape[VARIANTS][7] = { /* n h w i o k stride; pad = k / 2 */
                                            { 2, 5, 4, 3, 2, 3, 1 },
                                            { 1, 7, 6, 2, 3, 3, 2 },
                                            { 3, 4, 5, 4, 5, 1, 2 }
    };
    const int *s = shape[c->variant];
    hr_tensor *x = LEAF_4(c, s[0], s[1], s[2], s[3]), *w = LEAF_4(c, s[4], s[5], s[5], s[3]);

    return hr_conv(&c->tape, x, w, s[6], s[5] / 2);
}

/* ---- op_norm.c ---- */

static hr_norm norm_of(hr_gradcheck *c, int64_t channels, int groups)
{
    hr_norm norm = { .eps = 1e-5, .groups = groups };

    norm.gamma = LEAF_1(c, channels);
    norm.beta = LEAF_1(c, channels);
    return norm;
}

static hr_tensor *norm(hr_gradcheck *c, hr_tensor *y, int groups, hr_tensor *add_to, bool with_relu)
{
    hr_norm config = norm_of(c, hr_cols(&y->x), groups);

    return hr_batch_norm(&c->tape, y, &config, add_to, with_relu);
}

static hr_tensor *batch_norm(hr_gradcheck *c)
{
    hr_norm plain = { .eps = 1e-5, .groups = 1 };

    if (c->variant == 0) { /* a matrix, no parameters; adds its own input */
        hr_tensor *y = hr_scale(&c->tape, LEAF_2(c, 6, 4), 1.5);

        return hr_batch_norm(&c->tape, y, &plain, y, false);
    }
    if (c->variant == 1) { /* two groups; adds a written tensor that has another use */
        hr_tensor *shortcut = hr_scale(&c->tape, LEAF_4(c, 4, 2, 3, 3), 1.5);

        return hr_add(&c->tape, norm(c, LEAF_4(c, 4, 2, 3, 3), 2, shortcut, true), shortcut);
    }
    return norm(c, LEAF_4(c, 3, 3, 2, 2), 1, norm(c, LEAF_4(c, 3, 3, 2, 2), 3, NULL, false), true);
}

/* the written value is used twice, and a convolution uses the pending tensor as well */
static hr_tensor *write(hr_gradcheck *c)
{
    hr_tensor *x = norm(c, LEAF_4(c, 2, 3, 3, 2), 1 + c->variant % 2, NULL, true);
    hr_tensor *y = hr_write(&c->tape, x);

    return hr_add(&c->tape, hr_add(&c->tape, y, hr_scale(&c->tape, x, 0.5)),
                  hr_conv(&c->tape, x, LEAF_4(c, 2, 3, 3, 2), 1, 1));
}

/* ---- op_conv_norm.c ---- */

/* a convolution with `out` outputs, followed by a norm with parameters */
static hr_tensor *conv_norm_of(hr_gradcheck *c, hr_tensor *x, int64_t out, int kernel, int stride,
                               int groups, hr_tensor *add_to, bool with_relu)
{
    hr_geometry geo = { kernel, stride, kernel / 2 };
    hr_tensor *w = LEAF_4(c, out, kernel, kernel, hr_cols(&x->x));
    hr_norm config = norm_of(c, out, groups);

    return hr_conv_norm(&c->tape, x, w, geo, &config, add_to, with_relu);
}

static hr_tensor *conv_norm(hr_gradcheck *c)
{
    hr_norm plain = { .eps = 1e-5, .groups = 1 };
    hr_geometry geo = { 3, 1, 1 };
    hr_tape *t = &c->tape;
    hr_tensor *x = LEAF_4(c, 4, 5, 4, 2), *y, *add;

    if (c->variant == 0) /* no parameters, nothing added */
        return hr_conv_norm(t, x, LEAF_4(c, 3, 3, 3, 2), geo, &plain, NULL, false);
    if (c->variant == 1) { /* two groups, stride 2; adds a written tensor that has another use */
        add = hr_scale(t, LEAF_4(c, 4, 3, 2, 3), 1.5);
        return hr_add(t, conv_norm_of(c, x, 3, 3, 2, 2, add, true), add);
    }
    y = conv_norm_of(c, x, 2, 3, 1, 4, NULL, true);
    add = conv_norm_of(c, x, 2, 1, 1, 1, NULL, false);
    y = hr_write(t, conv_norm_of(c, y, 2, 1, 1, 2, add, true)); /* y and add are pending */
    return conv_norm_of(c, y, 2, 3, 1, 1, y, false);            /* adds its own input */
}

/* ---- op_layer_norm.c, op_attention.c ---- */

static hr_tensor *layer_norm(hr_gradcheck *c)
{
    int64_t cols = DIM(3, 16, 21)[c->variant];
    hr_tensor *x = LEAF_2(c, 4, cols), *gamma = LEAF_1(c, cols);

    return hr_layer_norm(&c->tape, x, gamma, LEAF_1(c, cols), 1e-6);
}

static hr_tensor *attention(hr_gradcheck *c)
{
    int64_t heads = DIM(1, 2, 3)[c->variant], tokens = DIM(3, 5, 52)[c->variant];

    return hr_attention(&c->tape, LEAF_2(c, (c->variant < 2 ? 2 : 1) * tokens, 6 * heads), tokens,
                        heads);
}

/* ---- op_token.c, op_position.c ---- */

static hr_tensor *tokens(hr_gradcheck *c)
{
    int64_t cols = 2 + c->variant;
    hr_tensor *x = c->variant ? LEAF_2(c, 8, cols) : LEAF_4(c, 2, 2, 2, cols);
    hr_tensor *class_token = hr_check_leaf_of(c, 3, DIM(1, 1, cols));

    return hr_tokens(&c->tape, x, class_token, hr_check_leaf_of(c, 3, DIM(1, 5, cols)));
}

static hr_tensor *strip(hr_gradcheck *c)
{
    hr_tensor *x = LEAF_2(c, 10, 3), *y = hr_strip(&c->tape, x, 5, c->variant, 2);

    return hr_add(&c->tape, y, hr_strip(&c->tape, x, 5, 1, 2));
}

static hr_tensor *mask_tokens(hr_gradcheck *c)
{
    static const double mask[VARIANTS][6] = { { 0, 1, 0, 1, 1, 0 }, { 1 }, { 1, 1, 1, 0, 1, 1 } };
    hr_tape *t = &c->tape;
    hr_tensor *x = LEAF_2(c, 6, 3);
    hr_array kept, masked;
    double rest[6];

    for (int i = 0; i < 6; i++)
        rest[i] = 1 - mask[c->variant][i];
    kept = hr_test_upload(t, HR_REAL, 1, DIM(6), rest, HR_F64);
    masked = hr_test_upload(t, HR_REAL, 1, DIM(6), mask[c->variant], HR_F64);
    return hr_mask_tokens(t, x, LEAF_2(c, 1, 3), &kept, &masked);
}

static hr_tensor *add_kept(hr_gradcheck *c)
{
    hr_tensor *keep = hr_check_constant(c, 1, DIM(3)), *x = LEAF_2(c, 6, 3);

    return hr_add_kept(&c->tape, x, c->variant == 2 ? x : LEAF_2(c, 6, 3), &keep->x);
}

static hr_tensor *resize_positions(hr_gradcheck *c)
{
    int64_t from = DIM(4, 3, 2)[c->variant], to = DIM(2, 5, 1)[c->variant];
    int64_t dim[] = { 1 + to * to, 1 + from * from };
    real host[(1 + 5 * 5) * (1 + 4 * 4)];
    hr_array weight;

    hr_position_weights(host, from, to);
    weight = hr_test_upload(&c->tape, HR_REAL, 2, dim, host, HR_REAL);
    return hr_resize_positions(&c->tape, hr_check_leaf_of(c, 3, DIM(1, dim[1], 2)), to, &weight);
}

/* ---- op_pool.c ---- */

static hr_tensor *max_pool(hr_gradcheck *c)
{
    if (c->variant == 2)
        return hr_max_pool(&c->tape, norm(c, LEAF_4(c, 2, 5, 6, 2), 2, NULL, true), 3, 2, 1);
    return hr_max_pool(&c->tape, LEAF_4(c, 2, 6, 5, 3), 2 + c->variant, 2, c->variant);
}

static hr_tensor *mean_pool(hr_gradcheck *c)
{
    hr_tensor *x = LEAF_4(c, 2, 3, 1 + c->variant, 3);

    return hr_mean_pool(&c->tape, c->variant ? norm(c, x, 2, NULL, true) : x);
}

/* ---- op_row.c ---- */

static hr_tensor *normalize(hr_gradcheck *c)
{
    return hr_normalize(&c->tape, LEAF_2(c, 1 + c->variant, 2 + 3 * c->variant));
}

static hr_tensor *row_dot(hr_gradcheck *c)
{
    int64_t n = 2 + c->variant;
    hr_tensor *a = LEAF_2(c, n, 4);

    return hr_row_dot(&c->tape, a, c->variant == 2 ? a : LEAF_2(c, n, 4));
}

/* ---- op_shape.c ---- */

/* overlapping rows of one tensor; the last two rows get no gradient */
static hr_tensor *rows(hr_gradcheck *c)
{
    hr_tensor *x = LEAF_2(c, 5, 2 + c->variant);
    hr_tensor *y = hr_relu(&c->tape, hr_scale(&c->tape, x, 1.5)); /* its gradient starts empty */

    return hr_add(&c->tape, hr_rows(&c->tape, y, 0, 2), hr_rows(&c->tape, y, 1, 2));
}

/* up to 16 tensors; the third is the first one again */
static hr_tensor *concat(hr_gradcheck *c)
{
    int parts = (int)DIM(1, 2, 16)[c->variant];
    hr_tensor *part[16];

    for (int i = 0; i < parts; i++)
        part[i] = i == 2 ? part[0] : LEAF_2(c, 2 - i % 2, 3);
    return hr_concat(&c->tape, part, parts);
}

static hr_tensor *gather(hr_gradcheck *c)
{
    static const int32_t index[] = { 2, 0, 2, 1 };
    hr_array at = hr_check_i32(c, index, 1, DIM(4));

    return hr_gather(&c->tape, LEAF_2(c, 3, 2 + c->variant), &at);
}

/* ---- losses ---- */

static hr_tensor *info_nce(hr_gradcheck *c)
{
    static const int64_t id[] = { 7, 8, 9 }, owner[] = { 5, 8, 9, 7, 8, 4 };
    hr_tensor *q = LEAF_2(c, 3, 4), *k = hr_check_constant(c, 2, DIM(3, 4));
    hr_tensor *queue = hr_check_constant(c, 2, DIM(6, 4));
    hr_array ids = hr_check_i64(c, id, 3), owners = hr_check_i64(c, owner, 6);

    return hr_info_nce(&c->tape, q, k, &queue->x, &ids, &owners, 0.2 + 0.3 * c->variant);
}

static hr_tensor *cross_entropy(hr_gradcheck *c)
{
    static const int32_t label[] = { 2, 0, 2 };
    hr_array labels = hr_check_i32(c, label, 1, DIM(3));

    return hr_cross_entropy(&c->tape, LEAF_2(c, 3, 3 + c->variant), &labels);
}

/* variant 1: targets whose rows do not sum to 1; variant 2: weights, one of them 0 */
static hr_tensor *soft_cross_entropy(hr_gradcheck *c)
{
    hr_tape *t = &c->tape;
    hr_tensor *p = hr_check_constant(c, 2, DIM(3, 4)), *z = LEAF_2(c, 3, 4);
    hr_array weight = hr_test_upload(t, HR_REAL, 1, DIM(3), (double[]){ 0.25, 0, 1.5 }, HR_F64);
    hr_array temperature = hr_test_upload(t, HR_F64, 1, DIM(1), (double[]){ 0.3 }, HR_F64);

    if (c->variant != 1)
        p = hr_target(t, p, NULL, &temperature);
    return hr_soft_cross_entropy(t, p, z, 0.4, c->variant == 2 ? &weight : NULL);
}

/* sum_i x_i^3 / 3 */
static hirl_status cubes(double *loss, real *grad, const real *x, void *arg)
{
    const int64_t *count = arg;

    for (int64_t i = 0; i < *count; i++) {
        *loss += x[i] * x[i] * x[i] / 3;
        if (grad)
            grad[i] += x[i] * x[i];
    }
    return HIRL_OK;
}

static hr_tensor *host_loss(hr_gradcheck *c)
{
    static int64_t count;
    hr_tensor *x = hr_scale(&c->tape, LEAF_2(c, 2 + c->variant, 3), 1.5);

    count = hr_count(&x->x);
    return hr_host_loss(&c->tape, x, cubes, &count);
}

/* a binary tree over four leaves, with one, two or three levels */
static hr_tensor *spd(hr_gradcheck *c)
{
    static const int32_t path[] = { 0, 0, 0, 1, 0, 0, 2, 1, 0, 3, 1, 0 };
    static const int32_t positive[] = { 3, 0 }, negative[] = { 0, 1, 2, -1, 2, 3 };
    int32_t levels = c->variant + 1, some[12];
    hr_spd_paths paths = { .levels = levels, .eps = 1e-6, .divisor_eps = 1e-6 };
    hr_tensor *u[3];

    for (int i = 0; i < 4; i++)
        for (int l = 0; l < levels; l++)
            some[i * levels + l] = path[i * 3 + l];
    for (int l = 0; l < levels; l++) {
        paths.proto[l] = hr_normalize(&c->tape, hr_check_constant(c, 2, DIM(4 >> l, 5)))->x;
        u[l] = hr_normalize(&c->tape, LEAF_2(c, 2, 5));
    }
    paths.path = hr_check_i32(c, some, 2, DIM(4, levels));
    paths.positive = hr_check_i32(c, positive, 1, DIM(2));
    paths.negative = hr_check_i32(c, negative, 2, DIM(2, 3));
    return hr_spd(&c->tape, u, &paths);
}

/* ---- one case per operation: tests/house/house.py compares this list with lib/tape/op_*.c ---- */

static const struct {
    const char *op;
    hr_check_build *build;
} cases[] = {
    { "add", add },
    { "scale", scale },
    { "scale_by", scale_by },
    { "mean", mean },
    { "convert", convert },
    { "linear", linear },
    { "bias", bias },
    { "relu", relu },
    { "gelu", gelu },
    { "conv", conv },
    { "batch_norm", batch_norm },
    { "write", write },
    { "conv_norm", conv_norm },
    { "layer_norm", layer_norm },
    { "attention", attention },
    { "tokens", tokens },
    { "strip", strip },
    { "mask_tokens", mask_tokens },
    { "add_kept", add_kept },
    { "resize_positions", resize_positions },
    { "max_pool", max_pool },
    { "mean_pool", mean_pool },
    { "normalize", normalize },
    { "row_dot", row_dot },
    { "rows", rows },
    { "concat", concat },
    { "gather", gather },
    { "info_nce", info_nce },
    { "cross_entropy", cross_entropy },
    { "soft_cross_entropy", soft_cross_entropy },
    { "host_loss", host_loss },
    { "spd", spd },
};
enum { CASES = sizeof cases / sizeof *cases };

START_TEST(every_operation_has_the_gradient_of_finite_differences)
{
    int which = _i / VARIANTS, variant = _i % VARIANTS;
    hr_gradcheck check;
    double error;

    hr_gradcheck_init(&check, variant);
    error = hr_gradcheck_error(&check, cases[which].build);
    ck_assert_msg(hr_gradcheck_used(&check, cases[which].op),
                  "the case of %s does not use that operation", cases[which].op);
    ck_assert_msg(error <= 1e-6, "%s, shape %d: relative error %g", cases[which].op, variant,
                  error);
    hr_gradcheck_done(&check);
}
END_TEST

/* ---- small networks ---- */

/* conv - norm - relu - conv - norm - add - relu - pool, as in a residual block */
static hr_tensor *residual_block(hr_gradcheck *c)
{
    int groups = 1 + c->variant % 2, stride = c->variant == 2 ? 2 : 1;
    hr_tensor *x = LEAF_4(c, 4, 5, 4, 2), *y, *same;

    y = conv_norm_of(c, x, 3, 3, stride, groups, NULL, true);
    same = conv_norm_of(c, x, 3, 1, stride, groups, NULL, false);
    return hr_mean_pool(&c->tape, conv_norm_of(c, y, 3, 3, 1, groups, same, true));
}

/* stem with max pooling, a block whose shortcut is its input, a head, a loss */
static hr_tensor *whole_network(hr_gradcheck *c)
{
    static const int32_t label[] = { 1, 0, 2, 1, 1, 0 };
    int groups = 1 + c->variant % 2;
    hr_array labels = hr_check_i32(c, label, 1, DIM(6));
    hr_tape *t = &c->tape;
    hr_tensor *x = hr_check_constant(c, 4, DIM(6, 6, 7, 2)), *y;

    x = hr_max_pool(t, conv_norm_of(c, x, 3, 3, 1, groups, NULL, true), 3, 2, 1);
    y = conv_norm_of(c, x, 3, 3, 1, groups, NULL, true);
    y = hr_mean_pool(t, conv_norm_of(c, y, 3, 3, 1, groups, x, true));
    y = norm(c, hr_linear(t, y, LEAF_2(c, 5, 3), NULL), groups, NULL, true);
    return hr_cross_entropy(t, hr_linear(t, y, LEAF_2(c, 3, 5), LEAF_1(c, 3)), &labels);
}

START_TEST(a_residual_block_has_the_gradient_of_finite_differences)
{
    hr_gradcheck_case(residual_block, _i);
}
END_TEST

START_TEST(a_whole_network_has_the_gradient_of_finite_differences)
{
    hr_gradcheck_case(whole_network, _i);
}
END_TEST

static Suite *ops(void)
{
    Suite *suite = suite_create("ops");
    TCase *tests = tcase_create("gradients");

    tcase_add_loop_test(tests, every_operation_has_the_gradient_of_finite_differences, 0,
                        CASES * VARIANTS);
    tcase_add_loop_test(tests, a_residual_block_has_the_gradient_of_finite_differences, 0,
                        VARIANTS);
    tcase_add_loop_test(tests, a_whole_network_has_the_gradient_of_finite_differences, 0, VARIANTS);
    suite_add_tcase(suite, tests);
    return suite;
}

HR_TEST_MAIN(ops)
