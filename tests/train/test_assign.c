/* test_assign.c - iter_wise_assignment: each step assigns the images of its batch to the prototypes
 * nearest to their second view. The assignment lasts for the epoch and is stored in checkpoints;
 * the forward pass that computes it updates running statistics in profile reference only. */
#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "context.h"
#include "small_methods.h"
#include "support/run.h"
#include "task/micro.h"
#include "task/pretrain.h"
#include "train/feed.h"
#include "train/run.h"

enum { SWAV = 2, DIM = 16 };

static const small_pair plain[] = { { "epochs", "3" }, { NULL, NULL } };
static const small_pair anew[] = { { "epochs", "3" },
                                   { "iter_wise_assignment", "1" },
                                   { NULL, NULL } };
static const small_pair reference[] = {
    { "epochs", "3" }, { "profile", "reference" }, { "accumulate", "2" }, { NULL, NULL }
};
static const small_pair reference_without[] = { { "epochs", "3" },
                                                { "profile", "reference" },
                                                { "accumulate", "2" },
                                                { "iter_wise_assignment", "0" },
                                                { NULL, NULL } };

static void make_steps(small_trainer *t, int steps)
{
    for (int s = 0; s < steps; s++)
        ck_assert_msg(hirl_train_step(NULL, t->trainer) == HIRL_OK, "%s", hirl_error_message());
}

static void open_and_step(small_trainer *t, const small_pair *own, int steps)
{
    const small_pair *const over[] = { small_method[SWAV], own, NULL };

    small_trainer_open(t, 2, over);
    make_steps(t, steps);
}

/* z0 [SMALL_BATCH, DIM] of view 1 of the next batch, normalised with batch statistics, and the
 * image ids */
static void encode_next_batch(float *z0, int64_t *image, hirl_trainer *trainer)
{
    hr_loader_config config = hr_feed_loader_config(trainer);
    hr_learner *learner = trainer->learner;
    hr_pretrain *task = trainer->pretrain;
    hr_tape *tape = &learner->tape;
    hr_loader *loader;
    const hr_batch *batch;
    hr_micro micro;
    hr_pass pass;
    hr_array image_rows;
    int64_t size = task->config.size[1];
    hr_call call;

    ck_assert_int_ge(hr_context_enter(&call, trainer->context), 0);
    ck_assert_int_ge(hr_loader_create(&loader, trainer->dataset, &config), 0);
    ck_assert_int_ge(hr_loader_seek(loader, trainer->progress.step / SMALL_PER_EPOCH,
                                    trainer->progress.step % SMALL_PER_EPOCH),
                     0);
    ck_assert_int_ge(hr_loader_next(&batch, loader), 0);
    micro = hr_micro_of(task, 0, 1, false);
    hr_tape_reset(tape);
    tape->training = true;
    tape->recording = false;
    pass = hr_pass_of(task, &learner->online, &micro);
    image_rows = hr_tape_array(tape, HR_REAL, 4, (int64_t[]){ SMALL_BATCH, size, size, 3 });
    tape->q->be->upload(tape->q, &image_rows, batch->view[1], HR_F32);
    tape->q->be->download(tape->q, z0, HR_F32,
                          &hr_net_z0(&task->net, &pass, hr_wrap(tape, &image_rows, NULL), NULL)->x);
    ck_assert_int_ge(tape->q->be->sync(tape->q), 0);
    memcpy(image, batch->image, SMALL_BATCH * sizeof *image);
    hr_tape_reset(tape);
    hr_loader_destroy(loader);
    ck_assert_int_ge(hr_context_leave(&call, HIRL_OK), 0);
}

/* The leaf whose prototype has the largest dot product with z. *margin: the lead over the second
 * largest. */
static int32_t nearest(double *margin, const hirl_tree *tree, const float *z)
{
    double best = -INFINITY, second = -INFINITY;
    int32_t found = 0;

    for (int32_t j = 0; j < tree->m[0]; j++) {
        double dot = 0;

        for (int c = 0; c < DIM; c++)
            dot += (double)z[c] * tree->proto[0][j * DIM + c];
        if (dot > best) {
            second = best;
            best = dot;
            found = j;
        } else if (dot > second)
            second = dot;
    }
    *margin = best - second;
    return found;
}

