/* small_network.c - a ResNet-18 of width 1/4 on the generated images. */
#include "small_network.h"

#include <hirl/hirl.h>
#include <string.h>

#include "base/alloc.h"
#include "data/keys.h"
#include "data/open.h"
#include "support/close.h"
#include "support/tape.h"
#include "tape/ops.h"

static hirl_dataset *open_split(hirl_context *context, const char *split)
{
    hirl_dataset *dataset = NULL;
    hr_data_config config;

    hr_assert_ok(hr_options_read(&config, &hr_data_keys, NULL));
    strcpy(config.split, split);
    hr_assert_ok(hr_dataset_open(&dataset, context, "generated", &config));
    return dataset;
}

static void read_config(hr_model_config *config)
{
    static const char *const small[][2] = {
        { "arch", "resnet18" }, { "width", "0.25" }, { "stem", "small" },
        { "image_size", "32" }, { "z_dim", "64" },
    };
    hirl_options *options = NULL;

    hr_assert_ok(hirl_options_create(&options));
    for (size_t i = 0; i < sizeof small / sizeof *small; i++)
        hr_assert_ok(hirl_options_set(options, small[i][0], small[i][1]));
    hr_assert_ok(hr_model_config_read(config, options));
    hirl_options_destroy(options);
}

void small_network_open(small_network *s)
{
    hr_model_config config;

    memset(s, 0, sizeof *s);
    hr_assert_ok(hr_context_create(&s->context, "cpu", 0));
    s->train = open_split(s->context, "train");
    s->test = open_split(s->context, "test");
    read_config(&config);
    hr_assert_ok(hr_net_init(&s->net, &config, 0));
    hr_assert_ok(hr_context_take_queue(&s->queue, s->context));
    hr_assert_ok(hr_tape_init(&s->tape, s->queue, HR_REAL));
    hr_assert_ok(hr_weights_create(&s->weights, s->queue, &s->net.params, s->net.params.count,
                                   &s->net.norms, s->net.norms.count, true, false));
    hr_assert_ok(hr_weights_draw(&s->weights, 0));
    s->moment = s->weights.value;
    s->moment.data = s->queue->be->take(s->queue, hr_bytes(&s->moment));
    s->queue->be->fill(s->queue, &s->moment, 0);
}

void small_network_close(small_network *s)
{
    s->queue->be->give(s->queue, s->moment.data);
    hr_weights_done(&s->weights);
    hr_tape_done(&s->tape);
    hr_net_done(&s->net);
    hr_context_give_queue(s->queue);
    hr_dataset_drop(s->train);
    hr_dataset_drop(s->test);
    hr_context_drop(s->context);
}

static hr_loader *open_in_order(small_network *s, hirl_dataset *dataset)
{
    static const float mean[3] = { 0.485f, 0.456f, 0.406f }, std[3] = { 0.229f, 0.224f, 0.225f };
    hr_loader_config config = {
        .batch = SMALL_BATCH, .max_bad = 1, .views = 1, .on_bad = HR_BAD_ROW_BLANK
    };
    hr_loader *loader = NULL;

    (void)s;
    hr_view_evaluation(&config.view[0], SMALL_SIDE, 1, mean, std);
    hr_assert_ok(hr_loader_create(&loader, dataset, &config));
    return loader;
}

float *small_network_embed(small_network *s, int32_t layer, hirl_dataset *dataset, int32_t **label)
{
    int64_t dim = hr_net_layer_dim(&s->net, layer), at = 0;
    float *features = hr_alloc((size_t)(dataset->count * dim) * sizeof *features);
    hr_loader *loader = open_in_order(s, dataset);
    const hr_batch *batch = NULL;
    hirl_status status;

    *label = hr_alloc((size_t)dataset->count * sizeof **label);
    while ((status = hr_loader_next(&batch, loader)) == HIRL_OK) {
        hr_assert_ok(hr_net_embed(features + at * dim, &s->net, &s->weights, &s->tape, layer,
                                  batch->view[0], batch->n, SMALL_SIDE));
        for (int32_t i = 0; i < batch->n; i++)
            (*label)[at + i] = hr_dataset_label(dataset, batch->image[i], 0);
        at += batch->n;
    }
    ck_assert_int_eq(status, HIRL_DONE);
    ck_assert_int_eq(at, dataset->count);
    hr_loader_destroy(loader);
    return features;
}

double small_network_step(small_network *s, const hr_batch *batch, double rate)
{
    int64_t shape[4] = { batch->n, SMALL_SIDE, SMALL_SIDE, 3 };
    int32_t label[SMALL_BATCH];
    hr_tape *t = &s->tape;
    hr_queue *q = s->queue;
    hr_pass run = {
        .tape = t, .weights = &s->weights, .groups = 1, .running_groups = 1, .commit = true
    };
    hr_scalars scalars = { .rate = { rate }, .decay = { 5e-4 }, .momentum = { 0.9 } };
    hr_array image, classes;
    hr_tensor *loss;
    double value = 0;

    for (int32_t i = 0; i < batch->n; i++)
        label[i] = hr_dataset_label(s->train, batch->image[i], 0);
    hr_tape_reset(t);
    t->training = t->recording = true;
    q->be->fill(q, &s->weights.grad, 0);
    q->be->scalars(q, &scalars);
    image = hr_test_upload(t, HR_REAL, 4, shape, batch->view[0], HR_F32);
    classes = hr_test_upload(t, HR_I32, 1, shape, label, HR_I32);
    loss = hr_cross_entropy(t, hr_net_z0(&s->net, &run, hr_wrap(t, &image, NULL), NULL), &classes);
    hr_assert_ok(hr_tape_backward(t, loss));
    q->be->download(q, &value, HR_F64, &loss->x);
    q->be->sgd(q, &s->weights.value, &s->moment, &s->weights.grad, 0);
    hr_tape_commit(t);
    hr_weights_refresh(&s->weights);
    hr_assert_ok(q->be->sync(q));
    return value;
}
