/* test_comm.c - batch norm and Sinkhorn: two ranks with N images each give
 * the result of one rank with 2N images. */
#include <check.h>

#include "support/comm.h"
#include "support/fill.h"
#include "support/run.h"
#include "support/tape.h"

enum { RANKS = 2, N = 6, C = 3, ALL = RANKS * N * C };

/* ---- the communicator itself ---- */

typedef struct collected {
    double sum[RANKS][2], gathered[RANKS][2 * RANKS];
    int32_t flag[RANKS], copied[RANKS];
} collected;

static void collect(hr_comm *comm, void *arg)
{
    collected *to = arg;
    int r = comm->rank;
    hr_test_tape here;
    hr_array mine, sum, all, flag, copied;

    hr_test_tape_init(&here);
    mine = hr_test_array(&here, 2, HR_DIM(1, 2), (double[]){ 1 + r, 10 * r });
    sum = hr_test_array(&here, 2, HR_DIM(1, 2), (double[]){ 1 + r, 10 * r });
    all = hr_tape_array(&here.t, HR_REAL, 2, HR_DIM(RANKS, 2));
    flag = hr_test_i32(&here, 1, HR_DIM(1), (int32_t[]){ r });
    copied = hr_test_i32(&here, 1, HR_DIM(1), (int32_t[]){ 7 + r });
    comm->all_reduce(comm, here.q, &sum);
    comm->all_gather(comm, here.q, &all, &mine);
    comm->all_reduce(comm, here.q, &flag);
    comm->broadcast(comm, here.q, &copied, 1);
    hr_test_read(to->sum[r], &here, &sum);
    hr_test_read(to->gathered[r], &here, &all);
    here.q->be->download(here.q, &to->flag[r], HR_I32, &flag);
    here.q->be->download(here.q, &to->copied[r], HR_I32, &copied);
    hr_assert_ok(here.q->be->sync(here.q));
    hr_test_tape_done(&here);
}

START_TEST(ranks_reduce_gather_and_broadcast)
{
    static const double sum[] = { 3, 10 }, gathered[] = { 1, 0, 2, 10 };
    collected got;

    hr_test_ranks(RANKS, collect, &got);
    for (int r = 0; r < RANKS; r++) {
        hr_assert_close(got.sum[r], sum, 2, 0, 0);
        hr_assert_close(got.gathered[r], gathered, 4, 0, 0);
        ck_assert_int_eq(got.flag[r], 1);
        ck_assert_int_eq(got.copied[r], 8);
    }
}
END_TEST

/* ---- batch norm ---- */

typedef struct trial {
    bool sync;
    int64_t groups; /* on each rank */
    double x[ALL];
    /* results: rows of all ranks, then statistics and gradients of each rank */
    double value[ALL], dx[ALL];
    double dgamma[RANKS][C], dbeta[RANKS][C], mean[RANKS][C], var[RANKS][C];
} trial;

/* trains on the cross-entropy of relu(batch norm(x)), x: `rows` rows from `first` on */
static void train(trial *to, hr_comm *comm, int64_t first, int64_t rows)
{
    static const double gamma_of[C] = { 1, -0.5, 2 }, beta_of[C] = { 0.1, 0.2, 0.3 };
    int32_t label[RANKS * N];
    int r = comm ? comm->rank : 0;
    hr_norm_slot slot = { 0 };
    hr_norm norm = { .eps = 1e-5, .keep = 0.9, .groups = to->groups, .slot = &slot };
    hr_tensor *x, *y;
    hr_array labels;
    hr_test_tape here;

    hr_test_tape_init_on(&here, comm);
    norm.sync = to->sync;
    for (int64_t i = 0; i < rows; i++)
        label[i] = (int32_t)((first + i) % C);
    labels = hr_test_i32(&here, 1, HR_DIM(rows), label);
    x = hr_test_leaf(&here, 2, HR_DIM(rows, C), to->x + first * C);
    norm.gamma = hr_test_leaf(&here, 1, HR_DIM(C), gamma_of);
    norm.beta = hr_test_leaf(&here, 1, HR_DIM(C), beta_of);
    norm.mean = hr_test_array(&here, 1, HR_DIM(C), (double[C]){ 0 });
    norm.var = hr_test_array(&here, 1, HR_DIM(C), (double[]){ 1, 1, 1 });
    y = hr_write(&here.t, hr_batch_norm(&here.t, x, &norm, NULL, true));
    hr_assert_ok(hr_tape_backward(&here.t, hr_cross_entropy(&here.t, y, &labels)));
    hr_tape_commit(&here.t);
    hr_test_read(to->value + first * C, &here, &y->x);
    hr_test_read(to->dx + first * C, &here, &x->g);
    hr_test_read(to->dgamma[r], &here, &norm.gamma->g);
    hr_test_read(to->dbeta[r], &here, &norm.beta->g);
    hr_test_read(to->mean[r], &here, &norm.mean);
    hr_test_read(to->var[r], &here, &norm.var);
    hr_test_tape_done(&here);
}

