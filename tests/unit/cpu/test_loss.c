/* test_loss.c - InfoNCE and cross-entropy against values worked out by hand, their gradients
 * against central differences. */
#include <math.h>

#include "support/kernels.h"
#include "support/run.h"

enum { N = 3, K = 5 };
static const double T = 0.2;

typedef struct nce {
    hr_array loss, lse, pos, neg, id, owner;
} nce;

static int64_t ids[N] = { 7, 8, 9 }, owners[K] = { 1, 8, 3, 8, 2 };

static nce make_nce(void)
{
    return (nce){ hr_guarded(HR_REAL, 1, 0, 0, 0),
                  hr_guarded(HR_REAL, N, 0, 0, 0),
                  hr_random(HR_REAL, 1, -1, 1, N, 0, 0, 0),
                  hr_random(HR_REAL, 2, -1, 1, N, K, 0, 0),
                  hr_array_1(ids, HR_I64, N),
                  hr_array_1(owners, HR_I64, K) };
}

static void drop_nce(nce *o)
{
    hr_drop(&o->loss);
    hr_drop(&o->lse);
    hr_drop(&o->pos);
    hr_drop(&o->neg);
}

static double info_nce(nce *o, double temperature)
{
    hr_queue *q = hr_test_queue(2);

    q->be->info_nce(q, &o->loss, &o->lse, &o->pos, &o->neg, &o->id, &o->owner, temperature);
    hr_test_sync(q);
    return (double)hr_at(&o->loss, 0);
}

START_TEST(info_nce_of_equal_similarities_is_the_log_of_the_number_of_keys)
{
    nce o = make_nce();

    for (int i = 0; i < N * K; i++)
        hr_put(&o.neg, i, (real)0.5);
    for (int i = 0; i < N; i++)
        hr_put(&o.pos, i, (real)0.5);
    /* Image 8 owns two of the five queue keys, so 3 negatives and the positive key remain. */
    ck_assert_double_eq_tol(info_nce(&o, T), (log(6) + log(4) + log(6)) / 3, 1e-6);
    ck_assert_double_eq_tol((double)hr_at(&o.lse, 1), 2.5 + log(4), 1e-6);
    drop_nce(&o);
}
END_TEST

START_TEST(info_nce_of_large_similarities_does_not_overflow)
{
    nce o = make_nce();

    for (int i = 0; i < N * K; i++)
        hr_put(&o.neg, i, 1000);
    for (int i = 0; i < N; i++)
        hr_put(&o.pos, i, -1000);
    ck_assert_double_eq_tol(info_nce(&o, 1), 2000 + (log(5) + log(3) + log(5)) / 3, 1e-3);
    drop_nce(&o);
}
END_TEST

START_TEST(info_nce_gives_a_value_worked_out_by_hand)
{
    /* positive 1, negatives 0 and 0, T = 1: -1 + log(e + 2) = 0.5514447139320511 */
    static int64_t id = 1, others[2] = { 5, 6 };
    static real one = 1, none[2] = { 0, 0 }, got[2];
    nce o = { hr_array_1(got, HR_REAL, 1),  hr_array_1(got + 1, HR_REAL, 1),
              hr_array_1(&one, HR_REAL, 1), hr_array_2(none, HR_REAL, 1, 2),
              hr_array_1(&id, HR_I64, 1),   hr_array_1(others, HR_I64, 2) };

    ck_assert_double_eq_tol(info_nce(&o, 1), 0.5514447139320511, 1e-6);
}
END_TEST

/* Central difference. In f32, with step h and a loss of size L, its error is about 1e-7 L / h. */
static double difference(hr_array *x, int64_t i, double (*loss)(void *), void *arg)
{
    double h = sizeof(real) == 8 ? 1e-5 : 1e-2, up, down;
    real before = hr_at(x, i);

    hr_put(x, i, before + (real)h);
    up = loss(arg);
    hr_put(x, i, before - (real)h);
    down = loss(arg);
    hr_put(x, i, before);
    return (up - down) / (2 * h);
}

static double nce_loss(void *arg)
{
    return info_nce(arg, T);
}

START_TEST(info_nce_grad_agrees_with_differences)
{
    static real g[] = { 3 };
    double bound = sizeof(real) == 8 ? 1e-8 : 2e-2;
    hr_queue *q = hr_test_queue(2);
    nce o = make_nce();
    hr_array scale = hr_array_1(g, HR_REAL, 1);
    hr_array dpos = hr_guarded(HR_REAL, N, 0, 0, 0), dneg = hr_guarded(HR_REAL, N, K, 0, 0);

    info_nce(&o, T);
    q->be->info_nce_grad(q, &dpos, &dneg, &scale, &o.lse, &o.pos, &o.neg, &o.id, &o.owner, T);
    hr_test_sync(q);
    for (int64_t i = 0; i < N; i++)
        ck_assert_double_eq_tol((double)hr_at(&dpos, i), 3 * difference(&o.pos, i, nce_loss, &o),
                                bound);
    for (int64_t i = 0; i < N * K; i++)
        ck_assert_double_eq_tol((double)hr_at(&dneg, i), 3 * difference(&o.neg, i, nce_loss, &o),
                                bound);
    ck_assert(hr_at(&dneg, K + 1) == 0 && hr_at(&dneg, K + 3) == 0); /* image 8 owns these keys */
    info_nce(&o, T);
    q->be->info_nce_grad(q, &dpos, &o.neg, &scale, &o.lse, &o.pos, &o.neg, &o.id, &o.owner, T);
    hr_test_sync(q);
    ck_assert_mem_eq(o.neg.data, dneg.data, hr_bytes(&dneg)); /* works in place */
    drop_nce(&o);
    hr_drop(&dpos);
    hr_drop(&dneg);
}
END_TEST

