/* step.c - times a training step of an encoder with a linear classifier: forward, backward, SGD.
 *
 *   step arch=resnet18 width=1 stem=normal image_size=224 batch_size=32 classes=1000 [threads=2]
 *        [precision=f32]
 *   step arch=vit_base_patch16_224 image_size=224 batch_size=4 classes=1000 ...
 *
 * For each line on standard input, takes one step and prints one line {"seconds": x}. A first step,
 * which allocates the memory, is taken before. For resnet_step.py and vit_step.py.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/rng.h"
#include "bench.h"
#include "context.h"
#include "nn/net.h"
#include "nn/vit.h"
#include "tape/ops.h"

typedef struct bench {
    hirl_context *context;
    hr_call call;
    hr_queue *queue;
    hr_tape tape;
    hr_model_config config;
    hr_net net;
    hr_vit vit;
    bool is_vit; /* the network is `vit`, and `net` holds only its parameters */
    hr_weights weights;
    hr_array moment;
    float *images;
    int32_t *labels;
    int64_t batch;
    int32_t weight, bias; /* slots of the classifier */
} bench;

static hirl_status open_backbone(int64_t *dim, bench *b, char **argv, int argc)
{
    const hr_key arch = {
        "arch", HR_KEY_CHOICE, "", 0, 0, "resnet18 resnet34 resnet50", false, "", "", 0
    };
    hr_vit_shape vit = { 0 };

    HR_TRY(hr_model_config_read(&b->config, NULL));
    b->config.image_size = atoll(argument(argv, argc, "image_size", "224"));
    b->is_vit = hr_vit_named(&vit, argument(argv, argc, "arch", "resnet18"));
    *dim = vit.dim;
    if (b->is_vit)
        return hr_vit_init(&b->vit, &b->net.params, &vit);
    HR_TRY(hr_key_parse(&b->config.arch, &arch, argument(argv, argc, "arch", "resnet18")));
    b->config.width = atof(argument(argv, argc, "width", "1"));
    b->config.stem = !strcmp(argument(argv, argc, "stem", "normal"), "small");
    HR_TRY(hr_net_init(&b->net, &b->config, 0));
    *dim = b->net.backbone_dim;
    return HIRL_OK;
}

static hirl_status open_net(bench *b, char **argv, int argc)
{
    int64_t shape[2] = { atoll(argument(argv, argc, "classes", "1000")), 0 };

    HR_TRY(open_backbone(&shape[1], b, argv, argc));
    b->weight =
        hr_layout_add(&b->net.params, "fc.weight", HR_FIRST_UNIFORM, (double)shape[1], 2, shape);
    b->bias =
        hr_layout_add(&b->net.params, "fc.bias", HR_FIRST_UNIFORM, (double)shape[1], 1, shape);
    return b->bias < 0 ? b->bias : HIRL_OK;
}

static hirl_status open_bench(bench *b, char **argv, int argc)
{
    bool bf16 = !strcmp(argument(argv, argc, "precision", "f32"), "bf16");
    int64_t side;

    HR_TRY(open_net(b, argv, argc));
    side = b->config.image_size;
    b->batch = atoll(argument(argv, argc, "batch_size", "32"));
    HR_TRY(hr_context_create(&b->context, "cpu", atoi(argument(argv, argc, "threads", "0"))));
    HR_TRY(hr_context_enter(&b->call, b->context));
    HR_TRY(hr_context_take_queue(&b->queue, b->context));
    HR_TRY(hr_tape_init(&b->tape, b->queue, bf16 ? HR_BF16 : HR_REAL));
    HR_TRY(hr_weights_create(&b->weights, b->queue, &b->net.params, b->net.params.count,
                             &b->net.norms, b->net.norms.count, true, bf16));
    HR_TRY(hr_weights_draw(&b->weights, 1));
    b->moment = b->weights.value;
    b->moment.data = b->queue->be->take(b->queue, hr_bytes(&b->moment));
    b->images = hr_alloc_array((size_t)(b->batch * side * side * 3), sizeof *b->images);
    b->labels = hr_alloc_array((size_t)b->batch, sizeof *b->labels);
    if (!b->moment.data || !b->images || !b->labels)
        return HIRL_E_NOMEM;
    b->queue->be->fill(b->queue, &b->moment, 0);
    for (int64_t i = 0; i < b->batch * side * side * 3; i++)
        b->images[i] = (float)(i * 7919 % 1000) / 500 - 1;
    for (int64_t i = 0; i < b->batch; i++)
        b->labels[i] = (int32_t)(i % 100);
    return HIRL_OK;
}

static hirl_status step(bench *b)
{
    hr_pass run = {
        .tape = &b->tape, .weights = &b->weights, .groups = 1, .running_groups = 1, .commit = true
    };
    int64_t side = b->config.image_size, shape[4] = { b->batch, side, side, 3 };
    hr_scalars scalars = { .rate = { 0.01 }, .decay = { 1e-4 }, .momentum = { 0.9 } };
    hr_queue *q = b->queue;
    hr_array image, label;
    hr_tensor *x, *loss;

    hr_tape_reset(&b->tape);
    b->tape.training = b->tape.recording = true;
    q->be->scalars(q, &scalars);
    q->be->fill(q, &b->weights.grad, 0);
    image = hr_tape_array(&b->tape, b->tape.type, 4, shape);
    label = hr_tape_array(&b->tape, HR_I32, 1, shape);
    q->be->upload(q, &image, b->images, HR_F32);
    q->be->upload(q, &label, b->labels, HR_I32);
    x = hr_leaf(&b->tape, &image, NULL);
    if (b->is_vit)
        x = hr_vit_class(&run, hr_vit_run(&b->vit, &run, x, NULL, -1), b->batch);
    else
        x = hr_net_encode(&b->net, &run, x, NULL).pooled;
    x = hr_linear(&b->tape, x, hr_weight(&b->tape, &b->weights, b->weight),
                  hr_weight(&b->tape, &b->weights, b->bias));
    loss = hr_cross_entropy(&b->tape, x, &label);
    HR_TRY(hr_tape_backward(&b->tape, loss));
    q->be->sgd(q, &b->weights.value, &b->moment, &b->weights.grad, 0);
    hr_tape_commit(&b->tape);
    hr_weights_refresh(&b->weights);
    return q->be->sync(q);
}

int main(int argc, char **argv)
{
    static bench b;
    char line[64];

    if (open_bench(&b, argv, argc) < 0 || step(&b) < 0) {
        fprintf(stderr, "%s\n", hr_error_text());
        return 1;
    }
    while (fgets(line, sizeof line, stdin)) {
        double start = now();

        if (step(&b) < 0) {
            fprintf(stderr, "%s\n", hr_error_text());
            return 1;
        }
        printf("{\"seconds\": %.6f}\n", now() - start);
        fflush(stdout);
    }
    return 0;
}
