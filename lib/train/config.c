/* config.c - options of a training run: the trainer's own keys, and the numbers that `auto` stands for.
 *
 *   queue=auto      the largest multiple of the batch not above min(65536, N/2)
 *   bn_groups=auto  groups of 32 images, at least 2 (spec.md 1.3: shuffle BN on one device)
 *   base_lr         rate per 256 images: lr = base_lr batch_size / 256
 */
#include "train/config.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/key_text.h"
#include "hier/tree.h"

enum { PAPER_QUEUE = 65536, GROUP_IMAGES = 32, RATE_IMAGES = 256 };

#define KEY(name, type, standard, low, high, choices, autos, unit, help)                           \
    {                                                                                              \
#name, type, standard, low, high, choices, autos, unit, help,                              \
            offsetof(hr_train_config, name)                                                        \
    }

static const hr_key keys[] = {
    KEY(hirl, HR_KEY_FLAG, "1", 0, 1, NULL, false, "", "hierarchy and path loss over the method"),
    KEY(profile, HR_KEY_CHOICE, "paper", 0, 0, "paper reference", false, "",
        "paper: what it states; reference: what the authors' program does where it differs"),
    KEY(epochs, HR_KEY_INT, "200", 1, 1e6, NULL, false, "epochs", "passes over the data"),
    KEY(cluster_warmup_epoch, HR_KEY_INT, "20", 0, 1e6, NULL, false, "epochs",
        "T1: first epoch with clustering and path loss"),
    KEY(batch_size, HR_KEY_INT, "256", 2, 65536, NULL, false, "images", "images a step, in all"),
    KEY(lr, HR_KEY_REAL, "0", 0, 1e3, NULL, false, "",
        "learning rate that the optimiser gets; 0: from base_lr"),
    KEY(base_lr, HR_KEY_REAL, "0", 0, 1e3, NULL, false, "",
        "learning rate per 256 images of batch_size; 0: from lr; neither given: lr=0.03 per 256"),
    KEY(momentum, HR_KEY_REAL, "0.9", 0, 1, NULL, false, "", "of SGD"),
    KEY(weight_decay, HR_KEY_REAL, "1e-4", 0, 1, NULL, false, "", "of SGD"),
    KEY(temperature, HR_KEY_REAL, "0.2", 1e-3, 10, NULL, false, "", "T of the contrast"),
    KEY(ema, HR_KEY_REAL, "0.999", 0, 1, NULL, false, "",
        "m of teacher <- m teacher + (1 - m) online"),
    KEY(queue, HR_KEY_INT, "auto", 2, 16777216, NULL, true, "keys",
        "negatives kept from earlier steps"),
    KEY(bn_groups, HR_KEY_INT, "auto", 1, 4096, NULL, true, "",
        "parts of a batch with batch statistics of their own"),
    KEY(precision, HR_KEY_CHOICE, "f32", 0, 0, "f32 bf16 auto", false, "", "of activations"),
    KEY(feature_precision, HR_KEY_CHOICE, "f32", 0, 0, "f32 run", false, "",
        "of activations while features are extracted"),
    KEY(loader_threads, HR_KEY_INT, "auto", 0, 256, NULL, true, "threads",
        "decode and augment ahead; 0: the calling thread does it"),
    KEY(eval_batch, HR_KEY_INT, "auto", 1, 65536, NULL, true, "images",
        "images at a time in evaluation mode"),
    KEY(on_bad_image, HR_KEY_CHOICE, "replace", 0, 0, "replace error", false, "",
        "an unreadable image: the next readable one of the epoch stands in, or the run stops"),
    KEY(max_bad, HR_KEY_REAL, "0.01", 0, 1, NULL, false, "",
        "share of unreadable images above which a run stops"),
    KEY(save_every, HR_KEY_INT, "1", 0, 1e6, NULL, false, "epochs",
        "between checkpoints; 0: only at the end"),
    KEY(log_every, HR_KEY_INT, "10", 1, 1e6, NULL, false, "steps",
        "between lines of metrics.jsonl"),
    KEY(keep, HR_KEY_INT, "2", 1, 1e6, NULL, false, "", "newest checkpoints that are kept"),
    KEY(out, HR_KEY_TEXT, "", 0, 0, NULL, false, "", "run directory; empty: nothing is written"),
    KEY(resume, HR_KEY_FLAG, "0", 0, 1, NULL, false, "", "go on with the run in out"),
    KEY(overwrite, HR_KEY_FLAG, "0", 0, 1, NULL, false, "",
        "begin anew in a directory that holds a run"),
    KEY(seed, HR_KEY_INT, "0", 0, 9007199254740992.0, NULL, false, "", "of every random number"),
};

const hr_keys hr_train_keys = { "train", keys, sizeof keys / sizeof *keys };

static hirl_status resolve_rate(hr_train_config *c)
{
    double scaled = (c->base_lr > 0 ? c->base_lr : 0.03) * (double)c->batch_size / RATE_IMAGES;

    if (c->lr > 0 && c->base_lr > 0 && fabs(c->lr - scaled) > 1e-12 * scaled)
        return hr_fail(HIRL_E_INVALID, "lr=%g and base_lr=%g: give one of them", c->lr, c->base_lr);
    if (c->lr <= 0)
        c->lr = scaled;
    return HIRL_OK;
}

