/* test_vit.c - vision transformers: parameter names, shapes and initial values,
 * stochastic depth, bf16, refused shapes. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "context.h"
#include "nn/vit.h"
#include "support/close.h"
#include "support/fill.h"
#include "support/run.h"
#include "support/tape.h"

/* parameters of a block of timm's vit_base_patch16_224, in the order of its state_dict */
static const struct {
    const char *name;
    int64_t dim[2];
} block_slots[] = {
    { "norm1.weight", { 768, 0 } },       { "norm1.bias", { 768, 0 } },
    { "attn.qkv.weight", { 2304, 768 } }, { "attn.qkv.bias", { 2304, 0 } },
    { "attn.proj.weight", { 768, 768 } }, { "attn.proj.bias", { 768, 0 } },
    { "norm2.weight", { 768, 0 } },       { "norm2.bias", { 768, 0 } },
    { "mlp.fc1.weight", { 3072, 768 } },  { "mlp.fc1.bias", { 3072, 0 } },
    { "mlp.fc2.weight", { 768, 3072 } },  { "mlp.fc2.bias", { 768, 0 } },
};
enum { BLOCK_SLOTS = sizeof block_slots / sizeof *block_slots, FIRST = 4, DEPTH = 12 };

static void check_slot(const hr_slot *slot, const char *name, int32_t rank, const int64_t *dim)
{
    ck_assert_str_eq(slot->name, name);
    ck_assert_int_eq(slot->rank, rank);
    for (int i = 0; i < rank; i++)
        ck_assert_int_eq(slot->dim[i], dim[i]);
}

START_TEST(parameters_have_timms_names)
{
    hr_vit_shape shape;
    hr_layout params = { 0 };
    hr_vit net;
    const hr_slot *slot;

    ck_assert(hr_vit_named(&shape, "vit_base_patch16_224"));
    hr_assert_ok(hr_vit_init(&net, &params, &shape));
    slot = params.slot;
    check_slot(&slot[0], "cls_token", 3, (int64_t[]){ 1, 1, 768 });
    check_slot(&slot[1], "pos_embed", 3, (int64_t[]){ 1, 197, 768 });
    check_slot(&slot[2], "patch_embed.proj.weight", 4, (int64_t[]){ 768, 16, 16, 3 });
    check_slot(&slot[3], "patch_embed.proj.bias", 1, (int64_t[]){ 768 });
    for (int i = 0; i < DEPTH * BLOCK_SLOTS; i++) {
        char name[64];

        snprintf(name, sizeof name, "blocks.%d.%s", i / BLOCK_SLOTS,
                 block_slots[i % BLOCK_SLOTS].name);
        check_slot(&slot[FIRST + i], name, block_slots[i % BLOCK_SLOTS].dim[1] ? 2 : 1,
                   block_slots[i % BLOCK_SLOTS].dim);
    }
    check_slot(&slot[FIRST + DEPTH * BLOCK_SLOTS], "norm.weight", 1, (int64_t[]){ 768 });
    check_slot(&slot[FIRST + DEPTH * BLOCK_SLOTS + 1], "norm.bias", 1, (int64_t[]){ 768 });
    ck_assert_int_eq(params.count, FIRST + DEPTH * BLOCK_SLOTS + 2);
    hr_layout_done(&params);
}
END_TEST

/* parameter counts of timm's models without a head */
START_TEST(named_shapes_have_timms_parameter_counts)
{
    static const struct {
        const char *name;
        int64_t numbers;
    } known[] = { { "vit_tiny_patch16_224", 5524416 },
                  { "vit_small_patch16_224", 21665664 },
                  { "vit_base_patch16_224", 85798656 },
                  { "vit_large_patch16_224", 303301632 } };

    for (int i = 0; i < 4; i++) {
        hr_layout params = { 0 };
        hr_vit_shape shape;
        hr_vit net;

        ck_assert(hr_vit_named(&shape, known[i].name));
        hr_assert_ok(hr_vit_init(&net, &params, &shape));
        ck_assert_int_eq(hr_layout_numbers(&params, params.count), known[i].numbers);
        hr_layout_done(&params);
    }
}
END_TEST

START_TEST(an_unknown_name_has_no_shape)
{
    hr_vit_shape shape;

    ck_assert(!hr_vit_named(&shape, "vit_giant"));
}
END_TEST

START_TEST(invalid_shapes_are_refused)
{
    static const struct {
        hr_vit_shape shape;
        const char *text;
    } bad[] = {
        { { .dim = 8, .depth = 0, .heads = 2, .patch = 4, .image_size = 8 }, "depth: 0 blocks" },
        { { .dim = 8, .depth = 65, .heads = 2, .patch = 4, .image_size = 8 }, "depth: 65 blocks" },
        { { .dim = 8, .depth = 1, .heads = 3, .patch = 4, .image_size = 8 }, "3 heads" },
        { { .dim = 8, .depth = 1, .heads = 2, .patch = 3, .image_size = 8 },
          "not a multiple of the patch size 3" },
        { { .dim = 6, .depth = 1, .heads = 2, .patch = 4, .image_size = 8, .sincos = true },
          "multiple of 4" },
        { { .dim = 8, .depth = 1, .heads = 2, .patch = 4, .image_size = 8, .drop_path = 1 },
          "drop_path: 1" },
    };

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        hr_layout params = { 0 };
        hr_vit net;

        hr_assert_fails(hr_vit_init(&net, &params, &bad[i].shape), HIRL_E_INVALID, bad[i].text);
        hr_layout_done(&params);
    }
}
END_TEST

