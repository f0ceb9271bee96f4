/* test_norm.c - which sums of a step enter the running statistics of a batch norm, and in which
 * order: passes, micro-batches, sequences of micro-batches; worked out by hand.
 *
 * Every pass here sees two rows (a, b) of one channel: mean (a + b) / 2, unbiased variance
 * (a - b)^2 / 2. With keep = 1/2 the running statistics become (running + batch) / 2, the batch
 * being the mean over the micro-batches of a pass.
 */
#include <check.h>

#include "support/run.h"
#include "support/tape.h"

static hr_test_tape here;

typedef struct place {
    hr_norm_slot slot;
    hr_norm norm;
    real mean, var; /* they outlive the steps */
} place;

static void begin(place *p)
{
    hr_test_tape_init(&here);
    *p = (place){ .var = 1, .norm = { .keep = 0.5, .groups = 1 } };
    p->norm.mean = hr_array_1(&p->mean, HR_REAL, 1);
    p->norm.var = hr_array_1(&p->var, HR_REAL, 1);
    p->norm.slot = &p->slot;
}

/* one pass of micro-batch `part` of `parts` */
static void pass(place *p, int64_t part, int64_t parts, double a, double b)
{
    hr_tensor *x = hr_test_leaf(&here, 2, HR_DIM(2, 1), (double[]){ a, b });

    p->norm.part = part;
    p->norm.parts = parts;
    hr_batch_norm(&here.t, x, &p->norm, NULL, false);
    hr_assert_ok(hr_tape_status(&here.t));
}

static void check_running(place *p, double mean, double var)
{
    hr_assert_values(&here, &p->norm.mean, 1, mean);
    hr_assert_values(&here, &p->norm.var, 1, var);
}

/* Two passes in each of two micro-batches. Pass 1 has means 2, 5 and variances 2, 8, pass 2 means
 * 12, 24 and variances 8, 32. Running mean: (0 + 3.5) / 2 = 1.75, then (1.75 + 18) / 2; variance:
 * (1 + 5) / 2 = 3, then (3 + 20) / 2. */
static void two_passes(place *p)
{
    pass(p, 0, 2, 1, 3);
    pass(p, 0, 2, 10, 14);
    hr_tape_next(&here.t);
    pass(p, 1, 2, 3, 7);
    pass(p, 1, 2, 20, 28);
    hr_tape_next(&here.t);
}

START_TEST(each_pass_moves_the_running_statistics_once_and_in_order)
{
    place p;

    begin(&p);
    two_passes(&p);
    check_running(&p, 0, 1); /* at commit only */
    hr_tape_commit(&here.t);
    check_running(&p, 9.875, 11.5);
    hr_test_tape_done(&here);
}
END_TEST

/* The second sequence has means 1, 6 and variances 2, 8: (9.875 + 3.5) / 2 and (11.5 + 5) / 2. */
START_TEST(a_second_sequence_of_micro_batches_follows_the_first)
{
    place p;

    begin(&p);
    two_passes(&p);
    pass(&p, 0, 2, 0, 2);
    hr_tape_next(&here.t);
    pass(&p, 1, 2, 4, 8);
    hr_tape_commit(&here.t);
    check_running(&p, 6.6875, 8.25);
    hr_test_tape_done(&here);
}
END_TEST

/* a sequence may also be one whole batch, by itself (part 0 of 0) or as micro-batch 0 of 1 */
START_TEST(sequences_of_one_micro_batch_follow_each_other)
{
    place p;

    begin(&p);
    two_passes(&p);
    pass(&p, 0, 0, 1, 3);
    check_running(&p, 0, 1);
    hr_tape_commit(&here.t); /* (9.875 + 2) / 2, (11.5 + 2) / 2 */
    check_running(&p, 5.9375, 6.75);
    hr_test_tape_done(&here);
    begin(&p);
    pass(&p, 0, 1, 1, 3);
    hr_tape_next(&here.t);
    pass(&p, 0, 1, 10, 14);
    hr_tape_commit(&here.t); /* mean 1, then (1 + 12) / 2; variance 1.5, then (1.5 + 8) / 2 */
    check_running(&p, 6.5, 4.75);
    hr_test_tape_done(&here);
}
END_TEST

/* The slot finds the new step by itself; what an abandoned step left in it is forgotten. */
START_TEST(the_next_step_starts_anew)
{
    place p;

    begin(&p);
    two_passes(&p);
    hr_tape_commit(&here.t);
    hr_tape_reset(&here.t);
    pass(&p, 0, 2, 100, 200); /* this step fails in its first micro-batch */
    hr_tape_reset(&here.t);
    two_passes(&p);
    hr_tape_commit(
        &here.t); /* mean (9.875 + 3.5) / 2, then 18 with it; variance (11.5 + 5) / 2, 20 */
    check_running(&p, 12.34375, 14.125);
    hr_test_tape_done(&here);
}
END_TEST

/* Norms of their own, passed in turn, do not meet; nor does a pass without slot count. */
START_TEST(norms_are_separate)
{
    place a, b;

    begin(&a);
    b = a;
    b.norm.mean.data = &b.mean;
    b.norm.var.data = &b.var;
    b.norm.slot = &b.slot;
    for (int part = 0; part < 2; part++) {
        pass(&a, part, 2, part ? 3 : 1, part ? 7 : 3);
        pass(&b, part, 2, part ? 20 : 10, part ? 28 : 14);
        a.norm.slot = NULL;
        pass(&a, part, 2, 50, 60);
        a.norm.slot = &a.slot;
        hr_tape_next(&here.t);
    }
    hr_tape_commit(&here.t);
    check_running(&a, 1.75, 3);
    check_running(&b, 9, 10.5); /* (0 + 18) / 2, (1 + 20) / 2 */
    hr_test_tape_done(&here);
}
END_TEST

HR_TESTS("tape-norm", each_pass_moves_the_running_statistics_once_and_in_order,
         a_second_sequence_of_micro_batches_follows_the_first,
         sequences_of_one_micro_batch_follow_each_other, the_next_step_starts_anew,
         norms_are_separate)
