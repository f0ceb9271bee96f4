/* extract.c - features of a whole data set in evaluation mode, batch by batch (HIRL Alg. 2). */
#include "train/extract.h"

#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "context.h"

struct hr_extract {
    hr_extract_config config;
    hirl_dataset *dataset;
    const hr_net *net;
    const hr_weights *weights;
    hr_loader *loader;
    hr_tape tape;
    bool has_tape;
    int64_t done;
};

static hirl_status open(hr_extract *extract, hr_queue *queue)
{
    const hr_extract_config *c = &extract->config;
    hr_loader_config loader = {
        .batch = c->batch,
        .threads = c->threads,
        .max_bad = c->max_bad,
        .views = 1,
        .shuffled = c->sample > 0,
        .on_bad = HR_BAD_ROW_BLANK,
    };

    hr_view_evaluation(&loader.view[0], c->size, c->filter, c->mean, c->std);
    HR_TRY(hr_loader_create(&extract->loader, extract->dataset, &loader));
    HR_TRY(hr_tape_init(&extract->tape, queue, c->bf16 ? HR_BF16 : HR_REAL));
    extract->has_tape = true;
    return hr_loader_seek(extract->loader, 0, 0);
}

hirl_status hr_extract_create(hr_extract **out, hr_queue *queue, hirl_dataset *dataset,
                              const hr_net *net, const hr_weights *weights,
                              const hr_extract_config *config)
{
    hr_extract *extract = hr_alloc(sizeof *extract);
    hirl_status status;

    if (!extract)
        return HIRL_E_NOMEM;
    extract->config = *config;
    extract->net = net;
    extract->weights = weights;
    extract->dataset = dataset;
    hr_dataset_hold(dataset);
    status = open(extract, queue);
    if (status < 0) {
        hr_extract_destroy(extract);
        return status;
    }
    *out = extract;
    return HIRL_OK;
}

void hr_extract_destroy(hr_extract *extract)
{
    if (!extract)
        return;
    hr_loader_destroy(extract->loader);
    if (extract->has_tape)
        hr_tape_done(&extract->tape);
    hr_dataset_drop(extract->dataset);
    hr_free(extract);
}

static void blank_unreadable(float *rows, uint8_t *readable, const hr_batch *batch, int64_t dim)
{
    for (int64_t i = 0; i < batch->n; i++) {
        if (!batch->readable[i])
            memset(rows + i * dim, 0, (size_t)dim * sizeof *rows);
        if (readable)
            readable[i] = batch->readable[i];
    }
}

static hirl_status next_batch(float *rows, uint8_t *readable, hr_extract *extract)
{
    int64_t dim = hr_net_layer_dim(extract->net, extract->config.layer), first = extract->done;
    const hr_batch *batch = NULL;

    HR_TRY(hr_loader_next(&batch, extract->loader));
    if (!batch)
        return hr_fail(HIRL_E_INTERNAL, "extraction: the loader ended at image %lld of %lld",
                       (long long)first, (long long)extract->dataset->count);
    HR_TRY(hr_net_embed(rows, extract->net, extract->weights, &extract->tape, extract->config.layer,
                        batch->view[0], batch->n, extract->config.size));
    blank_unreadable(rows, readable, batch, dim);
    extract->done += batch->n;
    return HIRL_OK;
}

hirl_status hr_extract_next(bool *done, float *rows, uint8_t *readable, hr_extract *extract)
{
    int64_t all = extract->config.sample ? extract->config.sample : extract->dataset->count;
    hirl_status status = HIRL_OK;

    if (extract->done < all)
        status = next_batch(rows, readable, extract);
    if (status < 0) { /* the next call starts with the same batch */
        hr_error failure;

        hr_error_keep(&failure, status);
        HR_TRY(hr_loader_seek(extract->loader, 0, extract->done / extract->config.batch));
        return hr_error_raise(&failure);
    }
    *done = extract->done >= all;
    return HIRL_OK;
}

hirl_status hr_extract_seek(hr_extract *extract, int64_t image)
{
    if (extract->done == image)
        return HIRL_OK;
    HR_TRY(hr_loader_seek(extract->loader, 0, image / extract->config.batch));
    extract->done = image;
    return HIRL_OK;
}

hirl_status hr_extract_step(bool *done, float *features, uint8_t *readable, hr_extract *extract)
{
    int64_t dim = hr_net_layer_dim(extract->net, extract->config.layer), first = extract->done;

    return hr_extract_next(done, features + first * dim, readable ? readable + first : NULL,
                           extract);
}

hirl_status hr_extract_run(float *features, uint8_t *readable, hr_extract *extract,
                           const char *phase)
{
    bool done = false;

    while (!done) {
        HR_TRY(hr_extract_step(&done, features, readable, extract));
        HR_TRY(
            hr_progress(extract->dataset->context, phase, extract->done, extract->dataset->count));
    }
    return HIRL_OK;
}
