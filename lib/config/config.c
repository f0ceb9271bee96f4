/* config.c - options of a training run: the trainer's keys, and the values that replace `auto`.
 *
 *   queue=auto      MoCo v2: the largest multiple of the batch up to min(65536, N/2), in profile
 *                   reference up to min(16384, N/2)
 *   bn_groups=auto  MoCo v2: groups of 32 images, at least 2: shuffled batch norm on one device
 *                   (He et al. 2020, sec. 3.3); SwAV in profile paper: groups of 1024;
 *                   else one group, as with synchronised batch norm
 *   base_lr         learning rate per 256 images: lr = base_lr batch_size / 256
 */
#include "config/config.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/key_text.h"
#include "config/fit.h"
#include "config/hierarchy.h"
#include "config/linear.h"
#include "config/views.h"
#include "data/keys.h"
#include "hier/tree.h"
#include "ssl/method_table.h"
#include "step/optim.h"

enum { PAPER_QUEUE = 65536, REFERENCE_QUEUE = 16384, GROUP_IMAGES = 32, RATE_IMAGES = 256 };
enum { LEAST_BATCH = 2, MOST_RATE = 1000 };

#define KEY(name, type, standard, low, high, choices, autos, unit, help)                           \
    {                                                                                              \
#name, type, standard, low, high, choices, autos, unit, help,                              \
            offsetof(hr_train_config, name)                                                        \
    }