START_TEST(info_nce_of_many_keys_does_not_depend_on_threads)
{
    enum { ROWS = 5, KEYS = 10007 };
    static int64_t id[ROWS] = { 0, 1, 2, 3, 4 }, owner[KEYS];
    hr_array pos = hr_random(HR_REAL, 1, -1, 1, ROWS, 0, 0, 0);
    hr_array neg = hr_random(HR_REAL, 2, -1, 1, ROWS, KEYS, 0, 0);
    hr_array ids_of = hr_array_1(id, HR_I64, ROWS), owner_of = hr_array_1(owner, HR_I64, KEYS);
    hr_array loss = hr_guarded(HR_REAL, 2, 0, 0, 0), lse = hr_guarded(HR_REAL, ROWS, 0, 0, 0);

    for (int k = 0; k < KEYS; k++)
        owner[k] = k % 7;
    for (int t = 0; t < 2; t++) {
        hr_queue *q = hr_test_queue(t ? 7 : 1);
        hr_array one = hr_slice(&loss, t, 1);

        q->be->info_nce(q, &one, &lse, &pos, &neg, &ids_of, &owner_of, T);
        hr_test_sync(q);
    }
    ck_assert(hr_at(&loss, 0) == hr_at(&loss, 1));
    for (int n = 0; n < ROWS; n++) {
        double sum = exp((double)hr_at(&pos, n) / T);

        for (int k = 0; k < KEYS; k++)
            sum += owner[k] == n ? 0 : exp((double)hr_at(&neg, n * KEYS + k) / T);
        ck_assert_double_eq_tol((double)hr_at(&lse, n), log(sum), 16 * 16 * hr_epsilon());
    }
    hr_drop(&pos);
    hr_drop(&neg);
    hr_drop(&loss);
    hr_drop(&lse);
}
END_TEST

/* ---- cross-entropy ---- */

typedef struct entropy {
    hr_array loss, lse, z, label;
} entropy;

static int32_t labels[N] = { 4, 0, 2 };

static double entropy_loss(void *arg)
{
    entropy *o = arg;
    hr_queue *q = hr_test_queue(2);

    q->be->cross_entropy(q, &o->loss, &o->lse, &o->z, &o->label);
    hr_test_sync(q);
    return (double)hr_at(&o->loss, 0);
}

START_TEST(cross_entropy_gives_a_value_worked_out_by_hand)
{
    /* log(e + e^2 + e^3) = 3.4076059644443806; log 3 = 1.0986122886681098 */
    static real z[] = { 1, 2, 3, 0, 0, 0 }, got[3];
    static int32_t label[] = { 0, 2 };
    entropy o = { hr_array_1(got, HR_REAL, 1), hr_array_1(got + 1, HR_REAL, 2),
                  hr_array_2(z, HR_REAL, 2, 3), hr_array_1(label, HR_I32, 2) };

    ck_assert_double_eq_tol(entropy_loss(&o), (2.4076059644443806 + 1.0986122886681098) / 2, 1e-6);
    ck_assert_double_eq_tol((double)got[1], 3.4076059644443806, 1e-6);
}
END_TEST

START_TEST(cross_entropy_grad_agrees_with_differences)
{
    static real g[] = { -2 };
    double bound = sizeof(real) == 8 ? 1e-8 : 1e-3;
    hr_queue *q = hr_test_queue(2);
    hr_array scale = hr_array_1(g, HR_REAL, 1), dz = hr_filled(HR_REAL, 1, N, K, 0, 0);
    entropy o = { hr_guarded(HR_REAL, 1, 0, 0, 0), hr_guarded(HR_REAL, N, 0, 0, 0),
                  hr_random(HR_REAL, 1, -3, 3, N, K, 0, 0), hr_array_1(labels, HR_I32, N) };

    entropy_loss(&o);
    q->be->cross_entropy_grad(q, &dz, &scale, &o.lse, &o.z, &o.label, 0.5);
    hr_test_sync(q);
    for (int64_t i = 0; i < N * K; i++)
        ck_assert_double_eq_tol((double)hr_at(&dz, i),
                                0.5 - 2 * difference(&o.z, i, entropy_loss, &o), bound);
    hr_drop(&o.loss);
    hr_drop(&o.lse);
    hr_drop(&o.z);
    hr_drop(&dz);
}
END_TEST

START_TEST(cross_entropy_refuses_a_label_out_of_range)
{
    static real z[] = { 1, 2 }, got[2];
    static int32_t label[] = { 2 };
    hr_queue *q = hr_test_queue(1);
    hr_array loss = hr_array_1(got, HR_REAL, 1), lse = hr_array_1(got + 1, HR_REAL, 1);
    hr_array scores = hr_array_2(z, HR_REAL, 1, 2), wrong = hr_array_1(label, HR_I32, 1);

    q->be->cross_entropy(q, &loss, &lse, &scores, &wrong);
    hr_assert_fails(q->be->sync(q), HIRL_E_INVALID, "label 2");
    hr_test_sync(q); /* the failure is cleared */
}
END_TEST

HR_TESTS("loss", info_nce_of_equal_similarities_is_the_log_of_the_number_of_keys,
         info_nce_of_large_similarities_does_not_overflow,
         info_nce_gives_a_value_worked_out_by_hand, info_nce_grad_agrees_with_differences,
         info_nce_of_many_keys_does_not_depend_on_threads,
         cross_entropy_gives_a_value_worked_out_by_hand, cross_entropy_grad_agrees_with_differences,
         cross_entropy_refuses_a_label_out_of_range)
