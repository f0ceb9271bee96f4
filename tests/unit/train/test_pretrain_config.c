/* test_pretrain_config.c - converts the settings of a run to those of its task.
 * Covers what the trainings of tests/golden cannot: there a step is an epoch, and some
 * keys always have their default values. */
#include <check.h>

#include <hirl/options.h>

#include "config/config.h"
#include "config/rates.h"
#include "support/close.h"
#include "support/run.h"
#include "train/pretrain_config.h"

enum { I = 1251 /* steps an epoch for ImageNet with batch 1024 */, IMAGES = 1281167 };

typedef struct made {
    hr_run_config run;
    hr_run_views views;
    hr_pretrain_config task;
} made;

/* makes the settings of a run from pairs of key and value that
 * end with NULL; valid until the next call */
static const made *make(const char *const (*pairs)[2])
{
    static made m;
    hirl_options *options;

    hr_assert_ok(hirl_options_create(&options));
    for (; (*pairs)[0]; pairs++)
        hr_assert_ok(hirl_options_set(options, (*pairs)[0], (*pairs)[1]));
    hr_assert_ok(hr_run_config_read(&m.run, options, IMAGES));
    hirl_options_destroy(options);
    hr_assert_ok(hr_run_views_of(&m.views, &m.run));
    m.task = hr_pretrain_config_of(&m.run, &m.views, I, 1);
    return &m;
}

START_TEST(the_queue_of_swav_starts_at_the_given_epoch)
{
    static const char *const pairs[][2] = { { "method", "swav" },
                                            { "batch_size", "256" },
                                            { "queue", "3840" },
                                            { "queue_start", "15" },
                                            { NULL, NULL } };
    const made *m = make(pairs);

    ck_assert_int_eq(m->task.method.queue, 3840);
    ck_assert_int_eq(m->task.method.queue_start, 18765); /* 15 x 1251 */
}
END_TEST

START_TEST(the_last_layer_is_frozen_for_epochs_and_prototypes_for_steps)
{
    static const char *const dino[][2] = { { "method", "dino" },
                                           { "freeze_last_layer", "2" },
                                           { NULL, NULL } };
    static const char *const swav[][2] = { { "method", "swav" },
                                           { "freeze_prototypes", "313" },
                                           { NULL, NULL } };
    const hr_train_config *t = &make(dino)->run.train;

    ck_assert(hr_rates_at(t, 2501, I).freeze_last); /* the last step of epoch 1 */
    ck_assert(!hr_rates_at(t, 2502, I).freeze_last);
    t = &make(swav)->run.train;
    ck_assert(hr_rates_at(t, 312, I).freeze_last);
    ck_assert(!hr_rates_at(t, 313, I).freeze_last);
}
END_TEST

START_TEST(settings_of_the_method_reach_the_task)
{
    static const char *const pairs[][2] = { { "method", "ibot" },
                                            { "arch", "vit_base_patch16_224" },
                                            { "global_crops_number", "3" },
                                            { "local_crops_number", "4" },
                                            { "temperature", "0.13" },
                                            { "center_momentum", "0.8" },
                                            { "sinkhorn_eps", "0.07" },
                                            { "sinkhorn_iterations", "5" },
                                            { "mask_share", "0.3" },
                                            { "spd_eps", "1e-5" },
                                            { "mask_own_keys", "0" },
                                            { "warmup_teacher_temperature", "0.03" },
                                            { NULL, NULL } };
    const hr_pretrain_config *c = &make(pairs)->task;

    ck_assert_int_eq(c->method.globals, 3);
    ck_assert_int_eq(make(pairs)->views.count, 7);
    ck_assert_double_eq(c->method.temperature, 0.13);
    ck_assert_double_eq(c->method.center_momentum, 0.8);
    ck_assert_double_eq(c->method.sinkhorn_eps, 0.07);
    ck_assert_int_eq(c->method.sinkhorn_iterations, 5);
    ck_assert_double_eq(c->method.mask_share, 0.3);
    ck_assert_double_eq(c->spd_eps, 1e-5);
    ck_assert(!c->method.mask_own_keys);
    ck_assert_double_eq(c->method.first_teacher_temperature, 0.03);
}
END_TEST

START_TEST(batch_groups_and_precision_reach_the_task)
{
    static const char *const pairs[][2] = {
        { "method", "swav" },      { "batch_size", "64" },
        { "accumulate", "2" },     { "bn_groups", "4" },
        { "path_bn_groups", "8" }, { "precision", "bf16" },
        { "joint_views", "0" },    { "lr", "1" },
        { "momentum", "0.85" },    { "seed", "77" },
        { "prototypes", "9,3" },   { NULL, NULL },
    };
    const hr_pretrain_config *c = &make(pairs)->task;

    ck_assert_int_eq(c->learner.batch, 64);
    ck_assert_int_eq(c->learner.accumulate, 2);
    ck_assert_int_eq(c->bn_groups, 4);
    ck_assert_int_eq(c->path_bn_groups, 8);
    ck_assert_int_eq(c->levels, 2);
    ck_assert(c->learner.bf16);
    ck_assert(!c->joint);
    ck_assert(!c->reference);
    ck_assert_double_eq(c->momentum, 0.85);
    ck_assert_int_eq((int64_t)c->learner.seed, 77);
}
END_TEST

START_TEST(heads_with_their_own_decay_decay_all_parameters)
{
    static const char *const alike[][2] = { { "method", "dino" }, { NULL, NULL } };
    static const char *const own[][2] = { { "method", "dino" },
                                          { "path_weight_decay", "0.01" },
                                          { NULL, NULL } };
    const hr_pretrain_config *c = &make(alike)->task;

    ck_assert(!c->decay_all && !c->path_decay_all);
    c = &make(own)->task;
    ck_assert(!c->decay_all && c->path_decay_all);
}
END_TEST

START_TEST(optimisers_have_their_published_constants)
{
    static const char *const pairs[][2] = {
        { "method", "dino" }, { "clip", "global" }, { "clip_grad", "0.7" }, { NULL, NULL }
    };
    const hr_optim_config *c = &make(pairs)->task.learner.optim;

    ck_assert_int_eq(c->kind, HR_OPTIM_ADAMW);
    ck_assert_int_eq(c->clip, HR_CLIP_GLOBAL);
    ck_assert_double_eq(c->clip_limit, 0.7);
    ck_assert_double_eq(c->beta1, 0.9);
    ck_assert_double_eq(c->beta2, 0.999);
    ck_assert_double_eq(c->eps, 1e-8);
    ck_assert_double_eq(c->trust, 0.001);
}
END_TEST

HR_TESTS("pretrain-config", the_queue_of_swav_starts_at_the_given_epoch,
         the_last_layer_is_frozen_for_epochs_and_prototypes_for_steps,
         settings_of_the_method_reach_the_task, batch_groups_and_precision_reach_the_task,
         heads_with_their_own_decay_decay_all_parameters, optimisers_have_their_published_constants)