/* ---- a network ---- */

typedef struct network {
    hirl_context *context;
    hr_queue *queue;
    hr_layout params, norms;
    hr_weights weights;
    hr_vit net;
} network;

static void begin(network *it, const hr_vit_shape *shape, bool low)
{
    memset(it, 0, sizeof *it);
    hr_assert_ok(hr_context_create(&it->context, "cpu", 2));
    hr_assert_ok(hr_context_take_queue(&it->queue, it->context));
    hr_assert_ok(hr_vit_init(&it->net, &it->params, shape));
    hr_assert_ok(hr_weights_create(&it->weights, it->queue, &it->params, it->params.count,
                                   &it->norms, 0, true, low));
    hr_assert_ok(hr_weights_draw(&it->weights, 1));
}

static void end(network *it)
{
    hr_weights_done(&it->weights);
    hr_layout_done(&it->params);
    hr_layout_done(&it->norms);
    hr_context_give_queue(it->queue);
    hr_context_drop(it->context);
}

static double *slot_values(const network *it, int32_t slot)
{
    const hr_slot *s = &it->params.slot[slot];
    hr_array part = hr_slice(&it->weights.value, s->offset, s->count);
    double *x = malloc((size_t)s->count * sizeof *x);

    ck_assert_ptr_nonnull(x);
    it->queue->be->download(it->queue, x, HR_F64, &part);
    hr_assert_ok(it->queue->be->sync(it->queue));
    return x;
}

/* Sine-cosine positions of an independent script: channels 1, 193, 385 and 577 of some tokens, for
 * D = 768 and a grid of 14 x 14. */
START_TEST(fixed_positions_have_the_golden_values)
{
    static const struct {
        int64_t token;
        double want[4];
    } golden[] = { { 0, { 0, 1, 0, 1 } },
                   { 1, { 0, 1, .815250650, .579108261 } },
                   { 14, { .815250650, .579108261, 0, 1 } },
                   { 195, { -.174370199, .984680168, -.174370199, .984680168 } } };
    hr_vit_shape shape = {
        .dim = 768, .depth = 1, .heads = 12, .patch = 16, .image_size = 224, .sincos = true
    };
    network it;
    double *x;

    begin(&it, &shape, false);
    x = slot_values(&it, it.net.position);
    for (int64_t c = 0; c < 768; c++)
        ck_assert_double_eq(x[c], 0);
    for (int i = 0; i < 4; i++)
        for (int k = 0; k < 4; k++)
            ck_assert_double_eq_tol(x[(1 + golden[i].token) * 768 + 192 * k + 1], golden[i].want[k],
                                    sizeof(real) > 4 ? 6e-10 : 7e-7);
    free(x);
    end(&it);
}
END_TEST

static const hr_vit_shape small = {
    .dim = 24, .depth = 3, .heads = 3, .patch = 4, .image_size = 8, .drop_path = 0.6
};
enum { N = 6, SIZE = 8, DIM = 24, BRANCHES = 6 };

/* factors of stochastic depth for these images: branch b of row n is keep[b][n] */
static void draw(real keep[BRANCHES][N], const network *it, int64_t step, const int64_t *image,
                 const int32_t *view)
{
    for (int n = 0; n < N; n++)
        hr_vit_draw_keep(&keep[0][n], N, &it->net, (hr_vit_row){ image[n], view[n] }, 9, step);
}

/* computes the class tokens [N, D] of a fixed set of images, taken in the order `order`; keep NULL:
 * without stochastic depth */
static void classes(double *out, network *it, hr_dtype run_type, const int64_t *order,
                    real keep[BRANCHES][N])
{
    enum { PIXELS = SIZE * SIZE * 3 };
    static real image[N * PIXELS], batch[N * PIXELS];
    hr_tape tape;
    hr_pass run = { .tape = &tape, .weights = &it->weights };
    hr_vit_input input = { 0 };
    hr_tensor *y;
    hr_array x;

    hr_fill_normal(image, N * PIXELS, 1);
    for (int n = 0; n < N; n++)
        memcpy(batch + n * PIXELS, image + order[n] * PIXELS, PIXELS * sizeof *image);
    hr_assert_ok(hr_tape_init(&tape, it->queue, run_type));
    x = hr_test_upload(&tape, run_type, 4, HR_DIM(N, SIZE, SIZE, 3), batch, HR_REAL);
    if (keep)
        input.keep = hr_test_upload(&tape, HR_REAL, 2, HR_DIM(BRANCHES, N), keep, HR_REAL);
    y = hr_vit_run(&it->net, &run, hr_wrap(&tape, &x, NULL), keep ? &input : NULL, -1);
    y = hr_vit_class(&run, y, N);
    hr_assert_ok(hr_tape_status(&tape));
    ck_assert_int_eq(y->x.dtype, HR_REAL);
    it->queue->be->download(it->queue, out, HR_F64, &y->x);
    hr_assert_ok(it->queue->be->sync(it->queue));
    hr_tape_done(&tape);
}

