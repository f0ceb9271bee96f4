/* test_ssl.c - replays whole small trainings of every method and compares them with dumps that an
 * independent float64 program wrote (README.md).
 *
 * A run sets the options that its dump names and keeps the method's defaults for the others, in
 * both profiles, so the test covers default settings and schedules too. In the double build every
 * number of a dump agrees to 1e-8 of its tensor's norm; in float32 losses agree to 1e-5 (1e-4 with
 * Adam) and tensors to |a - b| <= 1e-3 |b| + 1e-6 max |b_t|. Adam divides a gradient by its size:
 * if the gradient is only rounding error, the direction of the step is arbitrary. The float32 build
 * therefore checks parameters trained with AdamW through their moments and the gradients of later
 * steps.
 *
 * HIRL_TEST_DUMP=FILE: replay this dump instead of the stored ones.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/rates.h"
#include "context.h"
#include "golden/hosts.h"
#include "golden/replay.h"
#include "ssl/method_table.h"
#include "step/state.h"
#include "step/step.h"
#include "support/close.h"
#include "support/run.h"
#include "task/paths.h"

static const char *const golden[] = {
    "simsiam_plain.txt",  "simsiam_paper.txt",  "swav_plain.txt",       "swav_paper.txt",
    "swav_reference.txt", "swav_queue.txt",     "swav_anew.txt",        "swav_reference_anew.txt",
    "mocov3_plain.txt",   "mocov3_paper.txt",   "mocov3_reference.txt", "dino_plain.txt",
    "dino_paper.txt",     "dino_reference.txt", "ibot_plain.txt",       "ibot_paper.txt",
    "ibot_reference.txt", "simclr_plain.txt",   "simclr_paper.txt",     "simsiam_views.txt",
    "swav_views.txt",     "dino_views.txt",     "ibot_views.txt",
};
/* dumps that are also replayed with method=own: the application's loss in place of the library's */
static const char *const by_application[] = { "simsiam_plain.txt", "simsiam_paper.txt",
                                              "mocov3_plain.txt", "mocov3_paper.txt" };
enum {
    APPLICATION_CASES = sizeof by_application / sizeof *by_application,
    CASES = sizeof golden / sizeof *golden
};

#ifdef HR_REAL_DOUBLE
static const bool single = false;
static const double LOSS_LIMIT = 1e-8;
#else
static const bool single = true;
static const double LOSS_LIMIT = 1e-5;
#endif

/* names in a dump and the library's keys */
static const char *const keys[][2] = {
    { "profile", "profile" },
    { "seed", "seed" },
    { "batch", "batch_size" },
    { "size", "image_size" },
    { "globals", "global_crops_number" },
    { "groups", "bn_groups" },
    { "path_groups", "path_bn_groups" },
    { "path_depth", "head_layers" },
    { "dim", "z_dim" },
    { "hidden", "hidden_dim" },
    { "negatives", "negatives" },
    { "reassign", "iter_wise_assignment" },
    { "epochs", "epochs" },
    { "warmup", "cluster_warmup_epoch" },
    { "clip", "clip_grad" },
    { "lr", "lr" },
    { "lr_start", "warmup_lr" },
    { "lr_end", "min_lr" },
    { "lr_warmup", "warmup_epochs" },
    { "decay", "weight_decay" },
    { "decay_end", "weight_decay_end" },
    { "sgd_momentum", "momentum" },
    { "momentum", "ema" },
    { "temperature", "temperature" },
    { "teacher_temperature", "warmup_teacher_temperature" },
    { "teacher_temperature_end", "teacher_temperature" },
    { "teacher_warmup", "warmup_teacher_temperature_epochs" },
};
static const char *const resnet_keys[][2] = { { "arch", "arch" },
                                              { "width", "width" },
                                              { "stem", "stem" } };
static const char *const vit_keys[][2] = { { "patch", "patch_size" },
                                           { "vit_dim", "vit_dim" },
                                           { "vit_depth", "vit_depth" },
                                           { "vit_heads", "vit_heads" },
                                           { "drop_path", "drop_path" } };
static const char *const last_keys[][2] = { { "outputs", "out_dim" },
                                            { "freeze", "freeze_last_layer" },
                                            { "freeze", "freeze_prototypes" } };
static const char *const predictor_keys[][2] = { { "predictor", "predictor_dim" } };
static const char *const queue_keys[][2] = { { "queue", "queue" } };

#define COUNT(list) ((int)(sizeof(list) / sizeof *(list)))