static const hr_key keys[] = {
    KEY(hirl, HR_KEY_FLAG, "1", 0, 1, NULL, false, "",
        "1: train with the hierarchy and its path loss; 0: the method alone"),
    KEY(profile, HR_KEY_CHOICE, "paper", 0, 0, "paper reference", false, "",
        "paper: settings that the paper states; reference: settings of the authors' program where "
        "it differs"),
    KEY(epochs, HR_KEY_INT, "200", 1, 1e6, NULL, false, "epochs",
        "passes over the training images"),
    KEY(cluster_warmup_epoch, HR_KEY_INT, "20", 0, 1e6, NULL, false, "epochs",
        "T1: epochs without the path loss; the first clustering follows them"),
    KEY(cluster_network, HR_KEY_CHOICE, "teacher", 0, 0, "online teacher", false, "",
        "network whose features are clustered"),
    KEY(batch_size, HR_KEY_INT, "256", LEAST_BATCH, 65536, NULL, false, "images",
        "images of one optimiser step, over all ranks"),
    KEY(fit, HR_KEY_FLAG, "1", 0, 1, NULL, false, "",
        "1: for few images or epochs, reduce batch_size, queue, learning rates and warmup_epochs, "
        "unless they are given; 0: refuse what does not fit, as the paper's presets do"),
    KEY(accumulate, HR_KEY_INT, "1", 1, 4096, NULL, false, "",
        "micro-batches that a batch is split into; more of them need less memory"),
    KEY(optimizer, HR_KEY_CHOICE, "sgd", 0, 0, "sgd larc adamw lars", false, "",
        "larc: sgd with the gradient of each parameter scaled by the ratio of norms of parameter "
        "and gradient; lars: the same, but biases and norms are neither scaled nor decayed"),
    KEY(lr, HR_KEY_REAL, "0", 0, MOST_RATE, NULL, false, "",
        "learning rate of the optimiser; 0: computed from base_lr"),
    KEY(base_lr, HR_KEY_REAL, "0.03", 0, MOST_RATE *RATE_IMAGES / LEAST_BATCH, NULL, false, "",
        "learning rate per 256 images: lr = base_lr batch_size / 256; 0: computed from lr"),
    KEY(schedule, HR_KEY_CHOICE, "cosine_epoch", 0, 0, "cosine_epoch cosine cosine_linspace", false,
        "",
        "cosine decay of the learning rate; cosine_epoch: one value an epoch; cosine: one value a "
        "step; cosine_linspace: one value a step, and the last warm-up step reaches lr"),
    KEY(warmup_epochs, HR_KEY_INT, "0", 0, 1e6, NULL, false, "epochs",
        "epochs in which the learning rate rises linearly from warmup_lr to lr"),
    KEY(warmup_lr, HR_KEY_REAL, "0", 0, 1e3, NULL, false, "",
        "learning rate of the first warm-up step"),
    KEY(min_lr, HR_KEY_REAL, "0", 0, 1e3, NULL, false, "", "learning rate at the end of the run"),
    KEY(constant_predictor_lr, HR_KEY_FLAG, "0", 0, 1, NULL, false, "",
        "1: the predictor keeps the learning rate lr for the whole run (SimSiam)"),
    KEY(momentum, HR_KEY_REAL, "0.9", 0, 1, NULL, false, "", "momentum of sgd, larc and lars"),
    KEY(weight_decay, HR_KEY_REAL, "1e-4", 0, 1, NULL, false, "",
        "weight decay; with weight_decay_end its value at the start of the run"),
    KEY(weight_decay_end, HR_KEY_REAL, "auto", 0, 1, NULL, true, "",
        "weight decay at the end of the run, reached by a cosine; auto: weight_decay"),
    KEY(path_weight_decay, HR_KEY_REAL, "auto", 0, 1, NULL, true, "",
        "constant weight decay of every parameter of the heads h_l, biases included; auto: as in "
        "the rest of the network"),
    KEY(decay_all, HR_KEY_FLAG, "1", 0, 1, NULL, false, "",
        "1: weight decay on every parameter; 0: not on biases and parameters of one dimension"),
    KEY(clip, HR_KEY_CHOICE, "none", 0, 0, "none tensor global", false, "",
        "gradient clipping; tensor: each parameter by its own norm; global: all by their common "
        "norm"),
    KEY(clip_grad, HR_KEY_REAL, "0.3", 1e-9, 1e9, NULL, false, "",
        "gradient norm above which clip scales down"),
    KEY(freeze_last_layer, HR_KEY_INT, "0", 0, 1e6, NULL, false, "epochs",
        "epochs from the start in which the last layer is not trained (DINO, iBOT)"),
    KEY(freeze_prototypes, HR_KEY_INT, "0", 0, 1e9, NULL, false, "steps",
        "steps from the start in which SwAV's prototypes are not trained"),
    KEY(temperature, HR_KEY_REAL, "0.2", 1e-3, 10, NULL, false, "",
        "temperature T of the contrastive loss, of SwAV's prediction, of the student of DINO and "
        "iBOT"),
    KEY(teacher_temperature, HR_KEY_REAL, "0.07", 1e-3, 10, NULL, false, "",
        "temperature of the teacher after its warm-up (DINO, iBOT)"),
    KEY(warmup_teacher_temperature, HR_KEY_REAL, "0.04", 1e-3, 10, NULL, false, "",
        "temperature of the teacher in the first epoch"),
    KEY(warmup_teacher_temperature_epochs, HR_KEY_INT, "0", 0, 1e6, NULL, false, "epochs",
        "epochs in which it changes linearly to teacher_temperature"),
    KEY(center_momentum, HR_KEY_REAL, "0.9", 0, 1, NULL, false, "",
        "m in centre <- m centre + (1 - m) mean of the teacher's outputs (DINO, iBOT)"),
    KEY(ema, HR_KEY_REAL, "0.999", 0, 1, NULL, false, "",
        "m in teacher <- m teacher + (1 - m) online network"),
    KEY(ema_end, HR_KEY_REAL, "auto", 0, 1, NULL, true, "",
        "m at the end of the run, reached by a cosine; auto: as ema"),
    KEY(ema_late, HR_KEY_FLAG, "0", 0, 1, NULL, false, "",
        "1: the update after a step uses the m of the next step"),
    KEY(sinkhorn_eps, HR_KEY_REAL, "0.05", 1e-3, 10, NULL, false, "",
        "regularisation of SwAV's assignment; a smaller value makes harder targets"),
    KEY(sinkhorn_iterations, HR_KEY_INT, "3", 1, 100, NULL, false, "",
        "Sinkhorn iterations of SwAV's assignment"),
    KEY(queue, HR_KEY_INT, "auto", 0, 16777216, NULL, true, "keys",
        "rows kept from earlier steps: negatives of MoCo v2, or more rows for the assignment of "
        "SwAV (0: none); auto: for MoCo v2 half the images of the data, at most 65536 "
        "(profile=reference: 16384), for SwAV 0"),
    KEY(queue_start, HR_KEY_INT, "15", 0, 1e6, NULL, false, "epochs",
        "epoch in which SwAV's queue starts to fill"),
    KEY(mask_own_keys, HR_KEY_FLAG, "1", 0, 1, NULL, false, "",
        "MoCo v2; 1: a queued key of the same image is not used as a negative"),
    KEY(bn_groups, HR_KEY_INT, "auto", 1, 4096, NULL, true, "",
        "groups of a batch that have their own batch-norm statistics; auto: groups of about 32 "
        "images (MoCo v2), of about 1024 (SwAV in profile paper), else one group"),
    KEY(path_bn_groups, HR_KEY_INT, "auto", 1, 4096, NULL, true, "",
        "the same for the heads h_l; auto: groups of about 32 images (SwAV: 128)"),
    KEY(recipe, HR_KEY_CHOICE, "mocov2", 0, 0, HR_RECIPE_WORDS, false, "",
        "method whose augmentation is used; the keys of views override parts of it"),
    KEY(joint_views, HR_KEY_FLAG, "1", 0, 1, NULL, false, "",
        "SwAV, DINO, own; 1: crops of one size form one batch for the batch norms; 0: each crop is "
        "a batch of its own"),
    KEY(own_teacher, HR_KEY_FLAG, "0", 0, 1, NULL, false, "",
        "method=own; 1: a teacher, the moving average of encoder and head, encodes the views too"),
    KEY(mask_ratio, HR_KEY_TEXT, "0.1,0.5", 0, 0, NULL, false, "",
        "iBOT: smallest and largest share of the patches of a masked view that are masked"),
    KEY(mask_shape, HR_KEY_CHOICE, "block", 0, 0, "block random", false, "",
        "iBOT; block: rectangular blocks of patches are masked; random: single patches"),
    KEY(mask_share, HR_KEY_REAL, "0.5", 0, 1, NULL, false, "",
        "iBOT: share of the global views that are masked"),
    KEY(iter_wise_assignment, HR_KEY_FLAG, "0", 0, 1, NULL, false, "",
        "1: in each step an image gets the leaf nearest to its second view; 0: it keeps the leaf "
        "of the last clustering"),
    KEY(precision, HR_KEY_CHOICE, "f32", 0, 0, "f32 bf16 auto", false, "",
        "activation type in training; auto: f32"),
    KEY(feature_precision, HR_KEY_CHOICE, "f32", 0, 0, "f32 run", false, "",
        "activation type in the extraction of features; run: as precision"),
    KEY(loader_threads, HR_KEY_INT, "auto", 0, 256, NULL, true, "threads",
        "threads that decode and augment images in advance; 0: the calling thread does it; auto: "
        "half of the context's threads"),
    KEY(eval_batch, HR_KEY_INT, "auto", 1, 65536, NULL, true, "images",
        "images encoded at a time in evaluation mode; auto: batch_size"),
    KEY(on_bad_image, HR_KEY_CHOICE, "replace", 0, 0, "replace error", false, "",
        "replace: the next readable image of the epoch stands in for an unreadable one; error: the "
        "run stops"),
    KEY(max_bad, HR_KEY_REAL, "0.01", 0, 1, NULL, false, "",
        "share of unreadable images above which a run stops"),
    KEY(save_every, HR_KEY_INT, "1", 0, 1e6, NULL, false, "epochs",
        "epochs between checkpoints; 0: only at the end"),
    KEY(log_every, HR_KEY_INT, "10", 1, 1e6, NULL, false, "steps",
        "steps between lines of metrics.jsonl"),
    KEY(keep, HR_KEY_INT, "2", 1, 1e6, NULL, false, "",
        "newest checkpoints that are kept; older ones are deleted"),
    KEY(out, HR_KEY_TEXT, "", 0, 0, NULL, false, "", "run directory; empty: nothing is written"),
    KEY(resume, HR_KEY_FLAG, "0", 0, 1, NULL, false, "",
        "1: resume the run in out, or start a new one if out holds none"),
    KEY(overwrite, HR_KEY_FLAG, "0", 0, 1, NULL, false, "",
        "1: start a new run in a directory that holds a run or other files"),
    KEY(seed, HR_KEY_INT, "0", 0, 9007199254740992.0, NULL, false, "",
        "seed of all random numbers"),
};