START_TEST(stochastic_depth_depends_on_the_image_not_on_its_row)
{
    static const int64_t order[N] = { 0, 1, 2, 3, 4, 5 }, other[N] = { 3, 5, 0, 1, 4, 2 };
    static const int32_t view[N] = { 0, 1, 0, 1, 0, 1 }, turned[N] = { 1, 1, 0, 1, 0, 0 };
    double a[N][DIM], b[N][DIM], c[N][DIM];
    real keep[BRANCHES][N];
    network it;
    int moved = 0;

    begin(&it, &small, false);
    ck_assert_int_eq(hr_vit_branches(&it.net), BRANCHES);
    draw(keep, &it, 3, order, view);
    classes(&a[0][0], &it, HR_REAL, order, keep);
    draw(keep, &it, 3, other, turned);
    classes(&b[0][0], &it, HR_REAL, other, keep);
    draw(keep, &it, 4, order, view);
    classes(&c[0][0], &it, HR_REAL, order, keep);
    for (int n = 0; n < N; n++) {
        hr_assert_close(b[n], a[other[n]], DIM, 1e-6, 0);
        moved += memcmp(a[n], c[n], sizeof a[n]) != 0;
    }
    ck_assert_int_gt(moved, 0);
    end(&it);
}
END_TEST

/* Rates 0, 0.3 and 0.6 in the three blocks: a branch that is kept counts 1, 1 / 0.7 and 1 / 0.4
 * times. */
START_TEST(a_branch_that_is_kept_makes_up_for_those_that_are_dropped)
{
    enum { IMAGES = 400 };
    static const double rate[] = { 0, 0.3, 0.6 };
    int dropped[BRANCHES] = { 0 };
    real keep[BRANCHES];
    hr_vit_shape none = small;
    network it;

    begin(&it, &small, false);
    for (int64_t i = 0; i < IMAGES; i++) {
        hr_vit_draw_keep(keep, 1, &it.net, (hr_vit_row){ i, 0 }, 9, 3);
        for (int b = 0; b < BRANCHES; b++)
            if (keep[b] == 0)
                dropped[b]++;
            else
                ck_assert_double_eq_tol((double)keep[b], 1 / (1 - rate[b / 2]), 1e-6);
    }
    ck_assert_int_eq(dropped[0] + dropped[1], 0);
    for (int b = 2; b < BRANCHES; b++) /* four standard deviations of at most 0.025 */
        ck_assert_double_eq_tol(dropped[b] / (double)IMAGES, rate[b / 2], 0.1);
    ck_assert_int_eq(hr_vit_grid(&it.net), 2);
    end(&it);
    none.drop_path = 0;
    begin(&it, &none, false);
    ck_assert_int_eq(hr_vit_branches(&it.net), 0);
    end(&it);
}
END_TEST

START_TEST(a_transformer_in_bf16_stays_close_to_one_in_real)
{
    static const int64_t order[N] = { 0, 1, 2, 3, 4, 5 };
    double a[N][DIM], b[N][DIM];
    network it;

    begin(&it, &small, true);
    classes(&a[0][0], &it, HR_REAL, order, NULL);
    classes(&b[0][0], &it, HR_BF16, order, NULL);
    hr_assert_distance(&b[0][0], &a[0][0], N * DIM, 0.02);
    end(&it);
}
END_TEST

START_TEST(images_whose_side_is_no_multiple_of_the_patch_are_refused)
{
    network it;
    hr_tape tape;
    hr_pass run = { .tape = &tape };
    hr_array x;

    begin(&it, &small, false);
    run.weights = &it.weights;
    hr_assert_ok(hr_tape_init(&tape, it.queue, HR_REAL));
    x = hr_tape_array(&tape, HR_REAL, 4, (int64_t[]){ 1, 10, 10, 3 });
    hr_vit_run(&it.net, &run, hr_wrap(&tape, &x, NULL), NULL, -1);
    hr_assert_fails(hr_tape_status(&tape), HIRL_E_INVALID, "multiple of the patch size 4");
    hr_tape_done(&tape);
    end(&it);
}
END_TEST

HR_TESTS("vit", parameters_have_timms_names, named_shapes_have_timms_parameter_counts,
         an_unknown_name_has_no_shape, invalid_shapes_are_refused,
         fixed_positions_have_the_golden_values,
         stochastic_depth_depends_on_the_image_not_on_its_row,
         a_branch_that_is_kept_makes_up_for_those_that_are_dropped,
         a_transformer_in_bf16_stays_close_to_one_in_real,
         images_whose_side_is_no_multiple_of_the_patch_are_refused)
