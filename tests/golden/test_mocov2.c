/* test_mocov2.c - replays whole small trainings with MoCo v2 and compares them with dumps that an
 * independent float64 program wrote (README.md).
 *
 * In the double build every dumped number agrees to 1e-8 of its tensor's norm; in float32 losses
 * agree to 1e-5 and each tensor to |a - b| <= 1e-3 |b| + 1e-6 max |b_t|. ResNet-50 amplifies
 * rounding tenfold, and has so many ReLU inputs that float32 always puts some on the wrong side of
 * 0, where gradients jump. For ResNet-50 the float32 build therefore checks only losses (to 1e-4),
 * running statistics and the queue.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/rates.h"
#include "context.h"
#include "golden/replay.h"
#include "step/state.h"
#include "step/step.h"
#include "support/close.h"
#include "support/run.h"
#include "task/paths.h"

static const struct {
    const char *file;
    bool deep; /* amplifies rounding, so gradients jump in float32 */
} golden[] = { { "mocov2_paper.txt", false },
               { "mocov2_reference.txt", false },
               { "mocov2_plain.txt", false },
               { "mocov2_resnet50.txt", true } };
enum { CASES = sizeof golden / sizeof *golden, VIEWS = 2 };

#ifdef HR_REAL_DOUBLE
static const dump_limit limit = { 1e-8, 0 };
static const double LOSS_LIMIT = 1e-8;
static const bool single = false;
#else
static const dump_limit limit = { 1e-3, 1e-6 };
static const double LOSS_LIMIT = 1e-5;
static const bool single = true;
#endif

/* names in a dump and the library's keys */
static const char *const keys[][2] = {
    { "arch", "arch" },
    { "stem", "stem" },
    { "width", "width" },
    { "profile", "profile" },
    { "seed", "seed" },
    { "batch", "batch_size" },
    { "size", "image_size" },
    { "groups", "bn_groups" },
    { "groups", "path_bn_groups" },
    { "queue", "queue" },
    { "dim", "z_dim" },
    { "negatives", "negatives" },
    { "epochs", "epochs" },
    { "warmup", "cluster_warmup_epoch" },
    { "lr", "lr" },
    { "decay", "weight_decay" },
    { "sgd_momentum", "momentum" },
    { "momentum", "ema" },
    { "temperature", "temperature" },
};

/* the replay of one dump, with the buffers for the input of its steps */
typedef struct replay {
    dump dump;
    hr_run_config config;
    hirl_context *context;
    hr_call call;
    hr_learner *learner;
    hr_pretrain *task;
    int64_t n, size, negatives;
    double loss_limit;
    bool reference; /* profile reference */
    bool gradients; /* compare gradients and the parameters they update */
    float *view[VIEWS];
    int64_t *image;
    int32_t *leaf, *negative;
} replay;

static hr_pretrain_config config_of(replay *r)
{
    hr_pretrain_config c;
    hr_run_views views;
    hirl_options *options;

    hr_assert_ok(hirl_options_create(&options));
    replay_set(options, "method", "mocov2");
    replay_set(options, "head_layers", "2");
    replay_set_all(options, &r->dump, keys, sizeof keys / sizeof *keys);
    replay_set_levels(options, &r->dump);
    c = replay_config(&r->config, &views, options);
    hirl_options_destroy(options);
    return c;
}

static void begin(replay *r, int number)
{
    static hr_pretrain_config c; /* several KiB, too large for the stack frame */

    memset(r, 0, sizeof *r);
    dump_read(&r->dump, golden[number].file);
    r->gradients = !(single && golden[number].deep);
    r->loss_limit = r->gradients ? LOSS_LIMIT : 10 * LOSS_LIMIT;
    r->size = dump_whole(&r->dump, "size");
    r->negatives = dump_whole(&r->dump, "negatives");
    c = config_of(r);
    r->reference = c.reference;
    r->n = c.learner.batch;
    for (int v = 0; v < VIEWS; v++)
        r->view[v] = dump_room(r->n * r->size * r->size * 3, sizeof *r->view[v]);
    r->image = dump_room(r->n, sizeof *r->image);
    r->leaf = dump_room(r->n, sizeof *r->leaf);
    r->negative = dump_room(r->n * r->negatives, sizeof *r->negative);
    hr_assert_ok(hr_context_create(&r->context, "cpu", 2));
    hr_assert_ok(hr_context_enter(&r->call, r->context));
    hr_assert_ok(hr_pretrain_create(&r->learner, &r->task, r->context, &c));
    if (c.levels) {
        hirl_tree *tree =
            replay_tree(r->context, c.levels, c.model.z_dim, r->config.m, c.learner.seed);

        hr_assert_ok(hr_pretrain_set_tree(r->task, tree));
        hr_tree_drop(tree);
    }
}

static void end(replay *r)
{
    hr_learner_destroy(r->learner);
    hr_assert_ok(hr_context_leave(&r->call, HIRL_OK));
    hr_context_drop(r->context);
    for (int v = 0; v < VIEWS; v++)
        free(r->view[v]);
    free(r->image);
    free(r->leaf);
    free(r->negative);
    dump_done(&r->dump);
}

