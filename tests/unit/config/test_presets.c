/* test_presets.c - settings, schedules and views of each preset: HIRL tables 1 and 7, the methods'
 * papers, the authors' program. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <hirl/options.h>

#include "config/config.h"
#include "config/rates.h"
#include "config/views.h"
#include "methods.h"
#include "support/close.h"
#include "support/run.h"

enum { IMAGES = 1281167 }; /* ImageNet */

typedef struct value {
    const char *preset, *key, *value;
} value;

/* ---- profile paper: the method alone and with the hierarchy ---- */

static const value paper[] = {
    /* MoCo v2 (Chen et al. 2020a), HIRL table 7 */
    { "mocov2", "optimizer", "sgd" },
    { "mocov2", "base_lr", "0.03" },
    { "mocov2", "lr", "0.03" },
    { "mocov2", "momentum", "0.9" },
    { "mocov2", "weight_decay", "1e-4" },
    { "mocov2", "weight_decay_end", "1e-4" },
    { "mocov2", "decay_all", "1" },
    { "mocov2", "schedule", "cosine_epoch" },
    { "mocov2", "warmup_epochs", "0" },
    { "mocov2", "min_lr", "0" },
    { "mocov2", "constant_predictor_lr", "0" },
    { "mocov2", "clip", "none" },
    { "mocov2", "temperature", "0.2" },
    { "mocov2", "queue", "65536" },
    { "mocov2", "ema", "0.999" },
    { "mocov2", "ema_end", "0.999" },
    { "mocov2", "z_dim", "128" },
    { "mocov2", "head", "mlp in z" },
    { "mocov2", "zero_init_residual", "0" },
    { "mocov2", "bn_groups", "8" },      /* 32 images on each of 8 GPUs */
    { "mocov2", "path_bn_groups", "8" }, /* the same 32 images */
    /* SimSiam (Chen and He 2021) */
    { "simsiam", "optimizer", "sgd" },
    { "simsiam", "base_lr", "0.05" },
    { "simsiam", "lr", "0.1" },
    { "simsiam", "momentum", "0.9" },
    { "simsiam", "weight_decay", "1e-4" },
    { "simsiam", "weight_decay_end", "1e-4" },
    { "simsiam", "decay_all", "1" },
    { "simsiam", "schedule", "cosine_epoch" },
    { "simsiam", "warmup_epochs", "0" },
    { "simsiam", "min_lr", "0" },
    { "simsiam", "constant_predictor_lr", "1" },
    { "simsiam", "clip", "none" },
    { "simsiam", "z_dim", "2048" },
    { "simsiam", "hidden_dim", "2048" },
    { "simsiam", "predictor_dim", "512" },
    { "simsiam", "zero_init_residual", "1" },
    { "simsiam", "bn_groups", "1" },
    { "simsiam", "path_bn_groups", "16" },
    /* SwAV (Caron et al. 2020) */
    { "swav", "optimizer", "larc" },
    { "swav", "base_lr", "0.3" },
    { "swav", "lr", "4.8" },
    { "swav", "momentum", "0.9" },
    { "swav", "weight_decay", "1e-6" },
    { "swav", "weight_decay_end", "1e-6" },
    { "swav", "decay_all", "1" },
    { "swav", "schedule", "cosine" },
    { "swav", "warmup_epochs", "10" },
    { "swav", "warmup_lr", "0.3" },
    { "swav", "min_lr", "4.8e-3" },
    { "swav", "clip", "none" },
    { "swav", "temperature", "0.1" },
    { "swav", "sinkhorn_eps", "0.05" },
    { "swav", "sinkhorn_iterations", "3" },
    { "swav", "out_dim", "3000" },
    { "swav", "freeze_prototypes", "313" },
    { "swav", "queue", "0" },
    { "swav", "queue_start", "15" },
    { "swav", "z_dim", "128" },
    { "swav", "hidden_dim", "2048" },
    { "swav", "joint_views", "1" },
    { "swav", "iter_wise_assignment", "0" },
    { "swav", "bn_groups", "4" }, /* norms over 8 GPUs with 128 images each */
    { "swav", "path_bn_groups", "32" },
    /* MoCo v3 (Chen et al. 2021) */
    { "mocov3", "optimizer", "adamw" },
    { "mocov3", "base_lr", "1e-4" },
    { "mocov3", "lr", "1.6e-3" },
    { "mocov3", "weight_decay", "0.1" },
    { "mocov3", "weight_decay_end", "0.1" },
    { "mocov3", "decay_all", "1" },
    { "mocov3", "schedule", "cosine" },
    { "mocov3", "warmup_epochs", "40" },
    { "mocov3", "warmup_lr", "0" },
    { "mocov3", "min_lr", "0" },
    { "mocov3", "clip", "none" },
    { "mocov3", "temperature", "0.2" },
    { "mocov3", "ema", "0.99" },
    { "mocov3", "ema_end", "1" },
    { "mocov3", "z_dim", "256" },
    { "mocov3", "hidden_dim", "4096" },
    { "mocov3", "predictor_dim", "4096" },
    { "mocov3", "positions", "sincos" },
    { "mocov3", "vit_init", "xavier" },
    { "mocov3", "frozen_patch", "1" },
    { "mocov3", "drop_path", "0" },
    { "mocov3", "bn_groups", "1" },
    { "mocov3", "path_bn_groups", "128" },
    /* DINO (Caron et al. 2021) */
    { "dino", "optimizer", "adamw" },
    { "dino", "base_lr", "0.00075" },
    { "dino", "lr", "3e-3" },
    { "dino", "weight_decay", "0.04" },
    { "dino", "weight_decay_end", "0.4" },
    { "dino", "decay_all", "0" },
    { "dino", "schedule", "cosine_linspace" },
    { "dino", "warmup_epochs", "10" },
    { "dino", "warmup_lr", "0" },
    { "dino", "min_lr", "2e-6" },
    { "dino", "clip", "tensor" },
    { "dino", "clip_grad", "0.3" },
    { "dino", "freeze_last_layer", "3" },
    { "dino", "temperature", "0.1" },
    { "dino", "warmup_teacher_temperature", "0.04" },
    { "dino", "teacher_temperature", "0.07" },
    { "dino", "warmup_teacher_temperature_epochs", "50" },
    { "dino", "center_momentum", "0.9" },
    { "dino", "ema", "0.996" },
    { "dino", "ema_end", "1" },
    { "dino", "out_dim", "65536" },
    { "dino", "z_dim", "256" },
    { "dino", "hidden_dim", "2048" },
    { "dino", "drop_path", "0.1" },
    { "dino", "positions", "learned" },
    { "dino", "mask_token", "0" },
    { "dino", "path_bn_groups", "32" },
    /* iBOT (Zhou et al. 2022) */
    { "ibot", "optimizer", "adamw" },
    { "ibot", "base_lr", "0.00075" },
    { "ibot", "lr", "3e-3" },
    { "ibot", "weight_decay", "0.04" },
    { "ibot", "weight_decay_end", "0.4" },
    { "ibot", "decay_all", "0" },
    { "ibot", "schedule", "cosine_linspace" },
    { "ibot", "warmup_epochs", "10" },
    { "ibot", "warmup_lr", "0" },
    { "ibot", "min_lr", "2e-6" },
    { "ibot", "clip", "tensor" },
    { "ibot", "clip_grad", "0.3" },
    { "ibot", "freeze_last_layer", "3" },
    { "ibot", "temperature", "0.1" },
    { "ibot", "warmup_teacher_temperature", "0.04" },
    { "ibot", "teacher_temperature", "0.07" },
    { "ibot", "warmup_teacher_temperature_epochs", "50" },
    { "ibot", "center_momentum", "0.9" },
    { "ibot", "ema", "0.996" },
    { "ibot", "ema_end", "1" },
    { "ibot", "out_dim", "8192" },
    { "ibot", "z_dim", "256" },
    { "ibot", "hidden_dim", "2048" },
    { "ibot", "drop_path", "0.1" },
    { "ibot", "mask_token", "1" },
    { "ibot", "mask_share", "0.5" },
    { "ibot", "mask_ratio", "0.1,0.5" },
    { "ibot", "path_bn_groups", "32" },
};
enum { PAPER = sizeof paper / sizeof *paper };

