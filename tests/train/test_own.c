/* test_own.c - method=own through the public interface: setting the
 * callbacks, and the arguments they get. */
#include <math.h>
#include <string.h>

#include "own_world.h"
#include "support/close.h"
#include "support/run.h"

enum { PREDICTED = 6 };

/* ---- setting the callbacks ---- */

START_TEST(a_step_fails_until_the_callbacks_are_set)
{
    hirl_step_report report = { .struct_size = sizeof report };
    hirl_trainer_score score = { .struct_size = sizeof score };
    own_world w;

    own_world_open(&w, 1);
    own_world_set(&w, "cluster_warmup_epoch", "0");
    own_world_begin(&w);
    hr_assert_fails(hirl_train_step(NULL, w.trainer), HIRL_E_STATE, "hirl_trainer_set_method");
    hr_assert_fails(hirl_trainer_evaluate(&score, w.trainer, w.images), HIRL_E_STATE,
                    "hirl_trainer_set_method");
    own_world_set_method(&w);
    hr_assert_ok(hirl_train_step(&report, w.trainer));
    ck_assert_int_eq(report.clustered, 1);
    ck_assert(report.loss_spd > 0);
    own_world_close(&w);
}
END_TEST

START_TEST(invalid_callbacks_are_refused)
{
    own_world w;
    hirl_method_calls good, calls;

    own_world_run(&w, 1);
    calls = good = own_method_calls(&w.method);
    hr_assert_fails(hirl_trainer_set_method(NULL, &calls), HIRL_E_INVALID, "trainer");
    hr_assert_fails(hirl_trainer_set_method(w.trainer, NULL), HIRL_E_INVALID, "calls");
    calls.struct_size = 0;
    hr_assert_fails(hirl_trainer_set_method(w.trainer, &calls), HIRL_E_INVALID, "struct_size");
    calls = good;
    calls.loss = NULL;
    hr_assert_fails(hirl_trainer_set_method(w.trainer, &calls), HIRL_E_INVALID, "loss");
    calls = good;
    calls.name = "";
    hr_assert_fails(hirl_trainer_set_method(w.trainer, &calls), HIRL_E_INVALID, "name");
    calls.name = "0123456789012345678901234567890123456789012345678901234567890123";
    hr_assert_fails(hirl_trainer_set_method(w.trainer, &calls), HIRL_E_INVALID, "name");
    calls.name = "other";
    hr_assert_fails(hirl_trainer_set_method(w.trainer, &calls), HIRL_E_INVALID, "pulled");
    calls = good;
    calls.coupled = 1;
    hr_assert_fails(hirl_trainer_set_method(w.trainer, &calls), HIRL_E_INVALID, "coupled");
    own_world_steps(&w, 1);
    own_world_set(&w, "method", "simsiam");
    own_world_begin(&w);
    hr_assert_fails(hirl_trainer_set_method(w.trainer, &good), HIRL_E_STATE, "simsiam");
    own_world_close(&w);
}
END_TEST

/* ---- arguments of the callbacks ---- */

START_TEST(the_loss_gets_the_outputs_declared_by_keys)
{

    hirl_trainer_score score = { .struct_size = sizeof score };
    const hirl_method_step *seen;
    own_world w;
    int ids = 0;

    own_world_run(&w, 2);
    seen = &w.method.seen;
    own_world_steps(&w, OWN_STEPS_AN_EPOCH);
    ck_assert_uint_eq(seen->struct_size, sizeof *seen);
    ck_assert_int_eq(seen->step, 2);
    ck_assert_int_eq(seen->n, OWN_BATCH);
    ck_assert_int_eq(seen->views, 2);
    ck_assert_int_eq(seen->globals, 2);
    ck_assert_int_eq(seen->d, OWN_DIM);
    ck_assert_int_eq(seen->z_dim, OWN_DIM);
    ck_assert_int_eq(seen->teacher_dim, 0);
    ck_assert_ptr_eq(seen->z0, seen->student);
    ck_assert_ptr_null(seen->teacher);
    ck_assert_int_eq(seen->micros, 1);
    for (int i = 0; i < OWN_IMAGES; i++)
        ids += w.method.id_seen[i];
    ck_assert_int_eq(ids, OWN_IMAGES); /* an epoch contains each image once */
    ck_assert_int_eq(w.method.with_grad, OWN_STEPS_AN_EPOCH);
    hr_assert_ok(hirl_trainer_evaluate(&score, w.trainer, w.images));
    ck_assert_int_eq(w.method.with_grad, OWN_STEPS_AN_EPOCH);
    ck_assert_int_eq(w.method.calls, 2 * OWN_STEPS_AN_EPOCH);
    ck_assert_int_eq(w.method.committed, OWN_STEPS_AN_EPOCH);
    ck_assert_int_lt(w.method.first_id, -1); /* held-out images have ids below -1 */
    own_world_close(&w);
}
END_TEST

