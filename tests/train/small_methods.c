/* small_methods.c - settings of the six methods for runs of small_trainer.h. */
#include "small_methods.h"

#include "train/trainer.h"

/* xavier: at width 32, weights of size 0.02 would make the class token dominate the image */
#define SMALL_VIT                                                                                  \
    { "arch", "vit_micro_patch4_32" }, { "vit_dim", "32" }, { "vit_depth", "2" },                  \
        { "vit_heads", "2" }, { "patch_size", "4" }, { "vit_init", "xavier" },                     \
    {                                                                                              \
        "z_dim", "32"                                                                              \
    }

#define SMALL_DISTILLED                                                                            \
    SMALL_VIT, { "hidden_dim", "32" }, { "out_dim", "32" }, { "lr", "2e-3" }, { "min_lr", "0" },   \
        { "warmup_epochs", "1" }, { "freeze_last_layer", "1" }, { "teacher_temperature", "0.05" }, \
        { "warmup_teacher_temperature_epochs", "2" }, { "local_crops_number", "2" },               \
        { "local_crops_size", "8" },                                                               \
    {                                                                                              \
        "ema", "0.9"                                                                               \
    }

static const small_pair mocov2[] = { { "method", "mocov2" }, { NULL, NULL } };

static const small_pair simsiam[] = {
    { "method", "simsiam" }, { "hidden_dim", "32" }, { "predictor_dim", "8" }, { NULL, NULL }
};

/* With 4 steps an epoch, the queue fills from step 4 on and is used from step 6 on. */
static const small_pair swav[] = {
    { "method", "swav" },
    { "hidden_dim", "32" },
    { "out_dim", "12" },
    { "warmup_epochs", "0" },
    { "lr", "0.5" },
    { "min_lr", "0" },
    { "queue", "32" },
    { "queue_start", "1" },
    { "freeze_prototypes", "5" },
    { "local_crops_size", "8" },
    { "local_crops_number", "2" },
    { NULL, NULL },
};

static const small_pair mocov3[] = {
    { "method", "mocov3" },   SMALL_VIT,        { "hidden_dim", "32" }, { "predictor_dim", "32" },
    { "warmup_epochs", "1" }, { "lr", "4e-3" }, { "head_layers", "2" }, { NULL, NULL },
};

static const small_pair dino[] = { { "method", "dino" }, SMALL_DISTILLED, { NULL, NULL } };

static const small_pair ibot[] = { { "method", "ibot" }, SMALL_DISTILLED, { NULL, NULL } };

const small_pair *const small_method[SMALL_METHODS] = { mocov2, simsiam, swav, mocov3, dino, ibot };

#define SMALL_KIND(hirl, parts)                                                                    \
    (const small_pair[])                                                                           \
    {                                                                                              \
        { "epochs", "3" }, { "hirl", hirl }, { "accumulate", parts },                              \
        {                                                                                          \
            NULL, NULL                                                                             \
        }                                                                                          \
    }

const small_pair *const small_kind[SMALL_KINDS] = { SMALL_KIND("0", "1"), SMALL_KIND("0", "2"),
                                                    SMALL_KIND("1", "1"), SMALL_KIND("1", "2") };

double small_chance(const small_trainer *t)
{
    hr_method_config numbers = hr_pretrain_numbers(t->trainer->pretrain);

    return t->trainer->pretrain->method->chance(&numbers);
}