const hr_keys hr_train_keys = { "train", keys, sizeof keys / sizeof *keys };

static const hr_key label_keys[] = {
    { "task", HR_KEY_CHOICE, "pretrain", 0, 0, "pretrain linear", false, "",
      "pretrain: learn without labels; linear: train a linear classifier on the frozen encoder of "
      "a model",
      offsetof(hr_label_config, task) },
    { "label_level", HR_KEY_INT, "0", 0, HR_LABEL_LEVELS - 1, NULL, false, "",
      "labels that a classifier learns: 0 the finest level, 1 the next coarser one",
      offsetof(hr_label_config, label_level) },
};
const hr_keys hr_label_keys = { "train", label_keys, sizeof label_keys / sizeof *label_keys };

static int32_t origin_of(const hirl_options *options, const char *key)
{
    const hr_option *given = options ? hr_options_find(options, key) : NULL;

    return given ? given->origin : HR_FROM_STANDARD - 1;
}

/* Refuses a warm-up or final rate above lr. It can be a method's setting, made for a larger
 * batch. */
static hirl_status rate_above(const hr_train_config *c, const char *key, double value)
{
    return hr_fail(
        HIRL_E_INVALID,
        "%s: %g is above lr=%g, the learning rate for batch_size=%lld; give %s=0, or less than lr",
        key, value, c->lr, (long long)c->batch_size, key);
}