static hirl_status resolve_queue(hr_train_config *c, int64_t n)
{
    int64_t most = n / 2 < PAPER_QUEUE ? n / 2 : PAPER_QUEUE;

    if (c->queue == HR_AUTO)
        c->queue = most / c->batch_size * c->batch_size;
    if (c->queue < c->batch_size)
        return hr_fail(
            HIRL_E_INVALID,
            "queue: %lld keys hold less than one batch of %lld (%lld images); lower batch_size",
            (long long)c->queue, (long long)c->batch_size, (long long)n);
    if (c->queue > n)
        return hr_fail(
            HIRL_E_INVALID, "queue: %lld keys, but the data set has %lld images; at most %lld",
            (long long)c->queue, (long long)n, (long long)(n / c->batch_size * c->batch_size));
    if (c->queue % c->batch_size)
        return hr_fail(HIRL_E_INVALID, "queue: %lld is no multiple of batch_size %lld; try %lld",
                       (long long)c->queue, (long long)c->batch_size,
                       (long long)(c->queue / c->batch_size * c->batch_size));
    return HIRL_OK;
}

static hirl_status resolve_groups(hr_train_config *c)
{
    if (c->bn_groups == HR_AUTO) {
        c->bn_groups = c->batch_size / GROUP_IMAGES > 2 ? c->batch_size / GROUP_IMAGES : 2;
        while (c->batch_size % c->bn_groups || c->batch_size / c->bn_groups < 2)
            c->bn_groups--;
    }
    if (c->batch_size % c->bn_groups || c->batch_size / c->bn_groups < 2)
        return hr_fail(
            HIRL_E_INVALID,
            "bn_groups: %lld does not split batch_size %lld into equal parts of 2 or more",
            (long long)c->bn_groups, (long long)c->batch_size);
    return HIRL_OK;
}

static hirl_status resolve(hr_run_config *config, int64_t n)
{
    hr_train_config *c = &config->train;

    if (c->batch_size > n)
        return hr_fail(HIRL_E_INVALID, "batch_size: %lld, but the data set has %lld images",
                       (long long)c->batch_size, (long long)n);
    if (!config->cluster.normalize)
        return hr_fail(HIRL_E_INVALID,
                       "normalize=0: a run clusters unit rows; hirl_cluster() takes others");
    HR_TRY(resolve_rate(c));
    HR_TRY(resolve_queue(c, n));
    HR_TRY(resolve_groups(c));
    if (c->precision == HR_PRECISION_AUTO)
        c->precision = HR_PRECISION_F32;
    if (c->eval_batch == HR_AUTO)
        c->eval_batch = c->batch_size;
    config->spd.spd_weight = hr_spd_weight(&config->spd);
    if (c->hirl && c->cluster_warmup_epoch < c->epochs) {
        HR_TRY(hr_tree_levels(config->m, &config->levels, n, &config->cluster));
        config->cluster.prototypes.count = config->levels;
        memcpy(config->cluster.prototypes.item, config->m, sizeof config->m);
    }
    config->model.levels = config->levels;
    return HIRL_OK;
}

/* the caller's lr stands over a preset's base_lr, and the other way round */
static void prefer_the_nearer_rate(hr_train_config *c, const hirl_options *options)
{
    const hr_option *lr = options ? hr_options_find(options, "lr") : NULL;
    const hr_option *base = options ? hr_options_find(options, "base_lr") : NULL;

    if (lr && base && lr->origin > base->origin && c->lr > 0)
        c->base_lr = 0;
    if (lr && base && base->origin > lr->origin && c->base_lr > 0)
        c->lr = 0;
}

hirl_status hr_run_config_read(hr_run_config *config, const hirl_options *options, int64_t n)
{
    *config = (hr_run_config){ 0 };
    HR_TRY(hr_options_read(&config->train, &hr_train_keys, options));
    prefer_the_nearer_rate(&config->train, options);
    HR_TRY(hr_model_config_read(&config->model, options));
    HR_TRY(hr_options_read(&config->cluster, &hr_cluster_keys, options));
    HR_TRY(hr_options_read(&config->spd, &hr_spd_keys, options));
    if (config->train.profile == HR_PROFILE_REFERENCE &&
        !(options && hr_options_find(options, "warm")))
        config->cluster.warm = 0; /* the authors' program clusters from scratch in each epoch */
    return resolve(config, n);
}

/* ---- as text ---- */

enum { TABLES = 5 };

static const hr_keys *const tables[TABLES] = { &hr_train_keys, &hr_model_keys, &hr_cluster_keys,
                                               &hr_spd_keys, &hr_data_keys };

static bool named_before(int table, const char *name)
{
    for (int t = 0; t < table; t++)
        for (int i = 0; i < tables[t]->count; i++)
            if (!strcmp(tables[t]->key[i].name, name))
                return true;
    return false;
}