/* the replay of one dump, with the buffers for the input of its steps */
typedef struct replay {
    dump dump;
    hr_run_config config;
    hr_run_views views;
    hirl_context *context;
    hr_call call;
    hr_learner *learner;
    hr_pretrain *task;
    int64_t n, patches; /* images in a batch; patches in a global view, 0 for ResNet */
    bool reference, adam;
    float *view[HR_METHOD_VIEWS];
    uint8_t *mask[HR_METHOD_VIEWS];
    int64_t *image;
    int32_t *leaf, *negative, *chosen;
} replay;

static bool is(const dump *d, const char *key, const char *value)
{
    return !strcmp(dump_text(d, key), value);
}

/* ---- options ---- */

/* Declares the networks of method=own: for simsiam and mocov3 by the library's own settings of that
 * method, for simclr by the keys below. */
static void declare(hirl_options *o, const char *method)
{
    const hr_setting_pair *pair = NULL;

    replay_set(o, "method", "own");
    replay_set(o, "head", "mlp hidden z bn");
    if (!strcmp(method, "simsiam"))
        pair = hr_method_simsiam.paper;
    else if (!strcmp(method, "mocov3"))
        pair = hr_method_mocov3.paper;
    replay_set(o, "joint_views", pair ? "0" : "1");
    replay_set(o, "own_teacher", pair == hr_method_mocov3.paper ? "1" : "0");
    for (; pair && pair->key; pair++)
        replay_set(o, pair->key, pair->value);
    replay_set(o, "base_lr", "0"); /* dumps set lr */
}

static hirl_options *options_of(const dump *d, int64_t accumulate, bool own)
{
    char count[DUMP_VALUE];
    hirl_options *o;

    hr_assert_ok(hirl_options_create(&o));
    if (own)
        declare(o, dump_text(d, "method"));
    else
        replay_set(o, "method", dump_text(d, "method"));
    replay_set_all(o, d, keys, COUNT(keys));
    if (is(d, "arch", "vit")) {
        replay_set(o, "arch", "vit_micro_patch4_32");
        replay_set_all(o, d, vit_keys, COUNT(vit_keys));
    } else {
        replay_set_all(o, d, resnet_keys, COUNT(resnet_keys));
    }
    if (is(d, "method", "swav") || is(d, "method", "dino") || is(d, "method", "ibot"))
        replay_set_all(o, d, last_keys, COUNT(last_keys));
    if (is(d, "method", "simsiam") || is(d, "method", "mocov3"))
        replay_set_all(o, d, predictor_keys, COUNT(predictor_keys));
    if (is(d, "method", "mocov2") || is(d, "method", "swav"))
        replay_set_all(o, d, queue_keys, COUNT(queue_keys));
    replay_set(o, "queue_start", "0");
    snprintf(count, sizeof count, "%lld", (long long)accumulate);
    replay_set(o, "accumulate", count);
    replay_set_list(o, "local_crops_number", d, "locals");
    replay_set_list(o, "local_crops_size", d, "local_sizes");
    replay_set_levels(o, d);
    return o;
}

/* ---- input of steps ---- */

static void draw_masks(replay *r, int64_t step)
{
    for (int64_t v = 0; v < r->views.globals; v++)
        for (int64_t n = 0; n < r->n; n++)
            for (int64_t i = 0; i < r->patches; i++)
                r->mask[v][n * r->patches + i] =
                    (n + v + step) % 2 == 0 && (7 * i + 3 * n + 5 * v + step) % 3 == 0;
}

/* Draws negative leaves. In profile reference a draw may hit the positive leaf; -1 excludes it. */
static void draw_negatives(replay *r, const int32_t *leaf, int64_t step)
{
    int64_t leaves = r->config.m[0], negatives = r->config.spd.negatives;

    for (int64_t n = 0; n < r->n; n++)
        for (int64_t k = 0; k < negatives; k++) {
            int64_t mixed = 31 * n + 17 * k + 13 * step;
            int64_t other = r->reference ? mixed % leaves : 1 + mixed % (leaves - 1);
            int32_t drawn = (int32_t)((leaf[n] + other) % leaves);

            r->negative[n * negatives + k] = drawn == leaf[n] ? -1 : drawn;
        }
}

/* The numbers that a step with reassigned leaves turns into the negatives above (hier/paths.h). */
static void draw_numbers(replay *r, const int32_t *leaf)
{
    int64_t negatives = r->config.spd.negatives;

    for (int64_t i = 0; i < r->n * negatives; i++) {
        int32_t positive = leaf[i / negatives], drawn = r->negative[i];

        if (drawn < 0)
            r->negative[i] = positive;
        else if (!hr_spd_draws_all(&r->config.spd))
            r->negative[i] = drawn - (drawn > positive);
    }
}