START_TEST(a_step_assigns_its_batch_to_the_prototypes_nearest_to_view_1)
{
    int32_t before[SMALL_IMAGES], of_tree[SMALL_IMAGES];
    float z0[SMALL_BATCH][DIM];
    int64_t image[SMALL_BATCH];
    const int32_t *leaf;
    int moved = 0;
    small_trainer t;

    open_and_step(&t, anew, SMALL_PER_EPOCH + 2);
    leaf = t.trainer->grove.own_leaf;
    memcpy(before, leaf, sizeof before);
    memcpy(of_tree, t.trainer->grove.tree->leaf, sizeof of_tree);
    encode_next_batch(&z0[0][0], image, t.trainer);
    make_steps(&t, 1);
    for (int i = 0; i < SMALL_BATCH; i++) {
        double margin;
        int32_t wanted = nearest(&margin, t.trainer->grove.tree, z0[i]);

        if (margin > 1e-5) /* f32: 16 products of numbers below 4 */
            ck_assert_msg(leaf[image[i]] == wanted, "image %d: leaf %d, not %d", (int)image[i],
                          leaf[image[i]], wanted);
        moved += leaf[image[i]] != before[image[i]];
        before[image[i]] = leaf[image[i]];
    }
    ck_assert_int_gt(moved, 0);
    ck_assert(!memcmp(leaf, before, sizeof before)); /* leaves of other images stay */
    ck_assert(!memcmp(t.trainer->grove.tree->leaf, of_tree, sizeof of_tree));
    small_trainer_close(&t);
}
END_TEST

START_TEST(an_epoch_starts_with_the_leaves_of_its_tree)
{
    int kept = 0, batch = 0;
    small_trainer t;

    open_and_step(&t, anew, 2 * SMALL_PER_EPOCH + 1);
    for (int n = 0; n < SMALL_IMAGES; n++)
        kept += t.trainer->grove.own_leaf[n] == t.trainer->grove.tree->leaf[n];
    batch = SMALL_IMAGES - kept;
    ck_assert_int_le(batch, SMALL_BATCH); /* the one batch of this epoch so far */
    small_trainer_close(&t);
}
END_TEST

/* Running statistics of the online network after the first step with a tree. The caller frees
 * them. */
static float *running_after(size_t *bytes, const small_pair *own)
{
    hr_queue *q;
    hr_array *running;
    float *host;
    small_trainer t;

    open_and_step(&t, own, SMALL_PER_EPOCH + 1);
    q = t.trainer->learner->queue;
    running = &t.trainer->learner->online.running;
    *bytes = hr_bytes(running);
    host = malloc(*bytes);
    q->be->download(q, host, HR_F32, running);
    ck_assert_int_ge(q->be->sync(q), 0);
    small_trainer_close(&t);
    return host;
}

/* Both runs have the same weights in this step: its running statistics are computed before its
 * update. */
static bool same_running(const small_pair *a, const small_pair *b)
{
    size_t bytes[2];
    float *x = running_after(&bytes[0], a), *y = running_after(&bytes[1], b);
    bool same = bytes[0] == bytes[1] && !memcmp(x, y, bytes[0]);

    free(x);
    free(y);
    return same;
}

START_TEST(assignment_updates_running_statistics_in_profile_reference_only)
{
    ck_assert(same_running(anew, plain));
    ck_assert(!same_running(reference, reference_without));
}
END_TEST

START_TEST(a_run_stopped_in_any_phase_resumes_to_the_same_bits)
{
    const small_pair *const over[] = { small_method[SWAV], _i ? reference : anew, NULL };
    small_polls polls;
    size_t bytes;
    char *whole = small_trainer_run(&bytes, &polls, 2, over);
    int at;

    for (int stretch = 1; (at = small_polls_middle(&polls, stretch)); stretch++)
        ck_assert(small_trainer_stop(at, whole, bytes, over));
    free(whole);
}
END_TEST

static Suite *assign(void)
{
    Suite *suite = suite_create("assign");
    TCase *tests = tcase_create("assign");

    tcase_set_timeout(tests, 0);
    tcase_add_test(tests, a_step_assigns_its_batch_to_the_prototypes_nearest_to_view_1);
    tcase_add_test(tests, an_epoch_starts_with_the_leaves_of_its_tree);
    tcase_add_test(tests, assignment_updates_running_statistics_in_profile_reference_only);
    tcase_add_loop_test(tests, a_run_stopped_in_any_phase_resumes_to_the_same_bits, 0, 2);
    suite_add_tcase(suite, tests);
    return suite;
}

HR_TEST_MAIN(assign)
