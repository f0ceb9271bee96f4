/* model.c - functions of <hirl/model.h>, and the key `network`. */
#include "nn/model.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include <hirl/model.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/file.h"
#include "base/record.h"
#include "base/safetensors.h"
#include "base/stream.h"
#include "config/config.h"
#include "data/dataset.h"
#include "data/evaluation.h"
#include "data/given.h"
#include "foreign.h"
#include "ssl/method_table.h"
#include "train/directory_files.h"
#include "train/extract.h"

enum { EMBED_BATCH = 32 }; /* images that are encoded at a time */

/* the settings of a model: the caller's options over those of the method */
static hirl_status read_config(hr_model_config *config, const hirl_options *given)
{
    hirl_options options;
    hirl_status status;

    HR_TRY(hr_run_options(&options, given));
    status = hr_model_config_read(config, &options);
    hr_options_done(&options);
    if (status >= 0 && (!strcmp(config->mean_text, "auto") || !strcmp(config->std_text, "auto")))
        return hr_fail(
            HIRL_E_INVALID,
            "mean=auto, std=auto: numbers are needed, because a model is made without images");
    return status;
}

hirl_status hirl_model_create(hirl_model **model, hirl_context *context,
                              const hirl_options *options)
{
    hr_model_config config;
    hirl_model *made;
    hirl_status status;
    hr_call call;

    if (!model || !context)
        return hr_fail(HIRL_E_INVALID, "model_create: %s is NULL", model ? "context" : "model");
    *model = NULL;
    HR_TRY(read_config(&config, options));
    HR_TRY(hr_context_enter(&call, context));
    status = hr_model_alloc(&made, context, &config, (int32_t)config.levels, "online");
    if (status >= 0) {
        status = hr_weights_draw(&made->weights, (uint64_t)config.seed);
        if (status < 0)
            hr_model_destroy(made);
        else
            *model = made;
    }
    return hr_context_leave(&call, status);
}

/* Reads the newest whole checkpoint in place of a damaged model.safetensors. */
static hirl_status read_instead(hr_tensors *list, hirl_context *context,
                                const hr_directory *directory, hirl_status status)
{
    hr_error fault;

    hr_error_keep(&fault, status);
    if (status == HIRL_E_NOMEM)
        return status;
    status = hr_directory_load(list, directory, context);
    if (status < 0)
        return status == HIRL_E_NOMEM ? status : hr_error_raise(&fault);
    hr_log(context, HIRL_LOG_WARNING,
           "%s: model.safetensors is damaged, so the newest checkpoint is used instead: %s",
           directory->path, fault.text);
    return HIRL_OK;
}

/* model.safetensors of a finished run holds the network that its method evaluates, so it serves
 * network=auto; any other network is read from the newest complete checkpoint. */
static hirl_status read_tensors(hr_tensors *list, hirl_context *context, const char *path,
                                bool automatic)
{
    hr_directory directory = { .path = (char *)path, .lock = -1 };
    char *model;
    hirl_status status;

    if (!hr_is_folder(path))
        return hr_tensors_load(list, path);
    model = hr_path_join(path, "model.safetensors");
    if (!model)
        return HIRL_E_NOMEM;
    if (automatic && hr_file_exists(model)) {
        status = hr_tensors_load(list, model);
        if (status < 0)
            status = read_instead(list, context, &directory, status);
    } else {
        status = hr_directory_load(list, &directory, context);
    }
    hr_free(model);
    return status;
}

typedef struct network_choice {
    int64_t network;
} network_choice;

static const hr_key network_key[] = {
    { "network", HR_KEY_CHOICE, "auto", 0, 0, "auto online teacher", false, "",
      "network that is read from a checkpoint; auto: the one that the method evaluates",
      offsetof(network_choice, network) },
};
const hr_keys hr_network_keys = { "model", network_key, 1 };

static hirl_status read_model(hirl_model **model, hirl_context *context, const hr_from *from,
                              const char *network)
{
    const char *name = hr_from_name(from);
    hr_tensors list;
    hirl_status status;

    hr_tensors_init(&list);
    status = from->path ? read_tensors(&list, context, from->path, !strcmp(network, "auto"))
                        : hr_tensors_take(&list, from);
    if (status >= 0) {
        status = hr_model_from_tensors(model, context, &list, network);
        if (status < 0)
            status = hr_fail_in(status, name);
        else
            hr_log_foreign(context, &list, name);
    }
    hr_tensors_done(&list);
    return status;
}

