/* presets.c - named experiments: values of keys, over the settings of the method (ssl/<method>.c).
 *
 * mocov2, hirl-mocov2, ...              an experiment of the paper (HIRL tables 1, 2 and 7;
 *                                       sec. 5.1; appendix B)
 * mocov2-small, hirl-mocov2-small, ...  images of 32 x 32 pixels, one machine without a GPU; 20
 *                                       epochs of 20,000 images take minutes with a ResNet, half an
 *                                       hour with a vision transformer (tests/bench/README.md)
 */
#include "api/presets.h"

#include <stdio.h>
#include <string.h>

#include <hirl/options.h>

#include "base/error.h"

#define END                                                                                        \
    {                                                                                              \
        NULL, NULL                                                                                 \
    }
#define RESNET_50                                                                                  \
    { "arch", "resnet50" }, { "width", "1" }, { "stem", "normal" },                                \
    {                                                                                              \
        "image_size", "224"                                                                        \
    }
#define VIT_B                                                                                      \
    { "arch", "vit_base_patch16_224" },                                                            \
    {                                                                                              \
        "image_size", "224"                                                                        \
    }
#define SMALL_RESNET                                                                               \
    { "arch", "resnet18" }, { "width", "0.25" }, { "stem", "small" },                              \
    {                                                                                              \
        "image_size", "32"                                                                         \
    }
#define SMALL_VIT                                                                                  \
    { "arch", "vit_micro_patch4_32" }, { "patch_size", "8" },                                      \
    {                                                                                              \
        "image_size", "32"                                                                         \
    }
/* settings that DINO and iBOT share: schedule, teacher and views */
#define SMALL_TEACHER                                                                              \
    { "epochs", "20" }, { "batch_size", "64" }, { "lr", "1e-3" }, { "warmup_epochs", "2" },        \
        { "weight_decay_end", "0.04" }, { "drop_path", "0" }, { "hidden_dim", "512" },             \
        { "z_dim", "128" }, { "out_dim", "512" }, { "ema", "0.99" }, { "freeze_last_layer", "1" }, \
        { "teacher_temperature", "0.04" }, { "warmup_teacher_temperature_epochs", "0" },           \
        { "local_crops_number", "2" }, { "local_crops_size", "16" },                               \
        { "local_crops_scale", "0.1,0.4" }, { "global_crops_scale", "0.4,1" },                     \
        { "jitter", "0.8,0.8,0.4,0.2" }, { "blur_p", "0" },                                        \
    {                                                                                              \
        "solarize_p", "0"                                                                          \
    }

/* ---- experiments of the paper: epochs and batch size of HIRL table 2. Its programs ignore the
 * orientation of photos, and nothing is fitted to small data sets. ---- */

static const hr_setting_pair mocov2[] = {
    { "method", "mocov2" }, { "profile", "paper" },  RESNET_50,
    { "epochs", "200" },    { "batch_size", "256" }, { "queue", "65536" },
    { "exif", "0" },        { "fit", "0" },          END
};
static const hr_setting_pair simsiam[] = {
    { "method", "simsiam" }, { "profile", "paper" }, RESNET_50,      { "epochs", "200" },
    { "batch_size", "512" }, { "exif", "0" },        { "fit", "0" }, END
};
static const hr_setting_pair swav[] = {
    { "method", "swav" },     { "profile", "paper" }, RESNET_50,      { "epochs", "200" },
    { "batch_size", "4096" }, { "exif", "0" },        { "fit", "0" }, END
};
static const hr_setting_pair swav_800[] = {
    { "method", "swav" },     { "profile", "paper" }, RESNET_50,      { "epochs", "800" },
    { "batch_size", "4096" }, { "exif", "0" },        { "fit", "0" }, END
};
static const hr_setting_pair mocov3[] = {
    { "method", "mocov3" },   { "profile", "paper" }, VIT_B,          { "epochs", "400" },
    { "batch_size", "4096" }, { "exif", "0" },        { "fit", "0" }, END
};
static const hr_setting_pair dino[] = {
    { "method", "dino" },     { "profile", "paper" }, VIT_B,          { "epochs", "400" },
    { "batch_size", "1024" }, { "exif", "0" },        { "fit", "0" }, END
};
static const hr_setting_pair ibot[] = {
    { "method", "ibot" },     { "profile", "paper" }, VIT_B,          { "epochs", "400" },
    { "batch_size", "1024" }, { "exif", "0" },        { "fit", "0" }, END
};

