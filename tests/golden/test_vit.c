/* test_vit.c - compares vision transformers with dumps that an independent
 * float64 program wrote (vit.py, README.md).
 *
 * Compares initial values, all tokens and all gradients, for learned and fixed
 * positions, larger and smaller images, stochastic depth, masks and a frozen patch
 * embedding. In the double build every dumped number agrees to 1e-8 of its tensor's
 * norm; in float32 |a - b| <= 1e-4 |b| + 1e-6 max |b_t|.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "context.h"
#include "golden/dump.h"
#include "nn/vit.h"
#include "support/close.h"
#include "support/run.h"
#include "support/tape.h"

static const char *const files[] = { "vit_learned.txt", "vit_sincos.txt", "vit_resized.txt",
                                     "vit_smaller.txt" };
enum { CASES = sizeof files / sizeof *files };
enum { MASK_VIEW = 3, CLASS_VIEW = 10, PATCH_VIEW = 11, MOVE_VIEW = 50 };

#ifdef HR_REAL_DOUBLE
static const dump_limit limit = { 1e-8, 1e-13 };
#else
static const dump_limit limit = { 1e-4, 1e-6 };
#endif

/* the network of one dump */
typedef struct replay {
    dump dump;
    hirl_context *context;
    hr_queue *queue;
    hr_layout params, norms;
    hr_weights weights;
    hr_tape tape;
    hr_vit net;
    int32_t mask_token;
    int64_t n, size, patches;
    uint64_t seed;
} replay;

static hr_vit_shape shape_of(const dump *d)
{
    return (hr_vit_shape){ .dim = dump_whole(d, "dim"),
                           .depth = (int32_t)dump_whole(d, "depth"),
                           .heads = (int32_t)dump_whole(d, "heads"),
                           .patch = (int32_t)dump_whole(d, "patch"),
                           .image_size = (int32_t)dump_whole(d, "native"),
                           .sincos = dump_whole(d, "sincos"),
                           .first = strcmp(dump_text(d, "first"), "xavier") ? HR_VIT_NORMAL
                                                                            : HR_VIT_XAVIER,
                           .drop_path = dump_number(d, "drop_path") };
}

static void begin(replay *r, const char *file)
{
    hr_vit_shape shape;
    int64_t side;

    memset(r, 0, sizeof *r);
    dump_read(&r->dump, file);
    shape = shape_of(&r->dump);
    r->n = dump_whole(&r->dump, "batch");
    r->size = dump_whole(&r->dump, "size");
    r->seed = (uint64_t)dump_whole(&r->dump, "seed");
    side = r->size / shape.patch;
    r->patches = side * side;
    hr_assert_ok(hr_context_create(&r->context, "cpu", 2));
    hr_assert_ok(hr_context_take_queue(&r->queue, r->context));
    hr_assert_ok(hr_vit_init(&r->net, &r->params, &shape));
    r->net.frozen_patch = dump_whole(&r->dump, "frozen");
    r->mask_token = hr_layout_add(&r->params, "mask_token", HR_FIRST_NORMAL, 0.02, 2,
                                  (int64_t[]){ 1, shape.dim });
    ck_assert_int_ge(r->mask_token, 0);
    hr_assert_ok(hr_weights_create(&r->weights, r->queue, &r->params, r->params.count, &r->norms, 0,
                                   true, false));
    hr_assert_ok(hr_weights_draw(&r->weights, r->seed));
    hr_assert_ok(hr_tape_init(&r->tape, r->queue, HR_REAL));
}

static void end(replay *r)
{
    hr_tape_done(&r->tape);
    hr_weights_done(&r->weights);
    hr_layout_done(&r->params);
    hr_layout_done(&r->norms);
    hr_context_give_queue(r->queue);
    hr_context_drop(r->context);
    dump_done(&r->dump);
}