/* ---- profile reference: the authors' program ---- */

static const value reference[] = {
    { "mocov2", "queue", "16384" }, /* paper: 65536 */
    { "hirl-mocov2", "queue", "16384" },
    { "hirl-mocov2", "warm", "0" },
    { "hirl-mocov2", "spd_weight", "0.5" }, /* the mean of both terms of the path loss */
    { "hirl-mocov2", "draw", "all" },       /* negatives from all leaves, the positive masked */
    { "hirl-mocov2", "kmeans_between", "unit" }, /* centroids of unit length between levels */
    { "hirl-mocov2", "cluster_warmup_epoch", "20" },
    { "hirl-simsiam", "warm", "0" },
    { "hirl-swav", "warm", "0" },
    { "hirl-swav", "iter_wise_assignment", "1" }, /* each step chooses leaves anew */
    { "hirl-swav", "joint_views", "0" },          /* each crop is a batch of its own */
    { "hirl-swav", "queue_start", "0" },
    { "hirl-swav", "bn_groups", "1" }, /* synchronised over all processes */
    { "mocov3", "base_lr", "1e-4" },   /* with the hierarchy 1.5e-4 */
    { "mocov3", "lr", "1.6e-3" },
    { "hirl-mocov3", "base_lr", "1.5e-4" },
    { "hirl-mocov3", "lr", "2.4e-3" },
    { "hirl-mocov3", "cluster_warmup_epoch", "40" }, /* paper: 20 */
    { "hirl-mocov3", "cluster_network", "teacher" }, /* paper: online */
    { "hirl-mocov3", "frozen_patch", "0" },          /* the patch embedding is trained */
    { "hirl-mocov3", "warm", "0" },
    { "hirl-dino", "clip", "global" },            /* common norm of all parameters */
    { "hirl-dino", "path_weight_decay", "0.01" }, /* constant, on all of h_l */
    { "hirl-dino", "cluster_warmup_epoch", "40" },
    { "hirl-dino", "warm", "0" },
    { "hirl-ibot", "clip", "global" },
    { "hirl-ibot", "path_weight_decay", "0.01" },
    { "hirl-ibot", "warm", "0" },
};
enum { REFERENCE = sizeof reference / sizeof *reference };