static const hr_setting_pair plain[] = { { "hirl", "0" }, END };

/* HIRL table 1: prototypes and negative paths. T1 is a setting of the method, except for SwAV with
 * 800 epochs. Each epoch clusters from scratch (HIRL Alg. 2), hence warm=0. */
static const hr_setting_pair resnet_hirl[] = { { "hirl", "1" },
                                               { "prototypes", "30000,10000,1000" },
                                               { "negatives", "1000" },
                                               { "warm", "0" },
                                               END };
static const hr_setting_pair swav_800_hirl[] = { { "hirl", "1" },
                                                 { "cluster_warmup_epoch", "80" },
                                                 { "prototypes", "30000,10000,1000" },
                                                 { "negatives", "1000" },
                                                 { "warm", "0" },
                                                 END };
static const hr_setting_pair vit_hirl[] = { { "hirl", "1" },
                                            { "prototypes", "30000,10000,5000" },
                                            { "negatives", "100" },
                                            { "warm", "0" },
                                            END };
static const hr_setting_pair ibot_hirl[] = { { "hirl", "1" },
                                             { "prototypes", "30000,10000,1000" },
                                             { "negatives", "100" },
                                             { "warm", "0" },
                                             END };

/* ---- small images, one machine without a GPU ---- */

static const hr_setting_pair mocov2_small[] = { { "method", "mocov2" },
                                                { "profile", "paper" },
                                                SMALL_RESNET,
                                                { "epochs", "20" },
                                                { "batch_size", "128" },
                                                { "lr", "0.06" },
                                                { "queue", "auto" },
                                                { "temperature", "0.1" },
                                                { "blur_p", "0" },
                                                END };
static const hr_setting_pair simsiam_small[] = { { "method", "simsiam" },
                                                 { "profile", "paper" },
                                                 SMALL_RESNET,
                                                 { "epochs", "20" },
                                                 { "batch_size", "128" },
                                                 { "lr", "0.12" },
                                                 { "hidden_dim", "512" },
                                                 { "predictor_dim", "128" },
                                                 { "z_dim", "512" },
                                                 { "global_crops_scale", "0.4,1" },
                                                 { "blur_p", "0" },
                                                 END };
static const hr_setting_pair swav_small[] = { { "method", "swav" },
                                              { "profile", "paper" },
                                              SMALL_RESNET,
                                              { "epochs", "20" },
                                              { "batch_size", "64" },
                                              { "optimizer", "sgd" },
                                              { "lr", "0.06" },
                                              { "min_lr", "0.0001" },
                                              { "warmup_epochs", "0" },
                                              { "warmup_lr", "0" },
                                              { "hidden_dim", "256" },
                                              { "out_dim", "100" },
                                              { "freeze_prototypes", "300" },
                                              { "sinkhorn_eps", "0.02" },
                                              { "local_crops_number", "0" },
                                              { "global_crops_scale", "0.3,1" },
                                              { "blur_p", "0" },
                                              END };
static const hr_setting_pair mocov3_small[] = { { "method", "mocov3" },
                                                { "profile", "paper" },
                                                SMALL_VIT,
                                                { "epochs", "20" },
                                                { "batch_size", "128" },
                                                { "lr", "1e-3" },
                                                { "warmup_epochs", "2" },
                                                { "hidden_dim", "512" },
                                                { "predictor_dim", "512" },
                                                { "z_dim", "128" },
                                                { "head_layers", "2" },
                                                { "blur_p", "0" },
                                                { "solarize_p", "0" },
                                                END };
