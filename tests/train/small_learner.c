/* small_learner.c - trains a small network for a few steps on noise images, with any method. */
#include "small_learner.h"

#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <hirl/options.h>

#include "base/alloc.h"
#include "base/rng.h"
#include "config/config.h"
#include "context.h"
#include "hier/paths.h"
#include "ssl/method_table.h"
#include "step/state.h"
#include "step/step.h"
#include "support/close.h"
#include "task/paths.h"
#include "train/pretrain_config.h"

enum {
    SIDE = 8,
    LOCAL_SIDE = 4,
    DIM = 8,
    PATCHES = 4,     /* in a global view */
    MOST_MASKED = 2, /* masked patches in a global view, at most */
    NEGATIVES = 3,
    LEAVES = 4,
    SEED = 5,
    IMAGES = 64,
    GLOBALS = 2,
    VIEWS = 4,
    OWN = 6, /* method=own */
};

/* Large, so that a gradient that consists of rounding errors (a bias before batch norm) moves
 * nothing. */
static const double ADAM_EPS = 1e-3;

static bool has_locals(const hr_method *method)
{
    return method->student == HR_SEES_ALL && method->joint;
}

/* Loss of method=own: mean_n sum_v |p_v - t_(v+1)|^2 / 2, p from the predictor, t from the
 * teacher. */
static int32_t pull(double *loss, float *grad, const hirl_method_step *s, void *user)
{
    const real *p = (const void *)s->student, *t = (const void *)s->teacher;
    real *g = (void *)grad; /* in the double build the library passes doubles */
    int64_t rows = s->n * s->d;

    (void)user;
    for (int64_t i = 0; i < s->views * rows; i++) {
        double apart = p[i] - t[(i + rows) % (s->views * rows)];

        *loss += apart * apart / 2 / (double)s->n;
        g[i] = (real)(apart / (double)s->n);
    }
    return 0;
}

static void set_number(hirl_options *o, const char *key, int64_t value)
{
    char text[32];

    snprintf(text, sizeof text, "%lld", (long long)value);
    hr_assert_ok(hirl_options_set(o, key, text));
}

/* Each rank trains on its own part of the batch. Synchronised batch norm counts groups over all
 * ranks. */
static void set_parts(hirl_options *o, const small_run *run, int64_t batch)
{
    int64_t ranks = run->comm ? run->comm->ranks : 1;
    const hr_method *method = hr_method_find(run->method);

    set_number(o, "batch_size", batch);
    set_number(o, "accumulate", run->accumulate);
    set_number(o, "bn_groups", method->sync ? run->groups : run->groups / ranks);
    set_number(o, "path_bn_groups", run->groups > 1 ? run->groups / ranks : 2 / ranks);
    set_number(o, "local_crops_number", has_locals(method) ? VIEWS - GLOBALS : 0);
    set_number(o, "local_crops_size", LOCAL_SIDE);
    set_number(o, "queue",
               method->queue == HR_QUEUE_NEGATIVES ? (int64_t)2 * SMALL_ROWS : run->queue);
    set_number(o, "seed", SEED);
    set_number(o, "negatives", NEGATIVES);
    set_number(o, "iter_wise_assignment", run->reassign);
}

/* the method's default settings, with small widths */
static hirl_options *options_of(int64_t method)
{
    static const char *const names[] = { "mocov2", "simsiam", "swav", "mocov3",
                                         "dino",   "ibot",    "own" };
    static const char *const small[][2] = {
        { "width", "0.125" },     { "stem", "small" },     { "image_size", "8" },
        { "z_dim", "8" },         { "hidden_dim", "16" },  { "predictor_dim", "8" },
        { "out_dim", "12" },      { "vit_dim", "16" },     { "vit_depth", "2" },
        { "vit_heads", "2" },     { "patch_size", "4" },   { "head_layers", "2" },
        { "drop_path", "0.2" },   { "prototypes", "4,2" }, { "queue_start", "0" },
        { "warmup_epochs", "0" },
    };
    hirl_options *o;

    hr_assert_ok(hirl_options_create(&o));
    for (size_t i = 0; i < sizeof small / sizeof *small; i++)
        hr_assert_ok(hirl_options_set(o, small[i][0], small[i][1]));
    hr_assert_ok(hirl_options_set(o, "method", names[method]));
    hr_assert_ok(hirl_options_set(
        o, "arch", method < 3 || method == OWN ? "resnet18" : "vit_micro_patch4_32"));
    if (method == OWN) {
        hr_assert_ok(hirl_options_set(o, "head", "mlp hidden z bn"));
        hr_assert_ok(hirl_options_set(o, "predictor", "mlp hidden z bn"));
        hr_assert_ok(hirl_options_set(o, "own_teacher", "1"));
    }
    return o;
}