static hirl_status check_optimizer(const hr_train_config *c)
{
    if (c->optimizer == HR_OPTIM_LARS && c->decay_all)
        return hr_fail(HIRL_E_INVALID,
                       "decay_all=1: optimizer=lars does not decay biases and norms; "
                       "give decay_all=0, or optimizer=larc");
    return HIRL_OK;
}

/* If both lr and base_lr are given, the one of higher origin counts: the caller's lr overrides a
 * preset's base_lr. */
static hirl_status resolve_rate(hr_train_config *c, const hirl_options *options)
{
    int32_t lr = c->lr > 0 ? origin_of(options, "lr") : HR_FROM_STANDARD - 2;
    int32_t base = c->base_lr > 0 ? origin_of(options, "base_lr") : HR_FROM_STANDARD - 2;
    double scaled = c->base_lr * (double)c->batch_size / RATE_IMAGES;

    if (lr == base && c->lr <= 0)
        return hr_fail(HIRL_E_INVALID, "lr and base_lr are both 0: give one of them");
    if (lr == base && fabs(c->lr - scaled) > 1e-9 * scaled)
        return hr_fail(HIRL_E_INVALID, "lr=%g and base_lr=%g: give one of them", c->lr, c->base_lr);
    if (base > lr)
        c->lr = scaled;
    if (c->lr > MOST_RATE)
        return hr_fail(HIRL_E_INVALID,
                       "base_lr: %g with batch_size=%lld gives a learning rate of %g; at most %d",
                       c->base_lr, (long long)c->batch_size, c->lr, MOST_RATE);
    c->base_lr = c->lr * RATE_IMAGES / (double)c->batch_size;
    if (c->warmup_epochs && c->warmup_epochs >= c->epochs)
        return hr_fail(HIRL_E_INVALID,
                       "warmup_epochs: %lld of epochs=%lld leave no epoch after the warm-up; give "
                       "warmup_epochs=0, or more epochs",
                       (long long)c->warmup_epochs, (long long)c->epochs);
    if (c->warmup_epochs && c->warmup_lr > c->lr)
        return rate_above(c, "warmup_lr", c->warmup_lr);
    return c->min_lr > c->lr ? rate_above(c, "min_lr", c->min_lr) : HIRL_OK;
}