static void train_rank(hr_comm *comm, void *arg)
{
    train(arg, comm, comm->rank * N, N);
}

/* The loss is a mean over the images of a rank, so gradients must be averaged over ranks. */
static void compare(trial *one, trial *two)
{
    double limit = sizeof(real) == sizeof(float) ? 1e-5 : 1e-12;

    train(one, NULL, 0, RANKS * N);
    hr_test_ranks(RANKS, train_rank, two);
    for (int i = 0; i < ALL; i++)
        two->dx[i] /= RANKS;
    for (int c = 0; c < C; c++) {
        two->dgamma[0][c] = (two->dgamma[0][c] + two->dgamma[1][c]) / RANKS;
        two->dbeta[0][c] = (two->dbeta[0][c] + two->dbeta[1][c]) / RANKS;
    }
    hr_assert_distance(two->value, one->value, ALL, limit);
    hr_assert_distance(two->dx, one->dx, ALL, limit);
    hr_assert_distance(two->dgamma[0], one->dgamma[0], C, limit);
    hr_assert_distance(two->dbeta[0], one->dbeta[0], C, limit);
    for (int r = 0; r < RANKS; r++) {
        hr_assert_distance(two->mean[r], one->mean[0], C, limit);
        hr_assert_distance(two->var[r], one->var[0], C, limit);
    }
}

static void fill(trial *of)
{
    real x[ALL];

    hr_fill_normal(x, ALL, 1);
    for (int i = 0; i < ALL; i++)
        of->x[i] = (double)x[i];
}

START_TEST(synchronised_ranks_form_one_group)
{
    trial one = { .sync = true, .groups = 1 }, two = { .sync = true, .groups = 1 };

    fill(&one);
    fill(&two);
    compare(&one, &two);
}
END_TEST

START_TEST(unsynchronised_ranks_have_separate_groups)
{
    trial one = { .groups = 4 }, two = { .groups = 2 };

    fill(&one);
    fill(&two);
    compare(&one, &two);
}
END_TEST

/* ---- Sinkhorn ---- */

typedef struct targets {
    double s[ALL], p[ALL], kept[RANKS * C]; /* kept: the last row of each rank */
} targets;

static void balance(targets *to, hr_comm *comm, int64_t first, int64_t rows)
{
    int r = comm ? comm->rank : 0;
    hr_tensor *s, *p;
    hr_test_tape here;

    hr_test_tape_init_on(&here, comm);
    s = hr_test_leaf(&here, 2, HR_DIM(rows, C), to->s + first * C);
    p = hr_sinkhorn(&here.t, s, 0.5, 3, 0);
    hr_test_read(to->p + first * C, &here, &p->x);
    p = hr_sinkhorn(&here.t, s, 0.5, 3, 1);
    hr_test_read(to->kept + r * C, &here, &p->x);
    hr_test_tape_done(&here);
}

static void balance_rank(hr_comm *comm, void *arg)
{
    balance(arg, comm, comm->rank * N, N);
}

START_TEST(sinkhorn_balances_the_rows_of_all_ranks)
{
    targets one, two;
    real s[ALL];

    hr_fill_normal(s, ALL, 2);
    for (int i = 0; i < ALL; i++)
        one.s[i] = two.s[i] = (double)s[i];
    balance(&one, NULL, 0, RANKS * N);
    hr_test_ranks(RANKS, balance_rank, &two);
    hr_assert_close(two.p, one.p, ALL, 0, 0);
    for (int r = 0; r < RANKS; r++)
        hr_assert_close(two.kept + r * C, one.p + ((r + 1) * N - 1) * C, C, 0, 0);
}
END_TEST

HR_TESTS("comm", ranks_reduce_gather_and_broadcast, synchronised_ranks_form_one_group,
         unsynchronised_ranks_have_separate_groups, sinkhorn_balances_the_rows_of_all_ranks)