/* Uses the fixed leaves of the test tree. With iter_wise_assignment the step reassigns them; an
 * evaluation of the same batch, which changes nothing, finds out which leaves the negatives are
 * for. */
static void choose_paths(replay *r, hr_step_input *in)
{
    hr_step_result ignored;

    for (int64_t n = 0; n < r->n; n++)
        r->leaf[n] = (int32_t)((7 * n + 3) % r->config.m[0]);
    draw_negatives(r, r->leaf, in->step);
    if (!r->config.train.iter_wise_assignment)
        return;
    in->chosen = r->chosen;
    draw_numbers(r, r->leaf);
    hr_assert_ok(hr_learner_evaluate(&ignored, r->learner, in));
    draw_negatives(r, r->chosen, in->step);
    draw_numbers(r, r->chosen);
}

static void check_leaves(replay *r, const hr_step_input *in)
{
    char kind[DUMP_NAME];
    double *chosen = dump_room(r->n, sizeof *chosen);

    for (int64_t n = 0; n < r->n; n++)
        chosen[n] = in->chosen[n];
    snprintf(kind, sizeof kind, "leaf.%lld", (long long)in->step);
    dump_check(&r->dump, "leaf", kind, chosen, r->n, (dump_limit){ 1e-12, 0 });
    free(chosen);
}

static bool is_stage_two(const replay *r, int64_t step)
{
    return r->task->paths.tree && step >= r->config.train.cluster_warmup_epoch;
}

static hr_step_input input_of(replay *r, int64_t step)
{
    bool paths = is_stage_two(r, step);
    hr_step_input in = {
        .n = r->n,
        .globals = r->views.globals,
        .views = r->views.count,
        .image = r->image,
        .leaf = paths ? r->leaf : NULL,
        .negative = paths ? r->negative : NULL,
        .rates = hr_rates_at(&r->config.train, step, 1),
        .step = step,
    };

    for (int v = 0; v < in.views; v++) {
        in.view[v] = r->view[v];
        in.size[v] = r->views.view[v].size;
        replay_images(r->view[v], r->task->config.learner.seed, v, step, r->n, in.size[v]);
    }
    for (int v = 0; v < in.globals && r->task->method->patches; v++)
        in.mask[v] = r->mask[v];
    replay_ids(r->image, r->n, step);
    draw_masks(r, step);
    if (paths)
        choose_paths(r, &in);
    return in;
}

/* ---- start and end ---- */

static void allocate_input(replay *r)
{
    const dump *d = &r->dump;
    int64_t side = is(d, "arch", "vit") ? dump_whole(d, "size") / dump_whole(d, "patch") : 0;

    r->n = dump_whole(d, "batch");
    r->patches = side * side;
    for (int v = 0; v < r->views.count; v++) {
        int64_t size = r->views.view[v].size;

        r->view[v] = dump_room(r->n * size * size * 3, sizeof *r->view[v]);
        r->mask[v] = dump_room(r->n * r->patches, 1);
    }
    r->image = dump_room(r->n, sizeof *r->image);
    r->leaf = dump_room(r->n, sizeof *r->leaf);
    r->chosen = dump_room(r->n, sizeof *r->chosen);
    r->negative = dump_room(r->n * dump_whole(d, "negatives"), sizeof *r->negative);
}

static void begin(replay *r, const char *file, int64_t accumulate, bool own)
{
    hr_pretrain_config c;
    hirl_options *options;

    memset(r, 0, sizeof *r);
    dump_read(&r->dump, file);
    own |= is(&r->dump, "method", "simclr");
    options = options_of(&r->dump, accumulate, own);
    c = replay_config(&r->config, &r->views, options);
    allocate_input(r);
    c.mask_most = r->patches; /* the test's masks may mask any patch */
    hirl_options_destroy(options);
    r->reference = is(&r->dump, "profile", "reference");
    r->adam = r->config.train.optimizer == HR_OPTIM_ADAMW;
    hr_assert_ok(hr_context_create(&r->context, "cpu", 2));
    hr_assert_ok(hr_context_enter(&r->call, r->context));
    hr_assert_ok(hr_pretrain_create(&r->learner, &r->task, r->context, &c));
    if (own) {
        hirl_method_calls calls = host_calls(dump_text(&r->dump, "method"));

        hr_assert_ok(hr_pretrain_set_calls(r->task, &calls));
    }
    if (c.levels) {
        hirl_tree *tree = replay_tree(r->context, r->config.levels, r->config.model.z_dim,
                                      r->config.m, (uint64_t)r->config.train.seed);

        hr_assert_ok(hr_pretrain_set_tree(r->task, tree));
        hr_tree_drop(tree);
    }
}

