/* presets.c - named experiments: values for keys.
 *
 * mocov2, hirl-mocov2              what the paper states (HIRL tables 1, 2, 7; sec. 5.1)
 * mocov2-small, hirl-mocov2-small  small images, one machine without a GPU, minutes
 */
#include "api/presets.h"

#include <stdio.h>
#include <string.h>

#include <hirl/options.h>

#include "base/error.h"

static const hr_setting_pair paper[] = {
    { "method", "mocov2" }, { "profile", "paper" },     { "arch", "resnet50" },
    { "width", "1" },       { "stem", "normal" },       { "image_size", "224" },
    { "epochs", "200" },    { "batch_size", "256" },    { "lr", "0.03" },
    { "momentum", "0.9" },  { "weight_decay", "1e-4" }, { "temperature", "0.2" },
    { "queue", "65536" },   { "ema", "0.999" },         { NULL, NULL },
};

static const hr_setting_pair small[] = {
    { "method", "mocov2" }, { "profile", "paper" },     { "arch", "resnet18" },
    { "width", "0.25" },    { "stem", "small" },        { "image_size", "32" },
    { "epochs", "20" },     { "batch_size", "128" },    { "lr", "0.06" },
    { "momentum", "0.9" },  { "weight_decay", "1e-4" }, { "temperature", "0.2" },
    { "queue", "auto" },    { "ema", "0.999" },         { NULL, NULL },
};

static const hr_setting_pair plain[] = {
    { "hirl", "0" },
    { NULL, NULL },
};

static const hr_setting_pair paper_hirl[] = {
    { "hirl", "1" },         { "cluster_warmup_epoch", "20" }, { "prototypes", "30000,10000,1000" },
    { "negatives", "1000" }, { "head_layers", "2" },           { NULL, NULL },
};

static const hr_setting_pair small_hirl[] = {
    { "hirl", "1" },        { "cluster_warmup_epoch", "4" }, { "prototypes", "auto" },
    { "negatives", "100" }, { "head_layers", "2" },          { NULL, NULL },
};

static const hr_preset presets[] = {
    { "mocov2", paper, plain },
    { "hirl-mocov2", paper, paper_hirl },
    { "mocov2-small", small, plain },
    { "hirl-mocov2-small", small, small_hirl },
};
enum { PRESETS = sizeof presets / sizeof *presets };

const hr_preset *hr_preset_at(int32_t index)
{
    return index >= 0 && index < PRESETS ? &presets[index] : NULL;
}

hirl_status hr_preset_find(const hr_preset **preset, const char *name)
{
    char names[256];
    size_t at = 0;

    for (int i = 0; i < PRESETS; i++)
        if (!strcmp(presets[i].name, name)) {
            *preset = &presets[i];
            return HIRL_OK;
        }
    for (int i = 0; i < PRESETS && at < sizeof names; i++)
        at += (size_t)snprintf(names + at, sizeof names - at, " %s", presets[i].name);
    return hr_fail(HIRL_E_INVALID, "unknown preset '%.60s'; there are:%s", name, names);
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