static void fill_config(hr_pretrain_config *c, const small_run *run, int64_t batch)
{
    static _Thread_local hr_run_config config;
    hirl_options *options = options_of(run->method);
    hr_run_views views;

    set_parts(options, run, batch);
    hr_assert_ok(hr_run_config_read(&config, options, IMAGES));
    hr_assert_ok(hr_run_views_of(&views, &config));
    *c = hr_pretrain_config_of(&config, &views, 1, 1);
    c->learner.optim.eps = ADAM_EPS;
    c->mask_most = MOST_MASKED;
    hirl_options_destroy(options);
}

static hirl_tree *make_tree(hirl_context *context)
{
    static const int64_t m[2] = { LEAVES, 2 };
    hirl_tree *tree;

    hr_assert_ok(hr_tree_alloc(&tree, context, 2, DIM, m, 0));
    for (int l = 0; l < 2; l++)
        for (int64_t i = 0; i < m[l]; i++)
            tree->proto[l][i * DIM + (2 * i + l) % DIM] = 1;
    for (int64_t i = 0; i < LEAVES; i++)
        tree->parent[0][i] = (int32_t)(i % 2);
    return tree;
}

/* input of one step: rows [first, first + n) of the global batch */
typedef struct feed {
    float *view[VIEWS];
    uint8_t mask[GLOBALS][SMALL_ROWS * PATCHES];
    int64_t image[SMALL_ROWS];
    int32_t leaf[SMALL_ROWS], chosen[SMALL_ROWS], negative[SMALL_ROWS * NEGATIVES];
} feed;

static void fill_view(float *view, int v, int64_t side, int64_t step, int64_t first, int64_t n)
{
    for (int64_t r = 0; r < n; r++) {
        hr_rng rng;

        hr_rng_init(&rng, SEED, HR_RNG_TEST, (uint32_t)v, (uint32_t)step, (uint32_t)(first + r));
        for (int64_t i = 0; i < side * side * 3; i++)
            view[r * side * side * 3 + i] = (float)hr_rng_normal(&rng);
    }
}

/* The parts of a batch differ in their number of leaves; step 1 has none. */
static bool has_leaf(int64_t step, int64_t row)
{
    return step != 1 && row != 1 && row != 3 && row != 4 && row != 10;
}

static void fill_feed(hr_step_input *in, feed *f, int64_t step, int64_t first)
{
    for (int v = 0; v < in->views; v++) {
        in->size[v] = v < GLOBALS ? SIDE : LOCAL_SIDE;
        in->view[v] = f->view[v];
        fill_view(f->view[v], v, in->size[v], step, first, in->n);
    }
    for (int v = 0; v < GLOBALS; v++) {
        in->mask[v] = f->mask[v];
        for (int64_t r = 0; r < in->n; r++)
            for (int i = 0; i < PATCHES; i++) /* one or two patches of every second image */
                f->mask[v][r * PATCHES + i] =
                    (first + r + v + step) % 2 == 0 && (i + first + r) % 3 == 0;
    }
    for (int64_t r = 0; r < in->n; r++) {
        f->image[r] = (step * SMALL_ROWS + first + r) * 7 % IMAGES;
        f->leaf[r] = has_leaf(step, first + r) ? (int32_t)(f->image[r] % LEAVES) : -1;
    }
    hr_paths_draw(f->negative, in->n, NEGATIVES, in->chosen ? NULL : f->leaf, f->image, LEAVES,
                  SEED, step, false);
    in->image = f->image;
    in->leaf = f->leaf; /* ignored without a tree */
    in->negative = f->negative;
    in->step = step;
}

/* A failed attempt keeps the memory it got, so each later attempt gets further. */
static void make_step(hr_step_result *result, hr_learner *learner, const hr_step_input *in,
                      bool starved)
{
    hirl_status status;
    int tries = 0;

    do {
        if (starved)
            hr_alloc_fail_at(++tries, false);
        status = hr_learner_step(result, learner, in);
        hr_alloc_fail_at(0, false);
    } while (starved && status == HIRL_E_NOMEM);
    ck_assert(!starved || in->step > 0 || tries > 3);
    hr_assert_ok(status);
    ck_assert(isfinite(result->loss));
}

/* Attempts a step with a non-finite pixel on one rank (`mine`); all ranks must refuse it. */
static void make_bad_step(small_outcome *out, hr_learner *learner, const hr_step_input *in, feed *f,
                          bool mine)
{
    hr_step_result result;
    float kept = f->view[0][5];

    if (mine)
        f->view[0][5] = NAN;
    ck_assert_int_eq(hr_learner_step(&result, learner, in), HIRL_E_NONFINITE);
    snprintf(out->fault, sizeof out->fault, "%s", hr_error_text());
    f->view[0][5] = kept;
}