static void end(replay *r)
{
    hr_learner_destroy(r->learner);
    hr_assert_ok(hr_context_leave(&r->call, HIRL_OK));
    hr_context_drop(r->context);
    for (int v = 0; v < HR_METHOD_VIEWS; v++) {
        free(r->view[v]);
        free(r->mask[v]);
    }
    free(r->image);
    free(r->leaf);
    free(r->chosen);
    free(r->negative);
    dump_done(&r->dump);
}

/* ---- comparisons ---- */

static void check_number(const char *what, int64_t step, double got, double want, double limit)
{
    ck_assert_msg(fabs(got - want) <= limit, "step %lld: %s is %.17g, expected %.17g",
                  (long long)step, what, got, want);
}

static void check_rates(const hr_rates *got, const dump_step *want, int64_t step)
{
    check_number("learning rate", step, got->rate, want->rate, 1e-15);
    check_number("weight decay", step, got->decay, want->decay, 1e-15);
    check_number("the teacher's momentum", step, got->ema, want->momentum, 1e-15);
    check_number("the teacher's temperature", step, got->teacher_temperature, want->temperature,
                 1e-15);
}

/* The gradient of a bias before batch norm is pure rounding error, which LARC and Adam scale up to
 * full steps. */
static bool is_rounding(const dump *d, const char *name)
{
    return (is(d, "method", "swav") && !strcmp(name, "head.0.bias")) ||
           (is(d, "method", "mocov3") && !strcmp(name, "norm.bias"));
}

/* A third of this tensor is the bias of keys, which softmax cancels: its gradient is rounding
 * error. */
static bool is_partly_rounding(const char *name)
{
    return strstr(name, ".attn.qkv.bias") != NULL;
}

static bool is_moved(const char *kind)
{
    return !strcmp(kind, "weight") || !strcmp(kind, "teacher");
}

static bool is_comparable(const replay *r, const char *kind, const char *name)
{
    bool rounding = is_rounding(&r->dump, name);

    if (r->adam && is_moved(kind))
        return !single && !rounding;
    return !single || !rounding;
}

/* Adam turns rounding errors into steps: errors of 1e-10 in double. In float32 they also reach the
 * running statistics. */
static dump_limit limit_of(const replay *r, const char *kind, const char *name)
{
    bool moved = r->adam && is_moved(kind);

    if (!single)
        return (dump_limit){ is_rounding(&r->dump, name) || (moved && is_partly_rounding(name))
                                 ? 1e-6
                                 : 1e-8,
                             moved ? 1e-11 : 1e-12 };
    return (dump_limit){ r->adam && strstr(kind, "running") ? 5e-3 : 1e-3, 1e-6 };
}

/* Compares all tensors of one kind in the dump with those named prefix + name in `list`. Returns
 * their number. */
static int64_t check_kind(const replay *r, const char *kind, const hr_tensors *list,
                          const char *prefix)
{
    const dump *d = &r->dump;
    int64_t seen = 0;

    for (int64_t i = 0; i < d->tensors; i++) {
        const dump_tensor *b = &d->tensor[i];
        double *x;

        if (strcmp(b->kind, kind))
            continue;
        seen++;
        x = replay_values(b, list, prefix);
        if (is_comparable(r, kind, b->name))
            dump_check(d, b->name, kind, x, b->count, limit_of(r, kind, b->name));
        free(x);
    }
    return seen;
}

/* Clips the dumped gradients as the learner does in place: each parameter by its norm, or all by
 * the global norm. */
static void clip(replay *r, const char *kind)
{
    const hr_optim_config *c = &r->learner->config.optim;
    double square = 0;

    for (int64_t i = 0; i < r->dump.tensors; i++)
        if (!strcmp(r->dump.tensor[i].kind, kind))
            square += r->dump.tensor[i].norm * r->dump.tensor[i].norm;
    for (int64_t i = 0; i < r->dump.tensors && c->clip != HR_CLIP_NONE; i++) {
        dump_tensor *b = &r->dump.tensor[i];
        double norm = c->clip == HR_CLIP_GLOBAL ? sqrt(square) : b->norm;

        if (!strcmp(b->kind, kind))
            dump_scale(b, fmin(1, c->clip_limit / (norm + 1e-6)));
    }
}

