/* test_resnet.c - ResNets have the parameter names, shapes and counts of torchvision's. */
#include <stdio.h>
#include <string.h>

#include "nn/resnet.h"
#include "support/close.h"
#include "support/run.h"

/* parameter counts that torchvision documents for its weights,
 * with the classifier fc of 1000 classes */
static const struct {
    int32_t depth;
    int64_t with_fc, dim;
    int32_t blocks[4], convs;
} known[] = { { 18, 11689512, 512, { 2, 2, 2, 2 }, 2 },
              { 34, 21797672, 512, { 3, 4, 6, 3 }, 2 },
              { 50, 25557032, 2048, { 3, 4, 6, 3 }, 3 } };

START_TEST(parameter_counts_equal_torchvisions)
{
    hr_layout params = { 0 }, norms = { 0 };
    hr_resnet net;

    hr_assert_ok(hr_resnet_init(&net, &params, &norms, known[_i].depth, 1, false, false));
    ck_assert_int_eq(net.dim, known[_i].dim);
    ck_assert_int_eq(hr_layout_numbers(&params, params.count) + 1000 * known[_i].dim + 1000,
                     known[_i].with_fc);
    hr_layout_done(&params);
    hr_layout_done(&norms);
}
END_TEST

/* ---- names ---- */

typedef struct walk {
    const hr_layout *layout;
    int32_t at;
} walk;

static void expect(walk *w, const char *block, const char *name, int64_t count)
{
    char full[HR_SLOT_NAME];

    snprintf(full, sizeof full, "%s%s", block, name);
    ck_assert_int_lt(w->at, w->layout->count);
    ck_assert_str_eq(w->layout->slot[w->at].name, full);
    ck_assert_msg(w->layout->slot[w->at].count == count, "%s: %lld numbers, expected %lld", full,
                  (long long)w->layout->slot[w->at].count, (long long)count);
    w->at++;
}

/* Expects a convolution (in x out x kernel^2 numbers) and its norm, in
 * the order of torchvision's state_dict. */
static void expect_pair(walk *w, const char *block, const char *conv, const char *norm, int64_t in,
                        int64_t out, int kernel)
{
    char name[32];

    snprintf(name, sizeof name, "%s.weight", conv);
    expect(w, block, name, in * out * kernel * kernel);
    snprintf(name, sizeof name, "%s.weight", norm);
    expect(w, block, name, out);
    snprintf(name, sizeof name, "%s.bias", norm);
    expect(w, block, name, out);
}

static void expect_block(walk *w, const char *block, int64_t in, int64_t channels, bool bottleneck)
{
    int64_t out = bottleneck ? 4 * channels : channels;

    expect_pair(w, block, "conv1", "bn1", in, channels, bottleneck ? 1 : 3);
    expect_pair(w, block, "conv2", "bn2", channels, channels, 3);
    if (bottleneck)
        expect_pair(w, block, "conv3", "bn3", channels, out, 1);
    if (in != out)
        expect_pair(w, block, "downsample.0", "downsample.1", in, out, 1);
}

/* Names do not depend on the width. */
START_TEST(parameters_have_torchvisions_names)
{
    static const double width[] = { 0.25, 1, 2 };
    int64_t base = (int64_t)(64 * width[_i % 3]), in = base;
    hr_layout params = { 0 }, norms = { 0 };
    walk w = { &params, 0 };
    bool bottleneck = known[_i / 3].convs == 3;
    hr_resnet net;

    hr_assert_ok(
        hr_resnet_init(&net, &params, &norms, known[_i / 3].depth, width[_i % 3], false, false));
    expect_pair(&w, "", "conv1", "bn1", 3, base, 7);
    for (int s = 0; s < 4; s++)
        for (int b = 0; b < known[_i / 3].blocks[s]; b++) {
            char block[32];

            snprintf(block, sizeof block, "layer%d.%d.", s + 1, b);
            expect_block(&w, block, in, base << s, bottleneck);
            in = (base << s) * (bottleneck ? 4 : 1);
        }
    ck_assert_int_eq(w.at, params.count);
    ck_assert_int_eq(net.dim, in);
    hr_layout_done(&params);
    hr_layout_done(&norms);
}
END_TEST

static Suite *resnet(void)
{
    Suite *suite = suite_create("resnet");
    TCase *tests = tcase_create("resnet");

    tcase_add_loop_test(tests, parameter_counts_equal_torchvisions, 0, 3);
    tcase_add_loop_test(tests, parameters_have_torchvisions_names, 0, 9);
    suite_add_tcase(suite, tests);
    return suite;
}

HR_TEST_MAIN(resnet)