static hirl_options *options_of(const char *prefix, const char *preset, const char *profile)
{
    hirl_options *options;
    char name[64];

    snprintf(name, sizeof name, "%s%s", prefix, preset);
    hr_assert_ok(hirl_options_create(&options));
    hr_assert_ok(hirl_options_preset(options, name));
    hr_assert_ok(hirl_options_set(options, "profile", profile));
    return options;
}

/* compares numbers by value, other texts literally */
static void expect(const value *want, const char *prefix, const char *profile)
{
    hirl_options *options = options_of(prefix, want->preset, profile), *resolved;
    const char *found;
    char *rest, *end;
    bool same;

    hr_assert_ok(hirl_options_resolve(&resolved, options, IMAGES));
    found = hirl_options_get(resolved, want->key);
    ck_assert_ptr_nonnull(found);
    same =
        strtod(want->value, &end) == strtod(found, &rest) && end != want->value && !*end && !*rest;
    ck_assert_msg(same || !strcmp(found, want->value), "%s%s, profile %s: %s=%s, not %s", prefix,
                  want->preset, profile, want->key, found, want->value);
    hirl_options_destroy(resolved);
    hirl_options_destroy(options);
}

START_TEST(presets_use_what_the_paper_states)
{
    expect(&paper[_i], "", "paper");
    expect(&paper[_i], "hirl-", "paper");
}
END_TEST

/* HIRL Alg. 2 */
START_TEST(paper_presets_cluster_from_scratch_in_each_epoch)
{
    static const char *const preset[] = { "mocov2", "simsiam", "swav", "swav-800",
                                          "mocov3", "dino",    "ibot" };

    for (int i = 0; i < 7; i++)
        expect(&(value){ preset[i], "warm", "0" }, "hirl-", "paper");
    expect(&(value){ "mocov2-small", "warm", "1" }, "hirl-", "paper");
}
END_TEST

START_TEST(each_method_of_the_paper_has_four_presets)
{
#define NAME(name) #name,
    static const char *const method[] = { HR_METHODS(NAME) };
    static const char *const form[] = { "%s", "hirl-%s", "%s-small", "hirl-%s-small" };
    char preset[64];

    for (size_t i = 0; i < sizeof method / sizeof *method; i++)
        for (int f = 0; f < 4 && strcmp(method[i], "own"); f++) {
            hirl_options *options;

            snprintf(preset, sizeof preset, form[f], method[i]);
            hr_assert_ok(hirl_options_create(&options));
            hr_assert_ok(hirl_options_preset(options, preset));
            ck_assert_str_eq(hirl_options_get(options, "method"), method[i]);
            hirl_options_destroy(options);
        }
}
END_TEST

START_TEST(profile_reference_uses_what_the_program_does)
{
    expect(&reference[_i], "", "reference");
}
END_TEST

