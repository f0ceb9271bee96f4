/* test_start.c - the start of a run: weights from another model, colour statistics of the data,
 * precision of the clustered features, and the warning about keys that the run does not use. */
#include <check.h>
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nn/model.h"
#include "small_trainer.h"
#include "support/run.h"
#include "train/run.h"

static const small_pair plain[] = { { "epochs", "2" }, { "hirl", "0" }, { NULL, NULL } };
static const small_pair *const over[] = { plain, NULL };

/* ---- weights ---- */

static void set(hirl_options *options, const char *key, const char *value)
{
    ck_assert_msg(hirl_options_set(options, key, value) >= 0, "%s", hirl_error_message());
}

/* a fresh model of `method` with another seed than the run's */
static hirl_model *other_model(small_trainer *t, const char *method)
{
    hirl_model *model = NULL;

    set(t->options, "seed", "99");
    set(t->options, "method", method);
    ck_assert_msg(hirl_model_create(&model, t->context, t->options) == HIRL_OK, "%s",
                  hirl_error_message());
    set(t->options, "seed", "7");
    set(t->options, "method", "mocov2");
    return model;
}

static void start_from(small_trainer *t, const hirl_model *start)
{
    hirl_trainer_destroy(t->trainer);
    ck_assert_msg(hirl_trainer_create(&t->trainer, t->context, start, t->images, t->options) ==
                      HIRL_OK,
                  "%s", hirl_error_message());
}

/* tensors of the network at step 0 */
static void weights_of(hr_tensors *list, const hirl_trainer *trainer, const char *network)
{
    hirl_model *model;

    ck_assert_int_eq(hirl_trainer_model(&model, trainer, network), HIRL_OK);
    hr_tensors_init(list);
    ck_assert_int_eq(hr_model_to_tensors(list, model), HIRL_OK);
    hirl_model_destroy(model);
}

static bool is_of_backbone(const char *name)
{
    return strncmp(name, "head.", 5) && strncmp(name, "h.", 2) && strncmp(name, "predictor.", 10);
}

/* Counts the weights of `list`, and those that have the same bits in
 * `start`: [0] of the backbone, [1] others. */
static void count_equal(int equal[2], int all[2], const hr_tensors *list, const hr_tensors *start)
{
    equal[0] = equal[1] = all[0] = all[1] = 0;
    for (int i = 0; i < list->count; i++) {
        const hr_named *mine = &list->item[i], *its = hr_tensors_find(start, mine->name);
        int other = !is_of_backbone(mine->name);

        if (!strstr(mine->name,
                    ".weight")) /* initial biases and statistics do not depend on the seed */
            continue;
        all[other]++;
        equal[other] +=
            its && its->bytes == mine->bytes && !memcmp(its->data, mine->data, mine->bytes);
    }
}

/* From a model of the same method a run takes all weights, from one
 * of another method those of the encoder. */
START_TEST(a_run_starts_with_the_weights_of_the_given_model)
{
    static const char *const network[] = { "online", "teacher" };
    const char *method = _i ? "simsiam" : "mocov2";
    hr_tensors wanted, list;
    hirl_model *start;
    int equal[2], all[2];
    small_trainer t;

    small_trainer_open(&t, 2, over);
    start = other_model(&t, method);
    hr_tensors_init(&wanted);
    ck_assert_int_eq(hr_model_to_tensors(&wanted, start), HIRL_OK);
    weights_of(&list, t.trainer, "online");
    count_equal(equal, all, &list, &wanted);
    ck_assert_int_lt(equal[0], all[0]); /* they differ without the given model */
    hr_tensors_done(&list);
    start_from(&t, start);
    hirl_model_destroy(start); /* the trainer has copied it */
    for (int n = 0; n < 2; n++) {
        weights_of(&list, t.trainer, network[n]);
        count_equal(equal, all, &list, &wanted);
        ck_assert_int_gt(all[0], 20);
        ck_assert_int_gt(all[1], 0);
        ck_assert_int_eq(equal[0], all[0]);
        ck_assert_int_eq(equal[1], _i ? 0 : all[1]);
        hr_tensors_done(&list);
    }
    hr_tensors_done(&wanted);
    ck_assert_int_eq(hirl_train_step(NULL, t.trainer), HIRL_OK);
    small_trainer_close(&t);
}
END_TEST

/* ---- colours ---- */

