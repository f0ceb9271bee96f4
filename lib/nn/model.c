/* model.c - the public hirl_model: a network, its weights and preprocessing; immutable.
 *
 * A model file holds the backbone under torchvision's or timm's names (conv1.weight,
 * layer1.0.bn1.running_mean, ...), then head.*, h.<l>.*, and num_batches_tracked = 0 for each batch
 * norm, which strict loaders require.
 */
#include "nn/model.h"

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/key_text.h"

static const char *const prefix_of_keys = "model.";
enum { FILE_VERSION = 1 };

/* the tensors of a file whose names begin with `prefix` */
typedef struct file_part {
    const hr_tensors *in;
    const char *prefix;
} file_part;

/* Allocates zeroed weights. `from`: NULL, or the file to load them from later; its tensors are
 * checked first, so that a small file cannot cause a large allocation. */
static hirl_status make_weights(hirl_model *model, const file_part *from)
{
    const hr_net *net = &model->net;
    bool teacher = !strcmp(model->network, "teacher");
    int32_t params = teacher ? net->shared_params : net->params.count;
    int32_t norms = teacher ? net->shared_norms : net->norms.count;

    if (from) {
        HR_TRY(hr_layout_check(&net->params, params, from->in, from->prefix));
        HR_TRY(hr_layout_check(&net->norms, norms, from->in, from->prefix));
    }
    return hr_weights_create(&model->weights, model->queue, &net->params, params, &net->norms,
                             norms, false, false);
}

static hirl_status fill(hirl_model *model, hirl_context *context, const hr_model_config *config,
                        int32_t levels, const char *network, const file_part *from)
{
    hr_context_hold(context);
    model->context = context;
    model->config = *config;
    snprintf(model->network, sizeof model->network, "%s", network);
    HR_TRY(hr_context_take_queue(&model->queue, context));
    HR_TRY(hr_net_init(&model->net, config, levels));
    return make_weights(model, from);
}

static hirl_status make(hirl_model **out, hirl_context *context, const hr_model_config *config,
                        int32_t levels, const char *network, const file_part *from)
{
    hirl_model *model = hr_alloc(sizeof *model);
    hirl_status status;

    if (!model)
        return HIRL_E_NOMEM;
    status = fill(model, context, config, levels, network, from);
    if (status < 0) {
        hr_model_destroy(model);
        return status;
    }
    *out = model;
    return HIRL_OK;
}

hirl_status hr_model_alloc(hirl_model **out, hirl_context *context, const hr_model_config *config,
                           int32_t levels, const char *network)
{
    return make(out, context, config, levels, network, NULL);
}

void hr_model_destroy(hirl_model *model)
{
    if (!model)
        return;
    hr_weights_done(&model->weights);
    hr_net_done(&model->net);
    hr_context_give_queue(model->queue);
    hr_context_drop(model->context);
    hr_free(model);
}

/* ---- files ---- */

hirl_status hr_model_config_save(hr_tensors *out, const hr_model_config *config, int32_t levels)
{
    for (int i = 0; i < hr_model_keys.count; i++) {
        const hr_key *key = &hr_model_keys.key[i];
        char name[64], value[HR_KEY_TEXT_BYTES];

        snprintf(name, sizeof name, "%s%s", prefix_of_keys, key->name);
        hr_key_print(value, key, (const char *)config + key->offset);
        HR_TRY(hr_tensors_set_text(out, name, value));
    }
    if (config->exif >= 0)
        HR_TRY(hr_tensors_set_int(out, "model.exif", config->exif));
    return hr_tensors_set_int(out, "model.levels", levels);
}

/* Models without this entry were trained on photos as they are stored. */
static int32_t exif_of(const hr_tensors *in)
{
    const char *exif = hr_tensors_text(in, "model.exif");

    return exif && !strcmp(exif, "1");
}

hirl_status hr_model_config_load(hr_model_config *config, int32_t *levels, const hr_tensors *in)
{
    hirl_options options = { 0 };
    hirl_status status = HIRL_OK;

    for (int i = 0; i < hr_model_keys.count && status >= 0; i++) {
        const hr_key *key = &hr_model_keys.key[i];
        const char *value;
        char name[64];

        snprintf(name, sizeof name, "%s%s", prefix_of_keys, key->name);
        value = hr_tensors_text(in, name);
        if (!value && !strcmp(key->name, "arch"))
            status = hr_fail(HIRL_E_FORMAT, "not a libhirl model: no metadata \"%s\"", name);
        else if (value) /* a key added after the file was written has its default */
            status = hr_options_put(&options, key, value, HR_FROM_FILE);
    }
    if (status >= 0)
        status = hr_model_config_read(config, &options);
    hr_options_done(&options);
    if (status >= 0)
        *levels = (int32_t)config->levels;
    if (status >= 0)
        config->exif = exif_of(in);
    return status;
}