/* batch norm in the head, as DINO's authors use it with ResNets: the method learns in minutes */
static const hr_setting_pair dino_small[] = { { "method", "dino" },
                                              { "profile", "paper" },
                                              SMALL_VIT,
                                              SMALL_TEACHER,
                                              { "head", "mlp hidden hidden z gelu bn normal" },
                                              END };
static const hr_setting_pair ibot_small[] = {
    { "method", "ibot" }, { "profile", "paper" }, SMALL_VIT, SMALL_TEACHER, END
};

static const hr_setting_pair small_hirl[] = { { "hirl", "1" },
                                              { "cluster_warmup_epoch", "4" },
                                              { "prototypes", "auto" },
                                              { "negatives", "100" },
                                              END };

/* a method alone, and with the hierarchy */
#define BOTH(name, settings, hirl)                                                                 \
    { name, settings, plain },                                                                     \
    {                                                                                              \
        "hirl-" name, settings, hirl                                                               \
    }
static const hr_preset presets[] = {
    BOTH("mocov2", mocov2, resnet_hirl),
    BOTH("simsiam", simsiam, resnet_hirl),
    BOTH("swav", swav, resnet_hirl),
    BOTH("swav-800", swav_800, swav_800_hirl),
    BOTH("mocov3", mocov3, vit_hirl),
    BOTH("dino", dino, vit_hirl),
    BOTH("ibot", ibot, ibot_hirl),
    BOTH("mocov2-small", mocov2_small, small_hirl),
    BOTH("simsiam-small", simsiam_small, small_hirl),
    BOTH("swav-small", swav_small, small_hirl),
    BOTH("mocov3-small", mocov3_small, small_hirl),
    BOTH("dino-small", dino_small, small_hirl),
    BOTH("ibot-small", ibot_small, small_hirl),
};
enum { PRESETS = sizeof presets / sizeof *presets };

const hr_preset *hr_preset_at(int32_t index)
{
    return index >= 0 && index < PRESETS ? &presets[index] : NULL;
}

/* the preset whose name differs in the fewest letters, at most two; NULL: none */
static const hr_preset *nearest(const char *name)
{
    const hr_preset *found = NULL;
    int distance = 3;

    for (int i = 0; i < PRESETS; i++)
        if (hr_nearer(&distance, name, presets[i].name))
            found = &presets[i];
    return found;
}

hirl_status hr_preset_find(const hr_preset **preset, const char *name)
{
    const hr_preset *near;
    char names[512];
    size_t at = 0;

    for (int i = 0; i < PRESETS; i++)
        if (hr_same_word(name, presets[i].name)) {
            *preset = &presets[i];
            return HIRL_OK;
        }
    near = nearest(name);
    if (near)
        return hr_fail(HIRL_E_INVALID, "unknown preset '%.60s'; did you mean %s?", name,
                       near->name);
    for (int i = 0; i < PRESETS && at < sizeof names; i++)
        at += (size_t)snprintf(names + at, sizeof names - at, " %s", presets[i].name);
    return hr_fail(HIRL_E_INVALID, "unknown preset '%.60s'; known presets are:%s", name, names);
}

static const char *value_of(const hr_setting_pair *pair, const char *key)
{
    while (pair->key && strcmp(pair->key, key))
        pair++;
    return pair->key ? pair->value : "";
}

hirl_status hr_preset_no_method(const char *text)
{
    for (int i = 0; i < PRESETS; i++) {
        const char *name = presets[i].name, *method = value_of(presets[i].shared, "method");

        if (hr_same_word(text, name) && !hr_same_word(text, method))
            return hr_fail(HIRL_E_INVALID,
                           "method=%.60s: that is a preset; did you mean preset=%s, or method=%s "
                           "hirl=%s?",
                           text, name, method, value_of(presets[i].own, "hirl"));
    }
    return HIRL_OK;
}

int32_t hirl_preset_count(void)
{
    return PRESETS;
}

const char *hirl_preset_name(int32_t index)
{
    const hr_preset *preset = hr_preset_at(index);

    return preset ? preset->name : NULL;
}