static hirl_status load(hirl_model **model, hirl_context *context, const hr_from *from,
                        const hirl_options *options)
{
    char network[16];
    network_choice choice;
    hr_call call;

    if (!model || !context)
        return hr_fail(HIRL_E_INVALID, "model_load: %s is NULL", model ? "context" : "model");
    *model = NULL;
    HR_TRY(hr_from_check(from, "model"));
    HR_TRY(hr_options_read(&choice, &hr_network_keys, options));
    hr_choice_name(&network_key[0], choice.network, network, sizeof network);
    HR_TRY(hr_context_enter(&call, context));
    return hr_context_leave(&call, read_model(model, context, from, network));
}

hirl_status hirl_model_load(hirl_model **model, hirl_context *context, const char *path,
                            const hirl_options *options)
{
    return load(model, context, &(hr_from){ .path = path }, options);
}

hirl_status hirl_model_from_memory(hirl_model **model, hirl_context *context, const void *data,
                                   size_t bytes, const hirl_options *options)
{
    return load(model, context, &(hr_from){ .data = data, .bytes = (int64_t)bytes }, options);
}

hirl_status hirl_model_read(hirl_model **model, hirl_context *context, hirl_read_fn *read,
                            void *user, int64_t bytes, const hirl_options *options)
{
    return load(model, context, &(hr_from){ .read = read, .user = user, .bytes = bytes }, options);
}

static hirl_status save(const hirl_model *model, const hr_to *to)
{
    hr_tensors list;
    hirl_status status;
    hr_call call;

    if (!model)
        return hr_fail(HIRL_E_INVALID, "model_save: model is NULL");
    HR_TRY(hr_to_check(to, "model"));
    HR_TRY(hr_context_enter(&call, model->context));
    hr_tensors_init(&list);
    status = hr_model_to_tensors(&list, model);
    if (status >= 0)
        status = hr_tensors_put(&list, to);
    hr_tensors_done(&list);
    return hr_context_leave(&call, status);
}

hirl_status hirl_model_save(const hirl_model *model, const char *path)
{
    return save(model, &(hr_to){ .path = path });
}

hirl_status hirl_model_to_memory(void **data, size_t *bytes, const hirl_model *model)
{
    return save(model, &(hr_to){ .data = data, .bytes = bytes });
}

hirl_status hirl_model_write(const hirl_model *model, hirl_write_fn *write, void *user)
{
    return save(model, &(hr_to){ .write = write, .user = user });
}

void hirl_model_destroy(hirl_model *model)
{
    hr_model_destroy(model);
}

/* slots: how many parameter tensors the network has */
static void describe(hirl_model_info *info, const hr_model_config *config, const hr_net *net,
                     int slots, const char *network)
{
    hr_augment_record crop;
    hr_view view;
    hirl_model_info i = { .arch = hr_arch_name(config->arch),
                          .method = hr_method_find(config->method)->name,
                          .network = network,
                          .levels = net->levels,
                          .image_size = (int32_t)config->image_size,
                          .backbone_dim = net->backbone_dim,
                          .z_dim = net->z_dim,
                          .parameters = hr_layout_numbers(&net->params, slots),
                          .exif = config->exif,
                          .filter = "bicubic" };

    hr_evaluation_view(&view, config->image_size, HR_FILTER_EMBED, config->mean, config->std);
    hr_augment_draw(&crop, &view, config->image_size, config->image_size, 0, 0, 0, 0);
    i.resize = crop.resize;
    memcpy(i.mean, config->mean, sizeof i.mean);
    memcpy(i.std, config->std, sizeof i.std);
    hr_record_fill(info, &i, sizeof i);
}

hirl_status hirl_model_describe(hirl_model_info *info, const hirl_model *model)
{
    HR_TRY(HR_RECORD_CHECK(info, "model_describe: info", hirl_model_info));
    if (!model)
        return hr_fail(HIRL_E_INVALID, "model_describe: model is NULL");
    describe(info, &model->config, &model->net, model->weights.slots, model->network);
    return HIRL_OK;
}

