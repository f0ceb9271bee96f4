/* test_center.c - the centre of the teacher's outputs (a moving mean of rows): values worked out by
 * hand, two ranks, updates at commit only. */
#include <check.h>

#include "ssl/center.h"
#include "support/comm.h"
#include "support/run.h"
#include "support/tape.h"

/* rows (1, 10), (2, 20), (6, 60): mean (3, 30); 0.9 (10, 0) + 0.1 (3, 30) = (9.3, 3) */
START_TEST(commit_moves_the_center_to_the_mean_of_all_micro_batches)
{
    hr_center center = { .keep = 0.9 };
    hr_test_tape here;
    hr_tensor *part[2];

    hr_test_tape_init(&here);
    center.value = hr_test_array(&here, 1, HR_DIM(2), (double[]){ 10, 0 });
    center.sum = hr_test_array(&here, 1, HR_DIM(2), (double[]){ 5, 5 });
    part[0] = hr_test_constant(&here, 2, HR_DIM(2, 2), (double[]){ 1, 10, 2, 20 });
    part[1] = hr_test_constant(&here, 2, HR_DIM(1, 2), (double[]){ 6, 60 });
    for (int i = 0; i < 2; i++)
        hr_center_see(&center, &here.t, part[i], 1.0 / 3, i == 0);
    hr_center_at_commit(&center, &here.t);
    hr_assert_values(&here, &center.value, 2, 10, 0);
    hr_tape_commit(&here.t);
    hr_assert_values(&here, &center.value, 2, 9.3, 3);
    hr_test_tape_done(&here);
}
END_TEST

/* Rank r has the row (1 + 4 r, 8 r): mean (3, 4). From 0 with
 * keep 0.5 the centre becomes (1.5, 2). */
static void center_of_rank(hr_comm *comm, void *arg)
{
    double(*got)[2] = arg;
    int r = comm->rank;
    hr_center center = { .keep = 0.5 };
    hr_test_tape here;

    hr_test_tape_init_on(&here, comm);
    center.value = hr_test_array(&here, 1, HR_DIM(2), (double[]){ 0, 0 });
    center.sum = hr_test_array(&here, 1, HR_DIM(2), (double[]){ 0, 0 });
    hr_center_see(&center, &here.t,
                  hr_test_constant(&here, 2, HR_DIM(1, 2), (double[]){ 1 + 4 * r, 8 * r }), 1,
                  true);
    hr_center_at_commit(&center, &here.t);
    hr_tape_commit(&here.t);
    hr_test_read(got[r], &here, &center.value);
    hr_test_tape_done(&here);
}

START_TEST(the_center_moves_to_the_mean_over_all_ranks)
{
    double got[2][2];

    hr_test_ranks(2, center_of_rank, got);
    for (int r = 0; r < 2; r++)
        hr_assert_close(got[r], ((double[]){ 1.5, 2 }), 2, 1e-6, 0);
}
END_TEST

HR_TESTS("center", commit_moves_the_center_to_the_mean_of_all_micro_batches,
         the_center_moves_to_the_mean_over_all_ranks)