static void resolve_ends(hr_train_config *c)
{
    if (isnan(c->weight_decay_end))
        c->weight_decay_end = c->weight_decay;
    if (isnan(c->ema_end))
        c->ema_end = c->ema;
    if (c->precision == HR_PRECISION_AUTO)
        c->precision = HR_PRECISION_F32;
    if (c->eval_batch == HR_AUTO)
        c->eval_batch = c->batch_size;
}

static hirl_status resolve_contrast_queue(hr_train_config *c, int64_t n)
{
    int64_t most = c->profile == HR_PROFILE_REFERENCE ? REFERENCE_QUEUE : PAPER_QUEUE;
    bool automatic = c->queue == HR_AUTO;

    if (hr_fit_queue(n) < most)
        most = hr_fit_queue(n);
    if (automatic && n == HR_IMAGES_UNKNOWN)
        return HIRL_OK;
    if (automatic)
        c->queue = most / c->batch_size * c->batch_size;
    if (c->queue < c->batch_size)
        return automatic
                   ? hr_fail(
                         HIRL_E_INVALID,
                         "queue=auto: at most %lld keys (half of %lld images, or less) are fewer "
                         "than one batch of %lld; give a batch_size of at most %lld",
                         (long long)most, (long long)n, (long long)c->batch_size, (long long)most)
                   : hr_fail(
                         HIRL_E_INVALID,
                         "queue: %lld keys are fewer than one batch of %lld; give a longer queue, "
                         "or a smaller batch_size",
                         (long long)c->queue, (long long)c->batch_size);
    if (c->queue > n)
        return hr_fail(
            HIRL_E_INVALID,
            "queue: %lld keys, but the data set has %lld images; give queue=auto, or at most %lld",
            (long long)c->queue, (long long)n, (long long)(n / c->batch_size * c->batch_size));
    return HIRL_OK;
}

/* The queue of a paper preset is the paper's; the authors' program has another. */
static void take_reference_queue(hr_train_config *c, const hirl_options *options)
{
    if (c->profile == HR_PROFILE_REFERENCE && c->queue == PAPER_QUEUE &&
        origin_of(options, "queue") == HR_FROM_PRESET)
        c->queue = REFERENCE_QUEUE;
}

static hirl_status resolve_queue(hr_train_config *c, const hr_method *method, int64_t n)
{
    if (method->queue == HR_QUEUE_NEGATIVES)
        HR_TRY(resolve_contrast_queue(c, n));
    else if (method->queue == HR_QUEUE_NONE || c->queue == HR_AUTO)
        c->queue = 0;
    if (c->queue != HR_AUTO && c->queue % c->batch_size)
        return hr_fail(HIRL_E_INVALID, "queue: %lld is not a multiple of batch_size %lld; try %lld",
                       (long long)c->queue, (long long)c->batch_size,
                       (long long)(c->queue / c->batch_size * c->batch_size));
    return HIRL_OK;
}

/* Replaces auto by the number of groups that splits every micro-batch into equal parts of about
 * `images` images, at least `least` parts where they divide it; checks a given number. */