hirl_status hirl_model_plan(hirl_model_info *info, const hirl_options *options)
{
    hr_model_config config;
    hr_net net;

    HR_TRY(HR_RECORD_CHECK(info, "model_plan: info", hirl_model_info));
    HR_TRY(read_config(&config, options));
    HR_TRY(hr_net_init(&net, &config, (int32_t)config.levels));
    describe(info, &config, &net, net.params.count, "online");
    hr_net_done(&net);
    return HIRL_OK;
}

int64_t hirl_model_dim(const hirl_model *model, const char *layer)
{
    int32_t index;

    if (!model || hr_net_layer(&index, &model->net, layer ? layer : "backbone") < 0)
        return -1;
    return hr_net_layer_dim(&model->net, index);
}

/* ---- features of images ---- */

/* the images of a part that is encoded at once: converted, unless they are plain RGB already */
typedef struct image_part {
    hirl_image image[EMBED_BATCH];
    hr_pixels own[EMBED_BATCH];
    const uint8_t *pixels[EMBED_BATCH];
    int64_t height[EMBED_BATCH], width[EMBED_BATCH];
} image_part;

static hirl_status in_image(hirl_status status, int64_t index)
{
    char what[40];

    snprintf(what, sizeof what, "image %lld", (long long)index);
    return status < 0 ? hr_fail_in(status, what) : status;
}

static hirl_status read_part(image_part *p, const hirl_image *image, int64_t n, int64_t first,
                             const hr_decoding *how)
{
    HR_TRY(hr_given_take(p->image, image, first, n));
    for (int64_t i = 0; i < n; i++) {
        const hirl_image *one = &p->image[i];

        if (hr_given_is_plain(one)) {
            p->pixels[i] = one->pixels;
            p->height[i] = one->height;
            p->width[i] = one->width;
        } else {
            HR_TRY(in_image(hr_given_read(&p->own[i], one, how), first + i));
            p->pixels[i] = p->own[i].data;
            p->height[i] = p->own[i].height;
            p->width[i] = p->own[i].width;
        }
    }
    return HIRL_OK;
}

static hirl_status embed_parts(float *features, const hirl_model *model, int32_t layer,
                               const hirl_image *image, int64_t n, image_part *p, hr_queue *queue)
{
    int64_t size = model->config.image_size, dim = hr_net_layer_dim(&model->net, layer);
    float *input = hr_alloc_array((size_t)(EMBED_BATCH * size * size * 3), sizeof *input);
    hr_decoding how = { model->config.exif > 0, 0 };
    hirl_status status = input ? HIRL_OK : HIRL_E_NOMEM;
    hr_view view;

    hr_evaluation_view(&view, size, HR_FILTER_EMBED, model->config.mean, model->config.std);
    for (int64_t i = 0; i < n && status >= 0; i += EMBED_BATCH) {
        int64_t count = n - i < EMBED_BATCH ? n - i : EMBED_BATCH;

        status = read_part(p, image, count, i, &how);
        if (status >= 0)
            status =
                hr_evaluation_input(input, queue, &view, p->pixels, p->height, p->width, count);
        if (status >= 0)
            status = hr_model_embed_input(features + i * dim, model, layer, input, count);
        if (status >= 0)
            status = hr_progress(model->context, "embed", i + count, n);
    }
    hr_free(input);
    return status;
}

static hirl_status embed(float *features, const hirl_model *model, int32_t layer,
                         const hirl_image *image, int64_t n)
{
    image_part *p = hr_alloc(sizeof *p);
    hr_queue *queue;
    hirl_status status;

    if (!p)
        return HIRL_E_NOMEM;
    status = hr_context_take_cpu_queue(&queue, model->context);
    if (status >= 0) {
        status = embed_parts(features, model, layer, image, n, p, queue);
        hr_context_give_queue(queue);
    }
    for (int i = 0; i < EMBED_BATCH; i++)
        hr_pixels_done(&p->own[i]);
    hr_free(p);
    return status;
}

