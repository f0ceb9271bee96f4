/* comm.c - a communicator whose ranks are threads of this process.
 *
 * A collective operation has three stages with barriers between them: post a pointer to this rank's
 * array, read the arrays of the other ranks, write this rank's result.
 */
#include "support/comm.h"

#include <check.h>
#include <pthread.h>

#include "base/alloc.h"

typedef struct group {
    pthread_barrier_t meet;
    const hr_array *posted[HR_TEST_RANKS];
    hr_queue *queue[HR_TEST_RANKS];
} group;

typedef struct rank {
    hr_comm comm; /* its `state` points to this rank */
    group *all;
    hr_test_rank *body;
    void *arg;
} rank;

static void meet(rank *me)
{
    pthread_barrier_wait(&me->all->meet);
}

static void post(rank *me, hr_queue *q, const hr_array *x)
{
    me->all->queue[me->comm.rank] = q;
    me->all->posted[me->comm.rank] = x;
    meet(me);
}

/* the values that a rank has posted; the caller frees them */
static void *fetch(rank *me, int from, hr_dtype as)
{
    const hr_array *x = me->all->posted[from];
    void *copy = hr_alloc((size_t)hr_count(x) * 8);
    hr_queue *q = me->all->queue[me->comm.rank];

    q->be->download(q, copy, as, x);
    ck_assert_int_ge(q->be->sync(q), 0);
    return copy;
}

static void add(void *total, const void *part, hr_dtype as, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        if (as == HR_F64)
            ((double *)total)[i] += ((const double *)part)[i];
        else if (as == HR_I64)
            ((int64_t *)total)[i] += ((const int64_t *)part)[i];
        else
            ((int32_t *)total)[i] += ((const int32_t *)part)[i];
}

static void all_reduce(hr_comm *comm, hr_queue *q, const hr_array *sum)
{
    rank *me = comm->state;
    bool integer = sum->dtype == HR_I32 || sum->dtype == HR_I64;
    hr_dtype as = integer ? sum->dtype : HR_F64;
    void *total;

    ck_assert_int_ge(q->be->sync(q), 0);
    post(me, q, sum);
    total = fetch(me, 0, as);
    for (int r = 1; r < comm->ranks; r++) {
        void *part = fetch(me, r, as);

        add(total, part, as, hr_count(sum));
        hr_free(part);
    }
    meet(me); /* all ranks have read */
    q->be->upload(q, sum, total, as);
    hr_free(total);
    meet(me);
}

static void all_gather(hr_comm *comm, hr_queue *q, const hr_array *all, const hr_array *mine)
{
    rank *me = comm->state;
    int64_t rows = mine->dim[0];

    ck_assert_int_eq(all->dim[0], rows * comm->ranks);
    ck_assert_int_ge(q->be->sync(q), 0);
    post(me, q, mine);
    for (int r = 0; r < comm->ranks; r++) {
        hr_array to = hr_slice(all, r * rows, rows);

        q->be->copy(q, &to, me->all->posted[r]);
    }
    ck_assert_int_ge(q->be->sync(q), 0);
    meet(me);
}

static void broadcast(hr_comm *comm, hr_queue *q, const hr_array *x, int32_t from)
{
    rank *me = comm->state;

    ck_assert_int_ge(q->be->sync(q), 0);
    post(me, q, x);
    if (comm->rank != from)
        q->be->copy(q, x, me->all->posted[from]);
    ck_assert_int_ge(q->be->sync(q), 0);
    meet(me);
}

static void *run(void *arg)
{
    rank *me = arg;

    me->body(&me->comm, me->arg);
    return NULL;
}

void hr_test_ranks(int ranks, hr_test_rank *body, void *arg)
{
    group all;
    rank rank_of[HR_TEST_RANKS];
    pthread_t thread[HR_TEST_RANKS];

    ck_assert(ranks >= 1 && ranks <= HR_TEST_RANKS);
    ck_assert_int_eq(pthread_barrier_init(&all.meet, NULL, (unsigned)ranks), 0);
    for (int r = 0; r < ranks; r++) {
        rank_of[r] = (rank){ .all = &all, .body = body, .arg = arg };
        rank_of[r].comm = (hr_comm){ .rank = r,
                                     .ranks = ranks,
                                     .state = &rank_of[r],
                                     .all_reduce = all_reduce,
                                     .all_gather = all_gather,
                                     .broadcast = broadcast };
        ck_assert_int_eq(pthread_create(&thread[r], NULL, run, &rank_of[r]), 0);
    }
    for (int r = 0; r < ranks; r++)
        pthread_join(thread[r], NULL);
    pthread_barrier_destroy(&all.meet);
}