static void make_steps(small_outcome *out, hr_learner *learner, const small_run *run, int64_t first)
{
    const hr_pretrain *task = learner->self;
    const hr_pretrain_config *c = &task->config;
    hr_step_input in = { .n = c->learner.batch,
                         .globals = (int32_t)c->method.globals,
                         .views = has_locals(task->method) ? VIEWS : GLOBALS,
                         .rates = { .rate = 0.02,
                                    .predictor_rate = 0.05,
                                    .decay = 1e-2,
                                    .path_decay = 1e-2,
                                    .ema = 0.9,
                                    .teacher_temperature = 0.05 } };
    feed *f = calloc(1, sizeof *f);
    const hr_backend *cpu = learner->queue->be;

    for (int v = 0; v < VIEWS; v++)
        f->view[v] = calloc((size_t)(SMALL_ROWS * SIDE * SIDE * 3), sizeof(float));
    in.chosen = run->reassign ? f->chosen : NULL;
    learner->queue->be = run->steps_on ? run->steps_on : cpu;
    for (int64_t step = 0; step < SMALL_STEPS; step++) {
        hr_step_result result;

        fill_feed(&in, f, step, first);
        in.rates.freeze_last = step == 0;
        if (run->spoil && step == 1)
            make_bad_step(out, learner, &in, f, run->comm->rank == 1);
        make_step(&result, learner, &in, run->starved);
        out->loss[step] = result.loss;
        out->host_points = learner->stage.host_points;
    }
    learner->queue->be = cpu;
    for (int v = 0; v < VIEWS; v++)
        free(f->view[v]);
    free(f);
}

void small_learner_run(small_outcome *out, const small_run *run)
{
    int64_t batch = SMALL_ROWS / (run->comm ? run->comm->ranks : 1);
    hr_pretrain_config *config = calloc(1, sizeof *config);
    hirl_context *context;
    hr_call call;
    hr_learner *learner;
    hr_pretrain *task;
    hirl_tree *tree;

    fill_config(config, run, batch);
    hr_assert_ok(hr_context_create(&context, "cpu", 1));
    hr_context_set_comm(context, run->comm);
    hr_assert_ok(hr_context_enter(&call, context));
    hr_assert_ok(hr_pretrain_create(&learner, &task, context, config));
    if (run->method == OWN) {
        hirl_method_calls calls = { .struct_size = sizeof calls, .name = "pull", .loss = pull };

        hr_assert_ok(hr_pretrain_set_calls(task, &calls));
    }
    tree = make_tree(context);
    if (!run->plain) {
        const void *before;

        hr_assert_ok(hr_pretrain_set_tree(task, tree));
        before = task->paths.proto[0].data;
        hr_assert_ok(hr_pretrain_set_tree(task, tree));
        out->moved = task->paths.proto[0].data != before || task->paths.arrays != 1;
    }
    make_steps(out, learner, run, run->comm ? run->comm->rank * batch : 0);
    hr_tensors_init(&out->state);
    hr_assert_ok(hr_learner_save(&out->state, learner));
    hr_learner_destroy(learner);
    hr_tree_drop(tree);
    hr_assert_ok(hr_context_leave(&call, HIRL_OK));
    hr_context_drop(context);
    free(config);
}

/* |a - b| / (1 + |b|) */
static double far_apart(const real *a, const real *b, int64_t n)
{
    double apart = 0, size = 0;

    for (int64_t i = 0; i < n; i++) {
        apart += ((double)a[i] - (double)b[i]) * ((double)a[i] - (double)b[i]);
        size += (double)b[i] * (double)b[i];
    }
    return sqrt(apart) / (1 + sqrt(size));
}

static bool has_one_of(const char *name, const char *const *word)
{
    for (; word && *word; word++)
        if (strstr(name, *word))
            return true;
    return false;
}

void small_outcome_equal(const small_outcome *got, const small_outcome *want,
                         const char *const *without, double limit)
{
    for (int s = 0; s < SMALL_STEPS; s++)
        ck_assert_msg(fabs(got->loss[s] - want->loss[s]) <= limit, "step %d: loss %.17g, not %.17g",
                      s, got->loss[s], want->loss[s]);
    ck_assert_int_eq(got->state.count, want->state.count);
    for (int i = 0; i < want->state.count; i++) {
        const hr_named *a = &got->state.item[i], *b = &want->state.item[i];
        double d;

        ck_assert_str_eq(a->name, b->name);
        if (has_one_of(b->name, without))
            continue;
        if (b->dtype == HR_I64) {
            ck_assert_msg(!memcmp(a->data, b->data, b->bytes), "%s", b->name);
            continue;
        }
        d = far_apart(a->data, b->data, (int64_t)(b->bytes / sizeof(real)));
        ck_assert_msg(d <= limit, "%s: distance %g", b->name, d);
    }
}