/* HIRL-iBOT ran with 1032 images on 24 GPUs, 43 on each */
START_TEST(path_heads_of_the_ibot_program_normalise_over_43_images)
{
    hirl_options *options = options_of("hirl-", "ibot", "reference"), *resolved;

    hr_assert_ok(hirl_options_set(options, "batch_size", "1032"));
    hr_assert_ok(hirl_options_resolve(&resolved, options, IMAGES));
    ck_assert_str_eq(hirl_options_get(resolved, "path_bn_groups"), "24");
    hirl_options_destroy(resolved);
    hirl_options_destroy(options);
}
END_TEST

START_TEST(batch_norm_of_swav_covers_a_whole_small_batch)
{
    static const char *const batch[][2] = { { "256", "1" }, { "1024", "1" }, { "2048", "2" } };
    hirl_options *options = options_of("", "swav", "paper"), *resolved;

    for (int i = 0; i < 3; i++) {
        hr_assert_ok(hirl_options_set(options, "batch_size", batch[i][0]));
        hr_assert_ok(hirl_options_set(options, "lr", "0.6"));
        hr_assert_ok(hirl_options_resolve(&resolved, options, IMAGES));
        ck_assert_str_eq(hirl_options_get(resolved, "bn_groups"), batch[i][1]);
        hirl_options_destroy(resolved);
    }
    hirl_options_destroy(options);
}
END_TEST

/* ---- schedules: numbers of an independent program ---- */

static const hr_train_config *train_of(const char *preset)
{
    static hr_run_config config;
    hirl_options *options = options_of("", preset, "paper");

    hr_assert_ok(hr_run_config_read(&config, options, IMAGES));
    hirl_options_destroy(options);
    return &config.train;
}

START_TEST(dino_and_ibot_follow_the_published_schedules)
{
    static const struct {
        int64_t step;
        double rate, decay, ema;
    } at[] = {
        { 0, 0, 0.04, 0.996 },
        { 12509, 3e-3, 0.0405547912674, 0.996006164347 },
        { 12510, 3e-3, 0.040554879928, 0.996006165333 },
        { 250200, 0.00156135864422, 0.22, 0.998 },
    };
    static const double temperature[][2] = {
        { 0, 0.04 }, { 1, 0.040612244898 }, { 25, 0.055306122449 }, { 49, 0.07 }, { 399, 0.07 }
    };
    const hr_train_config *c = train_of(_i ? "ibot" : "dino");
    enum { I = 1251 };

    for (int i = 0; i < 4; i++) {
        hr_rates r = hr_rates_at(c, at[i].step, I);

        ck_assert_double_eq_tol(r.rate, at[i].rate, 5e-15);
        ck_assert_double_eq_tol(r.decay, at[i].decay, 5e-13);
        ck_assert_double_eq_tol(r.path_decay, at[i].decay, 5e-13);
        ck_assert_double_eq_tol(r.ema, at[i].ema, 5e-13);
    }
    ck_assert_double_eq_tol(hr_rates_at(c, 1, I).rate, 2.39827324326e-7, 1e-18);
    ck_assert_double_eq_tol(hr_rates_at(c, 500399, I).rate, 2.00000003108e-6, 5e-18);
    for (int i = 0; i < 5; i++)
        ck_assert_double_eq_tol(
            hr_rates_at(c, (int64_t)temperature[i][0] * I, I).teacher_temperature,
            temperature[i][1], 5e-13);
    ck_assert(hr_rates_at(c, 3 * I - 1, I).freeze_last); /* epochs 0, 1, 2 */
    ck_assert(!hr_rates_at(c, 3 * I, I).freeze_last);
}
END_TEST

/* the teacher of step s is updated when step s - 1 commits */
START_TEST(mocov3_follows_the_published_schedules)
{
    const hr_train_config *c = train_of("mocov3");
    enum { I = 310 };

    ck_assert_double_eq_tol(hr_rates_at(c, 100 * I - 1, I).ema, 0.9914644661, 5e-11);
    ck_assert_double_eq_tol(hr_rates_at(c, 200 * I - 1, I).ema, 0.995, 1e-15);
    ck_assert_double_eq_tol(hr_rates_at(c, 400 * I - 32, I).ema, 0.9999999985, 5e-11);
    ck_assert_double_eq(hr_rates_at(c, 0, I).rate, 0);
    ck_assert_double_eq_tol(hr_rates_at(c, 20 * I, I).rate, 0.8e-3,
                            1e-17); /* half of 40 warm-up epochs */
    ck_assert_double_eq_tol(hr_rates_at(c, 40 * I, I).rate, 1.6e-3, 1e-17);
    ck_assert_double_eq_tol(hr_rates_at(c, 220 * I, I).rate, 0.8e-3, 1e-17);
    ck_assert_double_eq_tol(hr_rates_at(c, 300 * I, I).decay, 0.1, 1e-15);
}
END_TEST

