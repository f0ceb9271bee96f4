/* own_world.c - a small run of method=own on noise images. */
#include "own_world.h"

#include "support/close.h"

static uint8_t pixels[OWN_IMAGES][OWN_SIDE][OWN_SIDE][3];

void own_world_set(own_world *w, const char *key, const char *value)
{
    hr_assert_ok(hirl_options_set(w->options, key, value));
}

void own_world_open(own_world *w, int threads)
{
    static const char *const small[][2] = {
        { "method", "own" },     { "head", "mlp 12 z bn" },
        { "z_dim", "8" },        { "arch", "resnet18" },
        { "width", "0.0625" },   { "stem", "small" },
        { "image_size", "16" },  { "batch_size", "16" },
        { "epochs", "3" },       { "lr", "0.02" },
        { "hirl", "1" },         { "cluster_warmup_epoch", "1" },
        { "prototypes", "6,3" }, { "negatives", "3" },
        { "kmeans_redo", "1" },  { "kmeans_iterations", "3" },
        { "seed", "7" },         { "loader_threads", "1" },
        { "backend", "cpu" },
    };
    uint32_t state = 9;

    memset(w, 0, sizeof *w);
    for (size_t i = 0; i < sizeof pixels; i++) {
        state = state * 1664525u + 1013904223u;
        (&pixels[0][0][0][0])[i] = (uint8_t)((state >> 24) / 4 + 150 * (i / 97 % 2));
    }
    hr_assert_ok(hirl_options_create(&w->options));
    for (size_t i = 0; i < sizeof small / sizeof *small; i++)
        own_world_set(w, small[i][0], small[i][1]);
    hr_assert_ok(hirl_options_set_int(w->options, "threads", threads));
    hr_assert_ok(hirl_context_create(&w->context, w->options));
    hr_assert_ok(hirl_dataset_from_memory(&w->images, w->context, &pixels[0][0][0][0], OWN_IMAGES,
                                          OWN_SIDE, OWN_SIDE, 3, NULL, 0, w->options));
}

void own_world_begin(own_world *w)
{
    hirl_trainer_destroy(w->trainer);
    hr_assert_ok(hirl_trainer_create(&w->trainer, w->context, NULL, w->images, w->options));
}

void own_world_set_method(own_world *w)
{
    hirl_method_calls calls = own_method_calls(&w->method);

    hr_assert_ok(hirl_trainer_set_method(w->trainer, &calls));
}

void own_world_run(own_world *w, int threads)
{
    own_world_open(w, threads);
    own_world_begin(w);
    own_world_set_method(w);
}

void own_world_close(own_world *w)
{
    hirl_trainer_destroy(w->trainer);
    hirl_dataset_destroy(w->images);
    hirl_context_destroy(w->context);
    hirl_options_destroy(w->options);
}

void own_world_steps(own_world *w, int steps)
{
    for (int s = 0; s < steps; s++)
        ck_assert_int_eq(hirl_train_step(NULL, w->trainer), HIRL_OK);
}
