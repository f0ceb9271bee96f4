/* world.c - what scenarios stand on: a folder, options, context, and rows and pixels that are always the same. */
#include "oom/world.h"

const char *hr_world_path(const world *w, const char *name)
{
    static char path[4][HR_TEST_PATH];
    static int at;

    at = (at + 1) % 4;
    return hr_test_path(path[at], w->folder, name);
}

void hr_world_set(world *w, const char *key, const char *value)
{
    hr_assert_ok(hirl_options_set(w->options, key, value));
}

void hr_world_write(const world *w, const char *name, const void *data, size_t bytes)
{
    hr_test_write(hr_world_path(w, name), data, bytes);
}

void hr_world_open(world *w, const scenario *s)
{
    static const char *const small[][2] = {
        { "arch", "resnet18" },
        { "width", "0.0625" },
        { "stem", "small" },
        { "image_size", "16" },
        { "batch_size", "8" },
        { "prototypes", "6,3" },
        { "negatives", "3" },
        { "queue", "16" },
        { "lr", "0.03" },
        { "z_dim", "8" },
        { "kmeans_redo", "2" },
        { "kmeans_iterations", "2" },
        { "seed", "7" },
        { "loader_threads", "0" },
        { "cluster_warmup_epoch", "1" },
        { "epochs", "2" },
        { "backend", "cpu" },
        { "threads", "2" },
        { "knn_k", "3,5" },
        { "levels", "2" },
        { "generated_images", "20" },
        { "generated_size", "16" },
    };

    memset(w, 0, sizeof *w);
    snprintf(w->folder, sizeof w->folder, "%.400s/hirl-oom-%ld", hr_test_base(), (long)getpid());
    hr_test_remove(w->folder); /* a test that failed left it */
    ck_assert_int_eq(mkdir(w->folder, 0777), 0);
    w->scenario = s;
    hr_assert_ok(hirl_options_create(&w->options));
    for (size_t i = 0; i < sizeof small / sizeof *small; i++)
        hr_world_set(w, small[i][0], small[i][1]);
    hr_assert_ok(hirl_context_create(&w->context, w->options));
    for (int i = 0; i < HR_WORLD_ROWS * HR_WORLD_COLUMNS; i++)
        w->rows[i] = (float)((i * 37 + i * i * 11) % 61) / 8 - 3;
    for (int i = 0; i < HR_WORLD_ROWS; i++)
        w->label[i] = i % 4;
    for (int i = 0; i < (int)sizeof w->pixels; i++)
        (&w->pixels[0][0][0][0])[i] = (uint8_t)(i * 31 + i / 777 * 13);
    s->prepare(w);
}

void hr_world_close(world *w)
{
    hirl_trainer_destroy(w->trainer);
    hirl_model_destroy(w->model);
    hirl_tree_destroy(w->tree);
    hirl_dataset_destroy(w->dataset);
    hirl_options_destroy(w->options);
    hirl_context_destroy(w->context);
    hr_test_remove(w->folder);
}

void hr_world_nothing(world *w)
{
    (void)w;
}

void hr_world_with_model(world *w)
{
    hr_assert_ok(hirl_model_create(&w->model, w->context, w->options));
    hr_assert_ok(hirl_dataset_from_memory(&w->dataset, w->context, &w->pixels[0][0][0][0],
                                          HR_WORLD_IMAGES, HR_WORLD_SIDE, HR_WORLD_SIDE, 3, NULL, 0,
                                          w->options));
}