static bool is_one_of(const char *name, const char *const *names)
{
    for (; *names; names++)
        if (!strcmp(name, *names))
            return true;
    return false;
}

static const char *const about_the_call[] = { "resume", "overwrite", NULL };
static const char *const free_keys[] = { "out",        "data",         "loader_threads",
                                         "save_every", "log_every",    "keep",
                                         "max_bad",    "on_bad_image", NULL };

hirl_status hr_run_config_each(const hr_run_config *config, const hirl_options *options,
                               hr_setting_fn *fn, void *arg)
{
    const void *const fields[TABLES] = { &config->train, &config->model, &config->cluster,
                                         &config->spd, NULL };

    for (int t = 0; t < TABLES; t++)
        for (int i = 0; i < tables[t]->count; i++) {
            const hr_key *key = &tables[t]->key[i];
            const hr_option *given = hr_options_find(options, key->name);
            char value[HR_KEY_TEXT_BYTES];
            hr_setting setting = { key, value, is_one_of(key->name, free_keys) };

            if (named_before(t, key->name) || is_one_of(key->name, about_the_call))
                continue;
            if (fields[t])
                hr_key_print(value, key, (const char *)fields[t] + key->offset);
            else
                snprintf(value, sizeof value, "%s", given ? given->value : key->standard);
            HR_TRY(fn(&setting, arg));
        }
    return HIRL_OK;
}

typedef struct text_buffer {
    char *text;
    size_t used, room;
} text_buffer;

static hirl_status append_line(const hr_setting *setting, void *arg)
{
    text_buffer *b = arg;
    const char *value = setting->value;
    size_t need = b->used + strlen(setting->key->name) + 2 * strlen(value) + 8;

    if (need > b->room) {
        char *grown = hr_grow(b->text, b->used, 2 * need);

        if (!grown)
            return HIRL_E_NOMEM;
        b->text = grown;
        b->room = 2 * need;
    }
    b->used += (size_t)snprintf(b->text + b->used, b->room - b->used, "%s: \"", setting->key->name);
    for (; *value; value++) {
        if (*value == '"' || *value == '\\')
            b->text[b->used++] = '\\';
        b->text[b->used++] = *value;
    }
    b->used += (size_t)snprintf(b->text + b->used, b->room - b->used, "\"\n");
    return HIRL_OK;
}

hirl_status hr_run_config_text(char **text, const hr_run_config *config,
                               const hirl_options *options)
{
    text_buffer b = { 0 };
    hirl_status status = hr_run_config_each(config, options, append_line, &b);

    if (status < 0) {
        hr_free(b.text);
        return status;
    }
    *text = b.text;
    return HIRL_OK;
}

/* ---- in a checkpoint ---- */

static hirl_status save_setting(const hr_setting *setting, void *arg)
{
    char name[128];

    snprintf(name, sizeof name, "config.%s", setting->key->name);
    return hr_tensors_set_text(arg, name, setting->value);
}

hirl_status hr_run_config_save(hr_tensors *out, const hr_run_config *config,
                               const hirl_options *options)
{
    return hr_run_config_each(config, options, save_setting, out);
}

static bool contradicts(const hr_option *given, const char *kept)
{
    return given && given->origin >= HR_FROM_FILE && strcmp(given->value, kept) &&
           strcmp(given->value, "auto");
}

/* the same value written in another way is no contradiction */
static bool same_value(const hr_key *key, const char *a, const char *b)
{
    char x[HR_KEY_TEXT_BYTES] = { 0 }, y[HR_KEY_TEXT_BYTES] = { 0 };

    return hr_key_parse(x, key, a) >= 0 && hr_key_parse(y, key, b) >= 0 && !memcmp(x, y, sizeof x);
}

static hirl_status resume_key(hirl_options *options, const hr_key *key, const char *kept,
                              bool may_differ, const hirl_options *given)
{
    const hr_option *now = hr_options_find(given, key->name);

    if (now && (may_differ || !kept))
        return hr_options_put(options, key, now->value, now->origin);
    if (!kept)
        return HIRL_OK;
    if (contradicts(now, kept) && !same_value(key, now->value, kept))
        return hr_fail(HIRL_E_INVALID, "%s=%s, but the run to be resumed has %s", key->name,
                       now->value, kept);
    return hr_options_put(options, key, kept, HR_FROM_CALLER);
}

hirl_status hr_run_config_resume(hirl_options *options, const hr_tensors *in,
                                 const hirl_options *given)
{
    *options = (hirl_options){ 0 };
    for (int t = 0; t < TABLES; t++)
        for (int i = 0; i < tables[t]->count; i++) {
            const hr_key *key = &tables[t]->key[i];
            char name[128];
            hirl_status status;

            if (named_before(t, key->name))
                continue;
            snprintf(name, sizeof name, "config.%s", key->name);
            status = resume_key(options, key, hr_tensors_text(in, name),
                                is_one_of(key->name, free_keys), given);
            if (status < 0) {
                hr_options_done(options);
                return status;
            }
        }
    return HIRL_OK;
}