START_TEST(swav_follows_the_published_schedules)
{
    const hr_train_config *c = train_of("swav");
    enum { I = 312 };

    ck_assert_double_eq_tol(hr_rates_at(c, 0, I).rate, 0.3, 1e-14);
    ck_assert_double_eq_tol(hr_rates_at(c, 5 * I, I).rate, 2.55, 1e-14);
    ck_assert_double_eq_tol(hr_rates_at(c, 10 * I, I).rate, 4.8, 1e-14);
    ck_assert_double_eq_tol(hr_rates_at(c, 100 * I, I).rate, 2.600392239, 5e-10);
    ck_assert_double_eq_tol(hr_rates_at(c, 199 * I + I / 2, I).rate, 0.004881936, 5e-10);
    ck_assert_double_eq_tol(hr_rates_at(c, 100 * I, I).decay, 1e-6, 1e-20);
    ck_assert(hr_rates_at(c, 312, I).freeze_last); /* the last of 313 steps */
    ck_assert(!hr_rates_at(c, 313, I).freeze_last);
}
END_TEST

START_TEST(mocov2_and_simsiam_follow_the_published_schedules)
{
    static const double share[][2] = { /* times 0.03: 0.03, 0.029998149, 0.015, 0.000001851 */
                                       { 0, 1 },
                                       { 1, 0.99993830 },
                                       { 100, 0.5 },
                                       { 199, 0.00006170 }
    };
    const hr_train_config *c = train_of(_i ? "simsiam" : "mocov2");
    double first = _i ? 0.1 : 0.03;
    enum { I = 2502 };

    for (int i = 0; i < 4; i++) {
        hr_rates r =
            hr_rates_at(c, (int64_t)share[i][0] * I + I - 1, I); /* the last step of an epoch */

        ck_assert_double_eq_tol(r.rate, first * share[i][1], 2e-8 * first);
        ck_assert_double_eq_tol(r.predictor_rate, _i ? 0.1 : r.rate, 1e-15);
        ck_assert_double_eq_tol(r.decay, 1e-4, 1e-18);
        ck_assert(!r.freeze_last);
    }
    if (!_i)
        ck_assert_double_eq_tol(hr_rates_at(c, 77, I).ema, 0.999, 1e-15);
}
END_TEST

/* ---- views ---- */

static const struct {
    const char *preset;
    hr_recipe first, second, last;
    int32_t count, last_size;
} drawn[] = {
    { "mocov2", HR_RECIPE_MOCOV2, HR_RECIPE_MOCOV2, HR_RECIPE_MOCOV2, 2, 224 },
    { "simsiam", HR_RECIPE_MOCOV2, HR_RECIPE_MOCOV2, HR_RECIPE_MOCOV2, 2, 224 },
    { "swav", HR_RECIPE_SWAV_GLOBAL, HR_RECIPE_SWAV_GLOBAL, HR_RECIPE_SWAV_LOCAL, 8, 96 },
    { "mocov3", HR_RECIPE_MOCOV3_FIRST, HR_RECIPE_MOCOV3_SECOND, HR_RECIPE_MOCOV3_SECOND, 2, 224 },
    { "dino", HR_RECIPE_DINO_FIRST, HR_RECIPE_DINO_SECOND, HR_RECIPE_DINO_LOCAL, 12, 96 },
    { "ibot", HR_RECIPE_IBOT_FIRST, HR_RECIPE_IBOT_SECOND, HR_RECIPE_IBOT_LOCAL, 12, 96 },
};
enum { DRAWN = sizeof drawn / sizeof *drawn };