static hirl_status add_batches_tracked(hr_tensors *out, const hr_layout *norms)
{
    static const char mean[] = "running_mean";

    for (int s = 0; s < norms->count; s++) {
        const char *name = norms->slot[s].name;
        size_t stem = strlen(name) < sizeof mean - 1 ? 0 : strlen(name) - (sizeof mean - 1);
        char full[2 * HR_SLOT_NAME];
        void *zero;

        if (strcmp(name + stem, mean))
            continue;
        snprintf(full, sizeof full, "%.*snum_batches_tracked", (int)stem, name);
        HR_TRY(hr_tensors_new(&zero, out, full, HR_I64, 0, NULL));
    }
    return HIRL_OK;
}

hirl_status hr_model_to_tensors(hr_tensors *out, const hirl_model *model)
{
    const hr_weights *w = &model->weights;

    HR_TRY(hr_tensors_set_text(out, "format", "hirl-model"));
    HR_TRY(hr_tensors_set_int(out, "version", FILE_VERSION));
    HR_TRY(hr_tensors_set_text(out, "network", model->network));
    HR_TRY(hr_model_config_save(out, &model->config, model->net.levels));
    HR_TRY(hr_layout_save(out, w->layout, w->slots, &w->value, w->queue, ""));
    HR_TRY(hr_layout_save(out, w->norms, w->norm_slots, &w->running, w->queue, ""));
    return add_batches_tracked(out, w->norms);
}

static bool holds_prefix(const hr_tensors *in, const char *prefix)
{
    for (int i = 0; i < in->count; i++)
        if (!strncmp(in->item[i].name, prefix, strlen(prefix)))
            return true;
    return false;
}

/* Models and checkpoints have the same versions. A model of today's form may state none. */
static hirl_status check_version(const hr_tensors *in)
{
    int64_t version = FILE_VERSION;

    if (hr_tensors_text(in, "version"))
        HR_TRY(hr_tensors_int(&version, in, "version"));
    return version <= FILE_VERSION
               ? HIRL_OK
               : hr_fail(HIRL_E_VERSION,
                         "a model file of version %lld; this library reads versions up to %d",
                         (long long)version, FILE_VERSION);
}

/* finds the network's name and the prefix of its tensors in a model file or checkpoint */
static hirl_status choose(const char **prefix, const char **name, const hr_tensors *in,
                          const char *network)
{
    const char *format = hr_tensors_text(in, "format"), *held = hr_tensors_text(in, "network");
    const char *automatic = hr_tensors_text(in, "evaluate");

    if (!format || (strcmp(format, "hirl-model") && strcmp(format, "hirl-checkpoint")))
        return hr_fail(HIRL_E_FORMAT,
                       "not a libhirl model or checkpoint (metadata \"format\" is %s)",
                       format ? format : "missing");
    HR_TRY(check_version(in));
    if (!strcmp(format, "hirl-checkpoint") && holds_prefix(in, "encoder."))
        return hr_fail(HIRL_E_INVALID, "a checkpoint of task=linear: its encoder is that of the "
                                       "model it was made from; give that model");
    if (!strcmp(format, "hirl-checkpoint")) {
        *name = strcmp(network, "auto") ? network : automatic ? automatic : "online";
        *prefix = strcmp(*name, "teacher") ? "online." : "teacher.";
        if (**prefix == 't' && !holds_prefix(in, *prefix))
            return hr_fail(HIRL_E_INVALID, "network: the checkpoint's method has no teacher");
        return HIRL_OK;
    }
    if (strcmp(network, "auto") && held && strcmp(network, held))
        return hr_fail(HIRL_E_INVALID,
                       "network: the file contains the %s network, not the %s network", held,
                       network);
    *name = held ? held : "online";
    *prefix = "";
    return HIRL_OK;
}

static hirl_status load_weights(hirl_model *model, const file_part *from)
{
    hr_weights *w = &model->weights;

    HR_TRY(hr_layout_load(&w->value, w->layout, w->slots, w->queue, from->in, from->prefix));
    return hr_layout_load(&w->running, w->norms, w->norm_slots, w->queue, from->in, from->prefix);
}

hirl_status hr_model_from_tensors(hirl_model **out, hirl_context *context, const hr_tensors *in,
                                  const char *network)
{
    file_part from = { in, "" };
    const char *name = "";
    hr_model_config config;
    hirl_model *model;
    hirl_status status;
    int32_t levels;

    HR_TRY(choose(&from.prefix, &name, in, network));
    HR_TRY(hr_model_config_load(&config, &levels, in));
    if (!strcmp(from.prefix, "teacher."))
        levels = 0; /* a teacher has no h_l */
    HR_TRY(make(&model, context, &config, levels, name, &from));
    status = load_weights(model, &from);
    if (status < 0) {
        hr_model_destroy(model);
        return status;
    }
    *out = model;
    return HIRL_OK;
}

/* ---- use ---- */

hirl_status hr_model_embed_input(float *features, const hirl_model *model, int32_t layer,
                                 const float *input, int64_t n)
{
    hr_queue *queue;
    hr_tape tape;
    hirl_status status;

    HR_TRY(hr_context_take_queue(&queue, model->context));
    status = hr_tape_init(&tape, queue, HR_REAL);
    if (status >= 0) {
        status = hr_net_embed(features, &model->net, &model->weights, &tape, layer, input, n,
                              model->config.image_size);
        hr_tape_done(&tape);
    }
    hr_context_give_queue(queue);
    return status;
}