START_TEST(the_loss_gets_predictor_teacher_and_local_views)
{
    const hirl_method_step *seen;
    own_world w;

    own_world_open(&w, 2);
    own_world_set(&w, "predictor", "mlp 10 6 bn");
    own_world_set(&w, "own_teacher", "1");
    own_world_set(&w, "cluster_network", "teacher");
    own_world_set(&w, "local_crops_number", "8");
    own_world_set(&w, "local_crops_size", "8");
    own_world_set(&w, "accumulate", "2");
    own_world_set(&w, "precision", "bf16");
    own_world_begin(&w);
    own_world_set_method(&w);
    seen = &w.method.seen;
    own_world_steps(&w, OWN_STEPS_AN_EPOCH + 1); /* the last step has the path loss */
    ck_assert_int_eq(seen->n, OWN_BATCH / 2);
    ck_assert_int_eq(seen->views, 10);
    ck_assert_int_eq(seen->d, PREDICTED);
    ck_assert_int_eq(seen->z_dim, OWN_DIM);
    ck_assert_int_eq(seen->teacher_dim, OWN_DIM);
    ck_assert_int_eq(seen->micro, 1);
    ck_assert_int_eq(seen->micros, 2);
    ck_assert_int_eq(w.method.calls, 2 * (OWN_STEPS_AN_EPOCH + 1));
    ck_assert_int_eq(w.method.committed, OWN_STEPS_AN_EPOCH + 1);
    own_world_close(&w);
}
END_TEST

START_TEST(one_view_is_enough)
{
    own_world w;

    own_world_open(&w, 1);
    own_world_set(&w, "global_crops_number", "1");
    own_world_begin(&w);
    own_world_set_method(&w);
    own_world_steps(&w, OWN_STEPS_AN_EPOCH + 1);
    ck_assert_int_eq(w.method.seen.views, 1);
    own_world_close(&w);
}
END_TEST

START_TEST(iter_wise_assignment_needs_a_second_view)
{
    own_world w;

    own_world_open(&w, 1);
    own_world_set(&w, "global_crops_number", "1");
    own_world_set(&w, "iter_wise_assignment", "1");
    hirl_trainer_destroy(w.trainer);
    w.trainer = NULL;
    hr_assert_fails(hirl_trainer_create(&w.trainer, w.context, NULL, w.images, w.options),
                    HIRL_E_INVALID, "second view");
    own_world_close(&w);
}
END_TEST

enum { MIXED = 5 /* views */ };

static int32_t copy_student(double *loss, float *grad, const hirl_method_step *step, void *user)
{
    (void)loss;
    (void)grad;
    memcpy(user, step->student, (size_t)(step->views * step->n * step->d) * sizeof(float));
    return 0;
}

/* Without batch norm the output of a view does not depend on the other views in the pass. */
START_TEST(views_of_any_sizes_keep_their_order)
{
    static float row[2][MIXED * OWN_BATCH * OWN_DIM];

    for (int joint = 0; joint < 2; joint++) {
        hirl_method_calls calls = {
            .struct_size = sizeof calls, .name = "keep", .loss = copy_student, .user = row[joint]
        };
        own_world w;

        own_world_open(&w, 2);
        own_world_set(&w, "arch", "vit_micro_patch4_32");
        own_world_set(&w, "head", "mlp 12 z");
        own_world_set(&w, "hirl", "0");
        own_world_set(&w, "local_crops_number", "1,1,1");
        own_world_set(&w, "local_crops_size", "12,8,12"); /* views of one size are not adjacent */
        own_world_set(&w, "joint_views", joint ? "1" : "0");
        own_world_begin(&w);
        hr_assert_ok(hirl_trainer_set_method(w.trainer, &calls));
        own_world_steps(&w, 1);
        own_world_close(&w);
    }
    for (int i = 0; i < MIXED * OWN_BATCH * OWN_DIM; i++)
        ck_assert_double_eq_tol(row[1][i], row[0][i], 1e-5);
    for (int v = 1; v < MIXED; v++) /* different views differ by more than the tolerance */
        ck_assert_double_gt(fabs((double)row[0][v * OWN_BATCH * OWN_DIM] - (double)row[0][0]),
                            1e-4);
}
END_TEST

/* Two micro-batches equal one batch with two batch-norm groups, as the loss is a mean over images.
 * In double test_accumulate.c checks this for weights too. */
START_TEST(micro_batches_sum_to_one_batch)
{
    double loss[2], center[2];

    for (int i = 0; i < 2; i++) {
        hirl_step_report report = { .struct_size = sizeof report };
        own_world w;

        own_world_open(&w, 2);
        own_world_set(&w, "bn_groups", "2");
        own_world_set(&w, "path_bn_groups", "2");
        own_world_set(&w, "accumulate", i ? "2" : "1");
        own_world_set(&w, "cluster_warmup_epoch", "0");
        own_world_begin(&w);
        own_world_set_method(&w);
        own_world_steps(&w, 1); /* later steps would magnify how the two round */
        hr_assert_ok(hirl_train_step(&report, w.trainer));
        ck_assert(report.loss_spd > 0);
        loss[i] = report.loss;
        center[i] = w.method.center[1];
        ck_assert_int_eq(w.method.calls, 2 * (i + 1));
        own_world_close(&w);
    }
    ck_assert_double_eq_tol(loss[0], loss[1], 1e-5);
    ck_assert_double_eq_tol(center[0], center[1], 1e-5);
}
END_TEST

HR_TESTS("own", a_step_fails_until_the_callbacks_are_set, invalid_callbacks_are_refused,
         the_loss_gets_the_outputs_declared_by_keys,
         the_loss_gets_predictor_teacher_and_local_views, one_view_is_enough,
         iter_wise_assignment_needs_a_second_view, views_of_any_sizes_keep_their_order,
         micro_batches_sum_to_one_batch)