static void expect_recipe(const hr_view *view, hr_recipe recipe, int32_t size)
{
    static const float mean[] = { 0.485f, 0.456f, 0.406f }, std[] = { 0.229f, 0.224f, 0.225f };
    hr_view want = { 0 };

    hr_view_recipe(&want, recipe, size, mean, std);
    ck_assert_int_eq(view->size, want.size);
    ck_assert_int_eq(view->filter, want.filter);
    ck_assert_double_eq(view->scale_low, want.scale_low);
    ck_assert_double_eq(view->scale_high, want.scale_high);
    ck_assert(!memcmp(view->jitter, want.jitter, sizeof want.jitter));
    ck_assert_double_eq(view->jitter_p, want.jitter_p);
    ck_assert_double_eq(view->gray_p, want.gray_p);
    ck_assert_double_eq(view->blur_p, want.blur_p);
    ck_assert_double_eq(view->sigma_low, want.sigma_low);
    ck_assert_double_eq(view->sigma_high, want.sigma_high);
    ck_assert_double_eq(view->solarize_p, want.solarize_p);
    ck_assert_double_eq(view->flip_p, want.flip_p);
    ck_assert(view->flip_first == want.flip_first && !view->evaluation);
    ck_assert(!memcmp(view->mean, mean, sizeof mean) && !memcmp(view->std, std, sizeof std));
}

START_TEST(each_view_is_drawn_as_its_method_says)
{
    static hr_run_config config;
    hirl_options *options = options_of("", drawn[_i].preset, "paper");
    hr_run_views views;

    hr_assert_ok(hr_run_config_read(&config, options, IMAGES));
    hr_assert_ok(hr_run_views_of(&views, &config));
    ck_assert_int_eq(views.count, drawn[_i].count);
    ck_assert_int_eq(views.globals, 2);
    expect_recipe(&views.view[0], drawn[_i].first, 224);
    expect_recipe(&views.view[1], drawn[_i].second, 224);
    expect_recipe(&views.view[views.count - 1], drawn[_i].last, drawn[_i].last_size);
    hirl_options_destroy(options);
}
END_TEST

/* the two global views of these methods differ; numbers of the methods' papers, not of augment.c */
START_TEST(two_global_views_differ_in_blur_and_solarize)
{
    static const struct {
        const char *preset;
        double blur[2], solarize[2], scale_low;
    } table[] = {
        { "mocov2", { 0.5, 0.5 }, { 0, 0 }, 0.2 },  { "swav", { 0.5, 0.5 }, { 0, 0 }, 0.14 },
        { "mocov3", { 1, 0.1 }, { 0, 0.2 }, 0.08 }, { "dino", { 1, 0.1 }, { 0, 0.2 }, 0.25 },
        { "ibot", { 1, 0.1 }, { 0, 0.2 }, 0.32 },
    };
    static hr_run_config config;
    hirl_options *options = options_of("", table[_i].preset, "paper");
    hr_run_views views;

    hr_assert_ok(hr_run_config_read(&config, options, IMAGES));
    hr_assert_ok(hr_run_views_of(&views, &config));
    for (int v = 0; v < 2; v++) {
        ck_assert_double_eq(views.view[v].blur_p, table[_i].blur[v]);
        ck_assert_double_eq(views.view[v].solarize_p, table[_i].solarize[v]);
        ck_assert_double_eq(views.view[v].scale_low, table[_i].scale_low);
    }
    hirl_options_destroy(options);
}
END_TEST

static Suite *presets_suite(void)
{
    Suite *suite = suite_create("presets");
    TCase *tests = tcase_create("presets");

    tcase_add_loop_test(tests, presets_use_what_the_paper_states, 0, PAPER);
    tcase_add_loop_test(tests, profile_reference_uses_what_the_program_does, 0, REFERENCE);
    tcase_add_test(tests, each_method_of_the_paper_has_four_presets);
    tcase_add_test(tests, paper_presets_cluster_from_scratch_in_each_epoch);
    tcase_add_test(tests, path_heads_of_the_ibot_program_normalise_over_43_images);
    tcase_add_test(tests, batch_norm_of_swav_covers_a_whole_small_batch);
    tcase_add_loop_test(tests, dino_and_ibot_follow_the_published_schedules, 0, 2);
    tcase_add_test(tests, mocov3_follows_the_published_schedules);
    tcase_add_test(tests, swav_follows_the_published_schedules);
    tcase_add_loop_test(tests, mocov2_and_simsiam_follow_the_published_schedules, 0, 2);
    tcase_add_loop_test(tests, each_view_is_drawn_as_its_method_says, 0, DRAWN);
    tcase_add_loop_test(tests, two_global_views_differ_in_blur_and_solarize, 0, 5);
    suite_add_tcase(suite, tests);
    return suite;
}

HR_TEST_MAIN(presets_suite)