static hirl_status resolve_parts(int64_t *groups, const hr_train_config *c, const char *key,
                                 int64_t images, int64_t least)
{
    int64_t micro = c->batch_size / c->accumulate;

    if (*groups == HR_AUTO) {
        int64_t each = micro / images > least ? micro / images : least;

        while (each > 1 && (micro % each || micro / each < 2))
            each--;
        *groups = each * c->accumulate;
    }
    if (*groups % c->accumulate || c->batch_size % *groups || c->batch_size / *groups < 2)
        return hr_fail(
            HIRL_E_INVALID,
            "%s: %lld does not split batch_size %lld in %lld micro-batches into equal groups of 2 "
            "or more images",
            key, (long long)*groups, (long long)c->batch_size, (long long)c->accumulate);
    return HIRL_OK;
}

/* Images that share batch-norm statistics. The authors' program synchronises SwAV's norms over all
 * processes instead of groups of 8. */
static int64_t norm_images(const hr_train_config *c, const hr_method *method)
{
    if (!method->sync)
        return GROUP_IMAGES; /* MoCo v2: 32 images on each of 8 GPUs */
    return method->sync_images && c->profile == HR_PROFILE_PAPER ? method->sync_images
                                                                 : c->batch_size;
}

/* In the authors' program the norms of the heads h_l are not synchronised: each process has its own
 * statistics, over the number of images that `over` states. */
static hirl_status resolve_groups(hr_train_config *c, const hr_method *method,
                                  const hr_hierarchy *over)
{
    if (c->batch_size % c->accumulate)
        return hr_fail(HIRL_E_INVALID,
                       "accumulate: %lld micro-batches do not divide batch_size %lld",
                       (long long)c->accumulate, (long long)c->batch_size);
    HR_TRY(
        resolve_parts(&c->bn_groups, c, "bn_groups", norm_images(c, method), method->sync ? 1 : 2));
    if (!method->sync && c->path_bn_groups == HR_AUTO)
        c->path_bn_groups = c->bn_groups;
    return resolve_parts(&c->path_bn_groups, c, "path_bn_groups", over->images[c->profile], 1);
}

static hirl_status resolve_masks(hr_train_config *c)
{
    const hr_key share = { .name = "mask_ratio", .type = HR_KEY_REAL, .low = 0, .high = 1 };
    char low[HR_KEY_TEXT_BYTES], *comma;

    snprintf(low, sizeof low, "%s", c->mask_ratio);
    comma = strchr(low, ',');
    if (!comma)
        return hr_fail(
            HIRL_E_INVALID,
            "mask_ratio: \"%.40s\" is not two shares separated by a comma, as in 0.1,0.5",
            c->mask_ratio);
    *comma = 0;
    HR_TRY(hr_key_parse(&c->mask_low, &share, low));
    HR_TRY(hr_key_parse(&c->mask_high, &share, comma + 1));
    if (c->mask_low > c->mask_high)
        return hr_fail(HIRL_E_INVALID, "mask_ratio: the first share %g is above the second %g",
                       c->mask_low, c->mask_high);
    return HIRL_OK;
}

/* ---- settings of the method and the hierarchy, overridden by the caller's options ---- */

enum { LISTS = 7 };

const hr_keys *const hr_run_tables[HR_RUN_TABLES] = { &hr_train_keys, &hr_model_keys,
                                                      &hr_view_keys,  &hr_cluster_keys,
                                                      &hr_spd_keys,   &hr_label_keys,
                                                      &hr_data_keys };

static const hr_key *key_named(const char *name)
{
    for (int t = 0; t < HR_RUN_TABLES; t++)
        for (int i = 0; i < hr_run_tables[t]->count; i++)
            if (!strcmp(hr_run_tables[t]->key[i].name, name))
                return &hr_run_tables[t]->key[i];
    return NULL;
}