hirl_status hirl_model_embed(float *features, const hirl_model *model, const char *layer,
                             const hirl_image *image, int64_t n)
{
    int32_t index;
    hr_call call;

    if (!features || !model || !image || n < 1)
        return hr_fail(HIRL_E_INVALID, "model_embed: an argument is NULL or n is below 1");
    HR_TRY(HR_RECORD_CHECK(image, "image", hirl_image));
    HR_TRY(hr_net_layer(&index, &model->net, layer ? layer : "backbone"));
    HR_TRY(hr_context_enter(&call, model->context));
    return hr_context_leave(&call, embed(features, model, index, image, n));
}

hirl_status hirl_model_embed_input(float *features, const hirl_model *model, const char *layer,
                                   const float *input, int64_t n)
{
    int64_t side, dim;
    hirl_status status = HIRL_OK;
    int32_t index;
    hr_call call;

    if (!features || !model || !input || n < 1)
        return hr_fail(HIRL_E_INVALID, "model_embed_input: an argument is NULL or n is below 1");
    HR_TRY(hr_net_layer(&index, &model->net, layer ? layer : "backbone"));
    HR_TRY(hr_context_enter(&call, model->context));
    side = model->config.image_size;
    dim = hr_net_layer_dim(&model->net, index);
    for (int64_t i = 0; i < n && status >= 0; i += EMBED_BATCH) {
        int64_t part = n - i < EMBED_BATCH ? n - i : EMBED_BATCH;

        status = hr_model_embed_input(features + i * dim, model, index, input + i * side * side * 3,
                                      part);
        if (status >= 0)
            status = hr_progress(model->context, "embed", i + part, n);
    }
    return hr_context_leave(&call, status);
}

/* ---- features of data sets ---- */

static hirl_status extract_config(hr_extract_config *config, const hirl_model *model, int32_t layer,
                                  const hirl_options *options)
{
    hr_train_config train;

    HR_TRY(hr_options_read(&train, &hr_train_keys, options));
    *config = (hr_extract_config){
        .batch = (int32_t)(train.eval_batch == HR_AUTO ? 64 : train.eval_batch),
        .threads = train.loader_threads == HR_AUTO ? hr_pool_half(hr_context_pool(model->context))
                                                   : (int32_t)train.loader_threads,
        .size = (int32_t)model->config.image_size,
        .filter = HR_FILTER_EMBED,
        .layer = layer,
        .max_bad = hr_options_find(options, "max_bad") ? train.max_bad : 1, /* else skip all */
    };
    for (int i = 0; i < 3; i++) {
        config->mean[i] = (float)model->config.mean[i];
        config->std[i] = (float)model->config.std[i];
    }
    return HIRL_OK;
}

static hirl_status embed_dataset(float *features, uint8_t *readable, const hirl_model *model,
                                 hirl_dataset *dataset, const hr_extract_config *config)
{
    hr_extract *extract;
    hr_queue *queue;
    hirl_status status;

    HR_TRY(hr_context_take_queue(&queue, model->context));
    status = hr_extract_create(&extract, queue, dataset, &model->net, &model->weights, config);
    if (status >= 0) {
        status = hr_extract_run(features, readable, extract, "embed");
        if (status >= 0 && dataset->count && atomic_load(&dataset->bad) == dataset->count)
            status = hr_fail(HIRL_E_FORMAT, "none of %lld images can be read",
                             (long long)dataset->count);
        hr_extract_destroy(extract);
    }
    hr_context_give_queue(queue);
    return status;
}

hirl_status hirl_model_embed_dataset(float *features, uint8_t *readable, const hirl_model *model,
                                     const char *layer, hirl_dataset *dataset,
                                     const hirl_options *options)
{
    hr_extract_config config;
    hirl_status status;
    int32_t index;
    hr_call call;

    if (!features || !model || !dataset)
        return hr_fail(HIRL_E_INVALID, "model_embed_dataset: features, model or dataset is NULL");
    if (dataset->context != model->context)
        return hr_fail(HIRL_E_INVALID,
                       "model_embed_dataset: the data set belongs to another context");
    HR_TRY(hr_net_layer(&index, &model->net, layer ? layer : "backbone"));
    HR_TRY(extract_config(&config, model, index, options));
    HR_TRY(hr_context_enter(&call, model->context));
    status = embed_dataset(features, readable, model, dataset, &config);
    return hr_context_leave(&call, status);
}