/* Draws a positive leaf and negative ones. In profile reference a draw may hit the positive leaf;
 * -1 excludes it. */
static void draw_paths(replay *r, int64_t step)
{
    for (int64_t n = 0; n < r->n; n++) {
        r->leaf[n] = (int32_t)((7 * n + 3) % r->config.m[0]);
        for (int64_t k = 0; k < r->negatives; k++) {
            int64_t mixed = 31 * n + 17 * k + 13 * step;
            int64_t other =
                r->reference ? mixed % r->config.m[0] : 1 + mixed % (r->config.m[0] - 1);
            int32_t drawn = (int32_t)((r->leaf[n] + other) % r->config.m[0]);

            r->negative[n * r->negatives + k] = drawn == r->leaf[n] ? -1 : drawn;
        }
    }
}

static hr_step_input input_of(replay *r, int64_t step)
{
    bool stage_two = r->task->paths.tree && step >= dump_whole(&r->dump, "warmup");
    hr_step_input in = {
        .n = r->n,
        .view = { r->view[0], r->view[1] },
        .size = { r->size, r->size },
        .image = r->image,
        .leaf = stage_two ? r->leaf : NULL,
        .negative = stage_two ? r->negative : NULL,
        .globals = VIEWS,
        .views = VIEWS,
        .rates = hr_rates_at(&r->config.train, step, 1),
        .step = step,
    };

    for (int v = 0; v < VIEWS; v++)
        replay_images(r->view[v], r->task->config.learner.seed, v, step, r->n, r->size);
    replay_ids(r->image, r->n, step);
    if (stage_two)
        draw_paths(r, step);
    return in;
}

static void check_number(const char *what, int64_t step, double got, double want, double relative)
{
    ck_assert_msg(fabs(got - want) <= relative * fabs(want),
                  "step %lld: %s is %.17g, expected %.17g", (long long)step, what, got, want);
}

/* Compares all tensors of one kind in the dump with those named prefix + name in `list`. */
static void check_kind(const dump *d, const char *kind, const hr_tensors *list, const char *prefix,
                       int64_t expected)
{
    ck_assert_int_eq(dump_count(d, kind), expected);
    for (int64_t i = 0; i < d->tensors; i++) {
        const dump_tensor *b = &d->tensor[i];
        double *x;

        if (strcmp(b->kind, kind))
            continue;
        x = replay_values(b, list, prefix);
        dump_check(d, b->name, kind, x, b->count, limit);
        free(x);
    }
}

static void check_gradients(replay *r, int64_t step)
{
    const hr_net *net = &r->task->net;
    bool all = r->task->paths.tree && step >= dump_whole(&r->dump, "warmup");
    char kind[DUMP_NAME];
    hr_tensors list;

    snprintf(kind, sizeof kind, "gradient.%lld", (long long)step);
    hr_tensors_init(&list);
    replay_gradients(&list, r->learner);
    check_kind(&r->dump, kind, &list, "", all ? net->params.count : net->method_params);
    hr_tensors_done(&list);
}

static void check_state(replay *r)
{
    const hr_net *net = &r->task->net;
    const dump *d = &r->dump;
    hr_tensors list;

    hr_tensors_init(&list);
    hr_assert_ok(hr_learner_save(&list, r->learner));
    check_kind(d, "running", &list, "online.", net->norms.count);
    check_kind(d, "teacher_running", &list, "teacher.", net->method_norms);
    if (r->gradients) {
        check_kind(d, "weight", &list, "online.", net->params.count);
        check_kind(d, "teacher", &list, "teacher.", net->method_params);
    }
    if (dump_count(d, "moment")) /* absent after a single step */
        check_kind(d, "moment", &list, "momentum.", net->params.count);
    check_kind(d, "queue", &list, "", 2);
    hr_tensors_done(&list);
}

START_TEST(training_matches_the_float64_reference)
{
    static replay r;

    begin(&r, _i);
    replay_positions(&r.dump, r.learner);
    for (int64_t step = 0; step < r.dump.steps; step++) {
        const dump_step *want = &r.dump.step[step];
        hr_step_input in = input_of(&r, step);
        hr_step_result got;

        hr_assert_ok(hr_learner_step(&got, r.learner, &in));
        check_number("learning rate", step, in.rates.rate, want->rate, 1e-15);
        check_number("image loss", step, got.loss_image, want->image_loss, r.loss_limit);
        check_number("path loss", step, got.loss_spd, want->path_loss, r.loss_limit);
        check_number("loss", step, got.loss, want->loss, r.loss_limit);
        if (r.gradients)
            check_gradients(&r, step);
    }
    check_state(&r);
    end(&r);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("mocov2");
    TCase *cases = tcase_create("golden");

    tcase_add_loop_test(cases, training_matches_the_float64_reference, 0, CASES);
    suite_add_tcase(suite, cases);
    return suite;
}

HR_TEST_MAIN(make_suite)
