/* test_ranks.c - one rank with a batch of 2B computes what two ranks with B each compute: weights,
 * teacher, moments, running statistics and queue after three steps of MoCo v2 under the path loss. */
#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "context.h"
#include "hier/paths.h"
#include "support/close.h"
#include "support/comm.h"
#include "support/run.h"
#include "train/learner.h"

enum {
    ROWS = 8,
    SIDE = 8,
    DIM = 8,
    QUEUE = 16,
    STEPS = 3,
    NEGATIVES = 3,
    LEAVES = 4,
    SEED = 5,
    IMAGES = 64
};

typedef struct outcome {
    hr_tensors state;
    double loss[STEPS];
} outcome;

typedef struct rank_job {
    outcome *of_rank; /* [ranks] */
} rank_job;

static hr_learner_config config_of(hr_comm *comm, int64_t batch)
{
    return (hr_learner_config){
        .model = { .arch = 0,
                   .width = 0.125,
                   .stem = 1,
                   .image_size = SIDE,
                   .z_dim = DIM,
                   .head = "mlp in z",
                   .head_layers = 2 },
        .levels = 2,
        .batch = batch,
        .accumulate = 1,
        .bn_groups = batch / 4,
        .path_bn_groups = batch / 4,
        .decay_all = true,
        .path_decay_all = true,
        .momentum = 0.9,
        .method = { .globals = 2, .views = 2, .temperature = 0.2, .queue = QUEUE },
        .spd_eps = 1e-6,
        .seed = SEED,
        .comm = comm,
    };
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

/* rows [first, first + n) of the global batch of a step */
static void fill_view(float *view, int v, int64_t step, int64_t first, int64_t n)
{
    for (int64_t r = 0; r < n; r++) {
        hr_rng rng;

        hr_rng_init(&rng, SEED, HR_RNG_TEST, (uint32_t)v, (uint32_t)step, (uint32_t)(first + r));
        for (int64_t i = 0; i < SIDE * SIDE * 3; i++)
            view[r * SIDE * SIDE * 3 + i] = (float)hr_rng_normal(&rng);
    }
}

static void run(outcome *out, hr_comm *comm, int64_t batch)
{
    int64_t first = comm ? comm->rank * batch : 0, image[ROWS];
    hr_learner_config config = config_of(comm, batch);
    float *view[2] = { calloc((size_t)(ROWS * SIDE * SIDE * 3), sizeof(float)),
                       calloc((size_t)(ROWS * SIDE * SIDE * 3), sizeof(float)) };
    int32_t leaf[ROWS], negative[ROWS * NEGATIVES];
    hirl_context *context;
    hr_learner *learner;
    hirl_tree *tree;

    hr_assert_ok(hr_context_create(&context, "cpu", 1));
    hr_assert_ok(hr_context_enter(context));
    hr_assert_ok(hr_learner_create(&learner, context, &config));
    tree = make_tree(context);
    hr_assert_ok(hr_learner_set_tree(learner, tree));
    for (int64_t step = 0; step < STEPS; step++) {
        hr_learner_input in = { .n = batch,
                                .view = { view[0], view[1] },
                                .size = { SIDE, SIDE },
                                .image = image,
                                .leaf = leaf,
                                .negative = negative,
                                .negatives = NEGATIVES,
                                .globals = 2,
                                .views = 2,
                                .rates = { .rate = 0.05,
                                           .predictor_rate = 0.05,
                                           .decay = 1e-4,
                                           .path_decay = 1e-4,
                                           .ema = 0.99 },
                                .spd_weight = 1,
                                .step = step };
        hr_learner_result result;

        for (int v = 0; v < 2; v++)
            fill_view(view[v], v, step, first, batch);
        for (int64_t r = 0; r < batch; r++) {
            image[r] = (step * ROWS + first + r) * 7 % IMAGES;
            leaf[r] = (int32_t)(image[r] % LEAVES);
        }
        hr_paths_draw(negative, batch, NEGATIVES, leaf, image, LEAVES, SEED, step, false);
        hr_assert_ok(hr_learner_step(&result, learner, &in));
        out->loss[step] = result.loss;
    }
    hr_tensors_init(&out->state);
    hr_assert_ok(hr_learner_save(&out->state, learner));
    hr_learner_destroy(learner);
    hr_tree_drop(tree);
    hr_context_leave(context);
    hr_context_drop(context);
    free(view[0]);
    free(view[1]);
}

static void on_rank(hr_comm *comm, void *arg)
{
    rank_job *job = arg;

    run(&job->of_rank[comm->rank], comm, ROWS / comm->ranks);
}

static void assert_equal(const outcome *got, const outcome *want, double limit)
{
    for (int s = 0; s < STEPS; s++)
        ck_assert_double_eq_tol(got->loss[s], want->loss[s], limit);
    ck_assert_int_eq(got->state.count, want->state.count);
    for (int i = 0; i < want->state.count; i++) {
        const hr_named *a = &got->state.item[i], *b = &want->state.item[i];
        double d;

        ck_assert_str_eq(a->name, b->name);
        if (b->dtype == HR_I64) {
            ck_assert_msg(!memcmp(a->data, b->data, b->bytes), "%s", b->name);
            continue;
        }
        d = hr_distance(a->data, sizeof(real), b->data, sizeof(real),
                        (int64_t)(b->bytes / sizeof(real)));
        ck_assert_msg(d <= limit, "%s: distance %g", b->name, d);
    }
}

START_TEST(two_ranks_equal_one_with_the_double_batch)
{
    outcome one, two[2];
    rank_job job = { two };

    run(&one, NULL, ROWS);
    hr_test_ranks(2, on_rank, &job);
    for (int r = 0; r < 2; r++) {
        assert_equal(&two[r], &one, 1e-9);
        hr_tensors_done(&two[r].state);
    }
    hr_tensors_done(&one.state);
}
END_TEST

HR_TESTS("ranks", two_ranks_equal_one_with_the_double_batch)