/* adds settings of the lowest origin: options of the caller, files and presets override them */
static hirl_status put_under(hirl_options *options, const hr_setting_pair *pair)
{
    for (; pair->key; pair++) {
        const hr_key *key = key_named(pair->key);

        if (!key)
            return hr_fail(HIRL_E_INTERNAL, "the settings of a method name the unknown key %s",
                           pair->key);
        HR_TRY(hr_options_put(options, key, pair->value, HR_FROM_STANDARD));
    }
    return HIRL_OK;
}

/* index of the choice that the options give a key, or of its default */
static hirl_status choice_of(int64_t *index, const hirl_options *given, const char *name)
{
    const hr_key *key = key_named(name);
    const hr_option *option = given ? hr_options_find(given, name) : NULL;

    return hr_key_parse(index, key, option ? option->value : key->standard);
}

/* The lists of settings of a run; each overrides those before it. NULL follows the last. */
static hirl_status lists_of(const hr_setting_pair *list[LISTS], const hirl_options *given)
{
    static const hr_setting_pair lars[] = { { "decay_all", "0" }, { NULL, NULL } };
    int64_t index, profile, hirl, optimizer, task;
    const hr_hierarchy *over;
    const hr_method *method;
    int n = 0;

    HR_TRY(choice_of(&index, given, "method"));
    HR_TRY(choice_of(&profile, given, "profile"));
    HR_TRY(choice_of(&hirl, given, "hirl"));
    HR_TRY(choice_of(&optimizer, given, "optimizer"));
    HR_TRY(choice_of(&task, given, "task"));
    if (task == HR_TASK_LINEAR) {
        list[n++] = hr_linear_settings;
        if (optimizer == HR_OPTIM_LARS)
            list[n++] = lars;
        list[n] = NULL;
        return HIRL_OK;
    }
    method = hr_method_find(index);
    over = hr_hierarchy_over(index);
    list[n++] = method->paper;
    list[n++] = over->paper;
    if (profile == HR_PROFILE_REFERENCE) {
        list[n++] = method->reference;
        list[n++] = over->reference;
    }
    if (profile == HR_PROFILE_REFERENCE && hirl)
        list[n++] = over->variant;
    if (optimizer == HR_OPTIM_LARS)
        list[n++] = lars;
    list[n] = NULL;
    return HIRL_OK;
}

hirl_status hr_run_options(hirl_options *options, const hirl_options *given)
{
    const hr_setting_pair *list[LISTS];
    hirl_status status;

    *options = (hirl_options){ 0 };
    HR_TRY(lists_of(list, given));
    status = given ? hr_options_copy(options, given) : HIRL_OK;
    for (int i = 0; list[i] && status >= 0; i++)
        status = put_under(options, list[i]);
    if (status < 0)
        hr_options_done(options);
    return status;
}

static const char *value_in(const hr_setting_pair *pair, const char *key)
{
    for (; pair->key; pair++)
        if (!strcmp(pair->key, key))
            return pair->value;
    return NULL;
}

const char *hr_run_setting(const hirl_options *given, const char *key)
{
    const hr_setting_pair *list[LISTS];
    const char *value = NULL;

    if (lists_of(list, given) < 0)
        return NULL;
    for (int i = 0; list[i]; i++)
        if (value_in(list[i], key))
            value = value_in(list[i], key);
    return value;
}

static hirl_status resolve_levels(hr_run_config *config, int64_t n)
{
    const hr_train_config *c = &config->train;
    hr_key_list *prototypes = &config->cluster.prototypes;

    if (n == HR_IMAGES_UNKNOWN && !prototypes->count)
        return HIRL_OK;
    if (c->hirl && c->cluster_warmup_epoch < c->epochs) {
        HR_TRY(hr_tree_levels(config->m, &config->levels, n, &config->cluster));
        prototypes->count = config->levels;
        memcpy(prototypes->item, config->m, sizeof config->m);
    }
    config->model.levels = config->levels;
    return HIRL_OK;
}

