/* test_networks.c - what the networks of a run are given and asked for: views of every size. */
#include <check.h>
#include <math.h>

#include "small_methods.h"
#include "support/run.h"

enum { MOCOV2, SIMSIAM, SWAV, MOCOV3, DINO, IBOT };

static void must(hirl_status status)
{
    ck_assert_msg(status >= 0, "status %d: %s", (int)status, hirl_error_message());
}

/* ---- views ---- */

static double first_loss(int method, const char *joint)
{
    const small_pair own[] = { { "epochs", "2" },
                               { "image_size", "36" },
                               { "local_crops_number", "1,1,1,1,1,1,1,1" },
                               { "local_crops_size", "4,8,12,16,20,24,28,32" },
                               { "joint_views", joint },
                               { NULL, NULL } };
    const small_pair *const over[] = { small_method[method], own, NULL };
    hirl_step_report report = { .struct_size = sizeof report };
    small_trainer t;

    small_trainer_open(&t, 2, over);
    must(hirl_train_step(&report, t.trainer));
    small_trainer_close(&t);
    return report.loss_image;
}

/* Nine sizes: as many as the keys can say. Without batch norms (DINO) features of a view do not depend on
 * the views it is seen with, but for the rounding of sums of some hundred numbers. */
START_TEST(each_local_view_may_have_a_size_of_its_own)
{
    ck_assert(isfinite(first_loss(SWAV, "1")));
    ck_assert_double_eq_tol(first_loss(DINO, "1"), first_loss(DINO, "0"), 1e-4);
}
END_TEST

static Suite *networks(void)
{
    Suite *suite = suite_create("networks");
    TCase *tests = tcase_create("networks");

    tcase_set_timeout(tests, 0);
    tcase_add_test(tests, each_local_view_may_have_a_size_of_its_own);
    suite_add_tcase(suite, tests);
    return suite;
}

HR_TEST_MAIN(networks)
