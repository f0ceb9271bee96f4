/* test_batch.c - the features of an image have the same bits in every batch and at every place. */
#include <string.h>

#include <hirl/hirl.h>

#include "base/alloc.h"
#include "context.h"
#include "nn/model.h"
#include "support/close.h"
#include "support/fill.h"
#include "support/run.h"

enum { IMAGES = 67, ROTATED = 29 };

typedef struct network {
    const char *arch, *width, *stem, *size, *head;
} network;

static const network networks[] = {
    { "resnet18", "0.25", "small", "32", "mlp 64 z" },
    { "resnet18", "0.0625", "small", "15", "mlp 33 bn z bn" },
    { "resnet50", "0.0625", "normal", "32", "mlp 12 z" },
    { "vit_micro_patch4_32", "1", "normal", "32", "mlp 160 z" },
    { "vit_micro_patch4_32", "1", "normal", "12", "mlp 10 bn z" },
};

typedef struct world {
    hirl_context *context;
    hirl_model *model;
    hr_weights low; /* the model's weights, with a bf16 copy */
    hr_queue *q;
    int64_t numbers, dim; /* numbers of an image; width of its features */
    int32_t layer;
    float *image, *want, *got;
} world;

static void open_world(world *w, const network *n)
{
    const char *const pair[][2] = { { "arch", n->arch }, { "width", n->width },
                                    { "stem", n->stem }, { "image_size", n->size },
                                    { "head", n->head }, { "z_dim", "9" },
                                    { "levels", "1" } };
    hirl_options *options;
    int64_t side;

    memset(w, 0, sizeof *w);
    hr_assert_ok(hr_context_create(&w->context, "cpu", 2));
    hr_assert_ok(hirl_options_create(&options));
    for (size_t i = 0; i < sizeof pair / sizeof *pair; i++)
        hr_assert_ok(hirl_options_set(options, pair[i][0], pair[i][1]));
    hr_assert_ok(hirl_model_create(&w->model, w->context, options));
    hirl_options_destroy(options);
    hr_assert_ok(hr_context_take_queue(&w->q, w->context));
    hr_assert_ok(hr_weights_create(&w->low, w->q, w->model->weights.layout, w->model->weights.slots,
                                   w->model->weights.norms, w->model->weights.norm_slots, false,
                                   true));
    hr_weights_copy(&w->low, &w->model->weights);
    side = w->model->config.image_size;
    w->numbers = side * side * 3;
    w->image = hr_alloc_array(2 * IMAGES, (size_t)w->numbers * sizeof *w->image);
    hr_fill_uniform(w->image, IMAGES * w->numbers, 3, -2, 2);
    memcpy(w->image + IMAGES * w->numbers, w->image,
           (size_t)(IMAGES * w->numbers) * sizeof *w->image);
}

static void close_world(world *w)
{
    hr_free(w->image);
    hr_weights_done(&w->low);
    hr_context_give_queue(w->q);
    hirl_model_destroy(w->model);
    hr_context_drop(w->context);
}

/* features of all images, `batch` at a time, from image `first` on in a circle */
static void embed(float *to, world *w, hr_dtype type, int64_t batch, int64_t first)
{
    hr_tape tape;

    hr_assert_ok(hr_tape_init(&tape, w->q, type));
    for (int64_t i = 0; i < IMAGES; i += batch)
        hr_assert_ok(hr_net_embed(
            to + i * w->dim, &w->model->net, type == HR_BF16 ? &w->low : &w->model->weights, &tape,
            w->layer, w->image + (first + i) * w->numbers, IMAGES - i < batch ? IMAGES - i : batch,
            w->model->config.image_size));
    hr_tape_done(&tape);
}

static void compare(world *w, hr_dtype type)
{
    static const int64_t batch[] = { 1, 2, 3, 7, 16, 64 };

    embed(w->want, w, type, IMAGES, 0);
    for (size_t b = 0; b < sizeof batch / sizeof *batch; b++) {
        int64_t turn = b % 2;

        embed(w->got, w, type, batch[b], turn * ROTATED);
        for (int64_t i = 0; i < IMAGES; i++)
            ck_assert_msg(!memcmp(w->got + i * w->dim,
                                  w->want + (i + turn * ROTATED) % IMAGES * w->dim,
                                  (size_t)w->dim * sizeof *w->got),
                          "layer %d, %s, batches of %d: image %d differs", (int)w->layer,
                          type == HR_BF16 ? "bf16" : "f32", (int)batch[b], (int)i);
    }
}

START_TEST(features_do_not_depend_on_the_batch_or_the_place_in_it)
{
    world w;

    for (size_t n = 0; n < sizeof networks / sizeof *networks; n++) {
        open_world(&w, &networks[n]);
        for (w.layer = HR_LAYER_Z0; w.layer <= 0; w.layer++) { /* z0, z1 */
            w.dim = hr_net_layer_dim(&w.model->net, w.layer);
            w.want = hr_alloc_array(2 * IMAGES, (size_t)w.dim * sizeof *w.want);
            w.got = w.want + IMAGES * w.dim;
            compare(&w, HR_REAL);
            compare(&w, HR_BF16);
            hr_free(w.want);
        }
        close_world(&w);
    }
}
END_TEST

HR_TESTS("batch", features_do_not_depend_on_the_batch_or_the_place_in_it)