/* compares every tensor of the layout, in file order, with the dump's tensor of this kind */
static void check_kind(const replay *r, const char *kind, const hr_array *flat)
{
    hr_tensors list;

    hr_tensors_init(&list);
    hr_assert_ok(hr_layout_save(&list, &r->params, r->params.count, flat, r->queue, ""));
    ck_assert_int_eq(dump_count(&r->dump, kind), r->params.count);
    for (int i = 0; i < r->params.count; i++) {
        const hr_slot *slot = &r->params.slot[i];
        const hr_named *found = hr_tensors_find(&list, slot->name);
        const dump_tensor *want = dump_find(&r->dump, slot->name, kind);
        double *x = dump_room(slot->count, sizeof *x);

        ck_assert_msg(want && want->position == i, "%s does not have position %d in the dump",
                      slot->name, i);
        for (int64_t e = 0; e < slot->count; e++)
            x[e] = (double)((const real *)found->data)[e];
        dump_check(&r->dump, slot->name, kind, x, slot->count, limit);
        free(x);
    }
    hr_tensors_done(&list);
}

/* adds `move` times normal draws to all weights, in file order */
static void move(replay *r)
{
    double by = dump_number(&r->dump, "move");
    hr_tensors list;

    hr_tensors_init(&list);
    hr_assert_ok(
        hr_layout_save(&list, &r->params, r->params.count, &r->weights.value, r->queue, ""));
    for (int i = 0; i < list.count; i++) {
        const hr_slot *slot = &r->params.slot[i];
        hr_rng rng;

        ck_assert_str_eq(list.item[i].name, slot->name);
        hr_rng_init(&rng, r->seed, HR_RNG_TEST, MOVE_VIEW, 0, (uint32_t)i);
        for (int64_t e = 0; e < slot->count; e++)
            ((real *)list.item[i].data)[e] += (real)(by * hr_rng_normal(&rng));
    }
    hr_assert_ok(
        hr_layout_load(&r->weights.value, &r->params, r->params.count, r->queue, &list, ""));
    hr_tensors_done(&list);
}

/* A constant of normal draws from the generator (view, 0, image) on the tape; by_row: row r has
 * image = r, otherwise image = 0. */
static hr_tensor *constant(replay *r, int rank, const int64_t *dim, uint32_t view, bool by_row)
{
    int64_t row = 1, n;
    double *x;
    hr_array a;
    hr_rng rng;

    for (int i = 1; i < rank; i++)
        row *= dim[i];
    n = dim[0] * row;
    x = dump_room(n, sizeof *x);
    hr_rng_init(&rng, r->seed, HR_RNG_TEST, view, 0, 0);
    for (int64_t i = 0; i < n; i++) {
        if (by_row && i % row == 0)
            hr_rng_init(&rng, r->seed, HR_RNG_TEST, view, 0, (uint32_t)(i / row));
        x[i] = hr_rng_normal(&rng);
    }
    a = hr_test_upload(&r->tape, HR_REAL, rank, dim, x, HR_F64);
    free(x);
    return hr_leaf(&r->tape, &a, NULL);
}

/* 1 for a share of the patches, else 0 */
static void draw_masks(replay *r, hr_vit_input *input)
{
    double share = dump_number(&r->dump, "mask");
    int64_t count = r->n * r->patches;
    real *kept = dump_room(count, sizeof *kept), *masked = dump_room(count, sizeof *masked);

    for (int64_t n = 0; n < r->n; n++) {
        hr_rng rng;

        hr_rng_init(&rng, r->seed, HR_RNG_TEST, MASK_VIEW, 0, (uint32_t)n);
        for (int64_t p = n * r->patches; p < (n + 1) * r->patches; p++) {
            masked[p] = hr_rng_uniform(&rng) < share;
            kept[p] = 1 - masked[p];
        }
    }
    input->kept = hr_test_upload(&r->tape, HR_REAL, 1, &count, kept, HR_REAL);
    input->masked = hr_test_upload(&r->tape, HR_REAL, 1, &count, masked, HR_REAL);
    free(kept);
    free(masked);
}