/* A labelled run has no groups, queues, masks or prototypes; the rest holds for it too. */
static hirl_status resolve_labelled(hr_run_config *config, const hirl_options *options)
{
    hr_train_config *c = &config->train;

    if (c->hirl)
        return hr_fail(HIRL_E_INVALID, "hirl=1: task=linear has no hierarchy; give hirl=0");
    if (c->batch_size % c->accumulate)
        return hr_fail(HIRL_E_INVALID,
                       "accumulate: %lld micro-batches do not divide batch_size %lld",
                       (long long)c->accumulate, (long long)c->batch_size);
    HR_TRY(resolve_rate(c, options));
    HR_TRY(check_optimizer(c));
    resolve_ends(c);
    return HIRL_OK;
}

static hirl_status resolve(hr_run_config *config, const hirl_options *options, int64_t n)
{
    hr_train_config *c = &config->train;
    const hr_method kind = hr_method_of(config->model.method, c->own_teacher), *method = &kind;

    if (n < LEAST_BATCH)
        return hr_fail(HIRL_E_INVALID, "training needs at least %d images, but there is %lld",
                       LEAST_BATCH, (long long)n);
    hr_fit(config, options, method, n);
    if (config->label.task == HR_TASK_PRETRAIN)
        HR_TRY(hr_fit_check(config, method, n));
    if (c->batch_size > n)
        return hr_fail(HIRL_E_INVALID,
                       "batch_size: %lld, but the data set has %lld images; give at most %lld",
                       (long long)c->batch_size, (long long)n, (long long)hr_fit_batch(method, n));
    if (config->label.task == HR_TASK_LINEAR)
        return resolve_labelled(config, options);
    if (c->cluster_network && !method->teacher)
        return hr_fail(HIRL_E_INVALID,
                       "cluster_network=teacher: %s has no teacher; give cluster_network=online",
                       method->name);
    if (!config->cluster.normalize)
        return hr_fail(
            HIRL_E_INVALID,
            "normalize=0: a run clusters rows of unit length; hirl_cluster() accepts others");
    HR_TRY(resolve_rate(c, options));
    HR_TRY(check_optimizer(c));
    resolve_ends(c);
    take_reference_queue(c, options);
    HR_TRY(resolve_queue(c, method, n));
    HR_TRY(resolve_groups(c, method, hr_hierarchy_over(config->model.method)));
    HR_TRY(resolve_masks(c));
    config->spd.spd_weight = hr_spd_weight(&config->spd);
    config->spd.draw = hr_spd_draws_all(&config->spd) ? HR_NEGATIVES_ALL : HR_NEGATIVES_OTHERS;
    config->cluster.kmeans_between =
        hr_kmeans_unit_between(&config->cluster) ? HR_BETWEEN_UNIT : HR_BETWEEN_RAW;
    return resolve_levels(config, n);
}

static hirl_status read_tables(hr_run_config *config, const hirl_options *options)
{
    HR_TRY(hr_options_read(&config->train, &hr_train_keys, options));
    HR_TRY(hr_model_config_read(&config->model, options));
    HR_TRY(hr_options_read(&config->view, &hr_view_keys, options));
    HR_TRY(hr_options_read(&config->cluster, &hr_cluster_keys, options));
    HR_TRY(hr_options_read(&config->spd, &hr_spd_keys, options));
    return hr_options_read(&config->label, &hr_label_keys, options);
}

hirl_status hr_run_config_read(hr_run_config *config, const hirl_options *given, int64_t n)
{
    hirl_options options;
    hirl_status status;

    *config = (hr_run_config){ 0 };
    HR_TRY(hr_run_options(&options, given));
    status = read_tables(config, &options);
    if (status >= 0)
        status = resolve(config, &options, n);
    if (status >= 0)
        status = hr_net_check(&config->model);
    hr_options_done(&options);
    return status;
}