/* mean=auto, std=auto: the statistics of all pixels, here computed in two passes over the bytes */
START_TEST(auto_colours_are_the_mean_and_std_of_the_images)
{
    static const small_pair automatic[] = { { "mean", "auto" }, { "std", "auto" }, { NULL, NULL } };
    const small_pair *const both[] = { plain, automatic, NULL };
    const double n = SMALL_IMAGES * SMALL_SIDE * SMALL_SIDE;
    const hr_model_config *found;
    hirl_model *model;
    small_trainer t;

    setlocale(LC_ALL, "de_DE.UTF-8"); /* if installed: a locale with a decimal comma */
    small_trainer_open(&t, 2, both);
    setlocale(LC_ALL, "C");
    ck_assert_ptr_nonnull(strchr(t.trainer->config.model.mean_text, '.'));
    ck_assert_int_eq(hirl_trainer_model(&model, t.trainer, "online"), HIRL_OK);
    found = &model->config;
    for (int c = 0; c < 3; c++) {
        const uint8_t *pixel = &small_pixels[0][0][0][c];
        double mean = 0, square = 0;

        for (int i = 0; i < n; i++)
            mean += pixel[3 * i] / 255.0 / n;
        for (int i = 0; i < n; i++)
            square += (pixel[3 * i] / 255.0 - mean) * (pixel[3 * i] / 255.0 - mean) / n;
        ck_assert_double_eq_tol(found->mean[c], mean, 1e-12);
        ck_assert_double_eq_tol(found->std[c], sqrt(square), 1e-12);
    }
    hirl_model_destroy(model);
    small_trainer_close(&t);
}
END_TEST

/* ---- precision of features ---- */

/* prototypes of the leaves of a run's first tree */
static void first_leaves(float *proto, const char *precision, const char *of_features)
{
    const small_pair own[] = { { "epochs", "2" },
                               { "hirl", "1" },
                               { "cluster_warmup_epoch", "0" },
                               { "precision", precision },
                               { "feature_precision", of_features },
                               { NULL, NULL } };
    const small_pair *const list[] = { own, NULL };
    hirl_tree *tree;
    small_trainer t;

    small_trainer_open(&t, 2, list);
    ck_assert_msg(hirl_train_step(NULL, t.trainer) == HIRL_OK, "%s", hirl_error_message());
    ck_assert_int_eq(hirl_trainer_tree(&tree, t.trainer), HIRL_OK);
    memcpy(proto, hirl_tree_prototypes(tree, 1), 8 * 16 * sizeof *proto);
    hirl_tree_destroy(tree);
    small_trainer_close(&t);
}

/* Before the first step all weights are equal, so the tree shows the precision of the features. */
START_TEST(features_are_extracted_in_f32_or_in_the_precision_of_the_run)
{
    float f32[8 * 16], bf16_with_f32[8 * 16], bf16[8 * 16];

    first_leaves(f32, "f32", "run");
    first_leaves(bf16_with_f32, "bf16", "f32");
    first_leaves(bf16, "bf16", "run");
    ck_assert_mem_eq(bf16_with_f32, f32, sizeof f32);
    ck_assert_mem_ne(bf16, f32, sizeof f32);
}
END_TEST

/* ---- unused keys ---- */

static char warned[512];

static void keep_warning(int32_t level, const char *text, void *user)
{
    (void)user;
    if (level == HIRL_LOG_WARNING)
        snprintf(warned, sizeof warned, "%s", text);
}

START_TEST(a_warning_names_keys_that_the_run_does_not_use)
{
    static const char *const given[][2] = { { "mask_shape", "random" },
                                            { "vit_heads", "2" },
                                            { "sinkhorn_eps", "0.1" },
                                            { "ema", "0.9" } };
    small_trainer t;

    small_trainer_open(&t, 1, over);
    hirl_context_set_log(t.context, HIRL_LOG_DEBUG, keep_warning, NULL, NULL);
    start_from(&t, NULL);
    ck_assert_str_eq(warned, "");
    for (int i = 0; i < 4; i++)
        set(t.options, given[i][0], given[i][1]);
    start_from(&t, NULL);
    ck_assert_str_eq(warned,
                     "mocov2 of resnet18 has no use for vit_heads, sinkhorn_eps, mask_shape");
    set(t.options, "method", "simsiam");
    start_from(&t, NULL);
    ck_assert_ptr_nonnull(strstr(warned, ", ema, "));
    ck_assert_ptr_nonnull(strstr(warned, ", queue, "));
    ck_assert_ptr_null(strstr(warned, "width"));
    small_trainer_close(&t);
}
END_TEST

static Suite *start(void)
{
    Suite *suite = suite_create("start");
    TCase *tests = tcase_create("start");

    tcase_set_timeout(tests, 0);
    tcase_add_loop_test(tests, a_run_starts_with_the_weights_of_the_given_model, 0, 2);
    tcase_add_test(tests, auto_colours_are_the_mean_and_std_of_the_images);
    tcase_add_test(tests, features_are_extracted_in_f32_or_in_the_precision_of_the_run);
    tcase_add_test(tests, a_warning_names_keys_that_the_run_does_not_use);
    suite_add_tcase(suite, tests);
    return suite;
}

HR_TEST_MAIN(start)