static void draw_keep(replay *r, hr_vit_input *input)
{
    int64_t dim[] = { hr_vit_branches(&r->net), r->n };
    real *keep = dump_room(dim[0] * dim[1], sizeof *keep);

    for (int64_t n = 0; n < r->n; n++)
        hr_vit_draw_keep(keep + n, r->n, &r->net, (hr_vit_row){ 5 * n + 2, (int32_t)(n % 2) },
                         r->seed, 7);
    input->keep = hr_test_upload(&r->tape, HR_REAL, 2, dim, keep, HR_REAL);
    free(keep);
}

static void weigh_positions(replay *r, hr_vit_input *input)
{
    int64_t from = hr_vit_grid(&r->net), to = r->size / r->net.shape.patch;
    int64_t dim[] = { 1 + to * to, 1 + from * from };
    real *weight = dump_room(dim[0] * dim[1], sizeof *weight);

    hr_position_weights(weight, from, to);
    input->positions = hr_test_upload(&r->tape, HR_REAL, 2, dim, weight, HR_REAL);
    free(weight);
}

static hr_tensor *tokens_of(replay *r)
{
    hr_pass run = { .tape = &r->tape, .weights = &r->weights };
    hr_tensor *x = constant(r, 4, HR_DIM(r->n, r->size, r->size, 3), 0, true), *y;
    hr_vit_input input = { 0 };

    if (dump_number(&r->dump, "mask") > 0)
        draw_masks(r, &input);
    if (hr_vit_branches(&r->net))
        draw_keep(r, &input);
    if (r->size != r->net.shape.image_size)
        weigh_positions(r, &input);
    y = hr_vit_run(&r->net, &run, x, &input, r->mask_token);
    hr_assert_ok(hr_tape_status(&r->tape));
    return y;
}

/* mean <class token, r> + mean <patch token, r'>, r and r' normal draws */
static hr_tensor *loss_of(replay *r, hr_tensor *tokens)
{
    hr_pass run = { .tape = &r->tape, .weights = &r->weights };
    hr_tensor *first = hr_vit_class(&run, tokens, r->n);
    hr_tensor *patches = hr_vit_patches(&run, tokens, r->n);
    int64_t dim = r->net.shape.dim;

    first =
        hr_row_dot(&r->tape, first, constant(r, 2, (int64_t[]){ r->n, dim }, CLASS_VIEW, false));
    patches = hr_row_dot(&r->tape, patches,
                         constant(r, 2, (int64_t[]){ r->n * r->patches, dim }, PATCH_VIEW, false));
    return hr_add(&r->tape, hr_mean(&r->tape, first), hr_mean(&r->tape, patches));
}

static void check_tokens(replay *r, const hr_tensor *tokens)
{
    int64_t count = hr_count(&tokens->x);
    double *x = dump_room(count, sizeof *x);

    ck_assert_int_eq(tokens->x.dim[0], r->n * (1 + r->patches));
    r->queue->be->download(r->queue, x, HR_F64, &tokens->x);
    hr_assert_ok(r->queue->be->sync(r->queue));
    dump_check(&r->dump, "tokens", "tokens", x, count, limit);
    free(x);
}

START_TEST(a_transformer_matches_the_float64_reference)
{
    hr_tensor *tokens;
    replay r;

    begin(&r, files[_i]);
    check_kind(&r, "weight", &r.weights.value);
    move(&r);
    tokens = tokens_of(&r);
    check_tokens(&r, tokens);
    hr_assert_ok(hr_tape_backward(&r.tape, loss_of(&r, tokens)));
    check_kind(&r, "gradient", &r.weights.grad);
    end(&r);
}
END_TEST

static Suite *vit(void)
{
    Suite *suite = suite_create("golden-vit");
    TCase *tests = tcase_create("vit");

    tcase_add_loop_test(tests, a_transformer_matches_the_float64_reference, 0, CASES);
    suite_add_tcase(suite, tests);
    return suite;
}

HR_TEST_MAIN(vit)