static void check_gradients(replay *r, int64_t step)
{
    char kind[DUMP_NAME];
    hr_tensors list;

    snprintf(kind, sizeof kind, "gradient.%lld", (long long)step);
    clip(r, kind);
    hr_tensors_init(&list);
    replay_gradients(&list, r->learner);
    ck_assert_int_gt(check_kind(r, kind, &list, ""), 0);
    hr_tensors_done(&list);
}

static void check_state(replay *r)
{
    const hr_net *net = &r->task->net;
    bool teacher = r->learner->teacher.value.data;
    hr_tensors list;

    hr_tensors_init(&list);
    hr_assert_ok(hr_learner_save(&list, r->learner));
    ck_assert_int_eq(check_kind(r, "running", &list, "online."), net->norms.count);
    ck_assert_int_eq(check_kind(r, "teacher_running", &list, "teacher."),
                     teacher ? net->shared_norms : 0);
    if (r->adam) {
        ck_assert_int_eq(check_kind(r, "adam_m", &list, "adam_m."), net->params.count);
        ck_assert_int_eq(check_kind(r, "adam_v", &list, "adam_v."), net->params.count);
    } else {
        ck_assert_int_eq(check_kind(r, "moment", &list, "momentum."), net->params.count);
    }
    check_kind(r, "queue", &list, "");
    check_kind(r, "center", &list, "");
    ck_assert_int_eq(check_kind(r, "weight", &list, "online."), net->params.count);
    ck_assert_int_eq(check_kind(r, "teacher", &list, "teacher."), teacher ? net->shared_params : 0);
    hr_tensors_done(&list);
}

/* Adam amplifies rounding, so the losses of later steps agree less closely in float32. */
static double loss_limit(const replay *r)
{
    return single && r->adam ? 10 * LOSS_LIMIT : LOSS_LIMIT;
}

static void follow(const char *file, int64_t accumulate, bool own)
{
    static replay r;

    begin(&r, file, accumulate, own);
    replay_positions(&r.dump, r.learner);
    for (int64_t step = 0; step < r.dump.steps; step++) {
        const dump_step *want = &r.dump.step[step];
        hr_step_input in = input_of(&r, step);
        hr_step_result got;
        double limit = loss_limit(&r) * fmax(1, fabs(want->loss));

        check_rates(&in.rates, want, step);
        hr_assert_ok(hr_learner_step(&got, r.learner, &in));
        if (in.chosen)
            check_leaves(&r, &in);
        check_number("image loss", step, got.loss_image, want->image_loss, limit);
        check_number("path loss", step, got.loss_spd, want->path_loss, limit);
        check_number("loss", step, got.loss, want->loss, limit);
        check_number("norm of the gradients", step, got.grad_norm, want->norm,
                     limit_of(&r, "gradient", "").relative * want->norm);
        check_gradients(&r, step);
    }
    check_state(&r);
    end(&r);
}

static const char *file_of(int number)
{
    const char *other = getenv("HIRL_TEST_DUMP");

    return other ? other : golden[number];
}

START_TEST(training_matches_the_float64_reference)
{
    follow(file_of(_i), 1, false);
}
END_TEST

/* only for dumps in which each micro-batch consists of whole batch-norm groups */
START_TEST(two_micro_batches_match_one_batch)
{
    static dump d;
    bool splits;

    dump_read(&d, file_of(_i));
    splits = dump_whole(&d, "groups") % 2 == 0 && dump_whole(&d, "path_groups") % 2 == 0;
    dump_done(&d);
    if (splits)
        follow(file_of(_i), 2, false);
}
END_TEST

START_TEST(a_method_of_the_application_matches_the_float64_reference)
{
    follow(by_application[_i], 1, true);
    if (strstr(by_application[_i], "mocov3"))
        follow(by_application[_i], 2, true);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("ssl");
    TCase *cases = tcase_create("golden");
    int count = getenv("HIRL_TEST_DUMP") ? 1 : CASES;

    tcase_add_loop_test(cases, training_matches_the_float64_reference, 0, count);
    tcase_add_loop_test(cases, two_micro_batches_match_one_batch, 0, count);
    if (!getenv("HIRL_TEST_DUMP"))
        tcase_add_loop_test(cases, a_method_of_the_application_matches_the_float64_reference, 0,
                            APPLICATION_CASES);
    suite_add_tcase(suite, cases);
    return suite;
}

HR_TEST_MAIN(make_suite)
