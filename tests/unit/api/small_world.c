/* small_world.c - one object of every kind on 32 synthetic images of 16 x
 * 16 pixels, and the long calls on them. */
#include "small_world.h"

#include <stdbool.h>
#include <string.h>

#include "support/close.h"
#include "support/images.h"

uint8_t small_pixels[SMALL_IMAGES][SMALL_SIDE][SMALL_SIDE][3];
float small_rows[SMALL_ROWS * SMALL_D];
int32_t small_label[SMALL_ROWS];

void small_world_set(small_world *w, const char *key, const char *value)
{
    hr_assert_ok(hirl_options_set(w->options, key, value));
}

/* fills images, rows and labels once: threads of another world may be reading them later */
static void fill_data(void)
{
    static bool filled;

    if (filled)
        return;
    filled = true;
    for (int i = 0; i < (int)sizeof small_pixels; i++)
        (&small_pixels[0][0][0][0])[i] = (uint8_t)(i * 31 + i / 777 * 13);
    for (int i = 0; i < SMALL_ROWS * SMALL_D; i++)
        small_rows[i] = (float)((i * 37 + i * i * 11) % 61) / 8 - 3;
    for (int i = 0; i < SMALL_ROWS; i++)
        small_label[i] = i % 4;
}

void small_world_begin(small_world *w)
{
    static const char *const small[][2] = {
        { "arch", "resnet18" }, { "width", "0.0625" },     { "stem", "small" },
        { "image_size", "16" }, { "batch_size", "8" },     { "prototypes", "6,3" },
        { "negatives", "3" },   { "queue", "16" },         { "lr", "0.03" },
        { "z_dim", "8" },       { "kmeans_redo", "2" },    { "kmeans_iterations", "2" },
        { "seed", "7" },        { "loader_threads", "1" }, { "cluster_warmup_epoch", "1" },
        { "epochs", "2" },      { "backend", "cpu" },      { "threads", "2" },
        { "levels", "2" },      { "eval_batch", "8" },     { "knn_k", "3" },
    };

    memset(w, 0, sizeof *w);
    fill_data();
    hr_assert_ok(hirl_options_create(&w->options));
    for (size_t i = 0; i < sizeof small / sizeof *small; i++)
        small_world_set(w, small[i][0], small[i][1]);
    hr_assert_ok(hirl_context_create(&w->context, w->options));
}

void small_world_make_model(small_world *w)
{
    hr_assert_ok(hirl_dataset_from_memory(&w->dataset, w->context, &small_pixels[0][0][0][0],
                                          SMALL_IMAGES, SMALL_SIDE, SMALL_SIDE, 3, NULL, 0,
                                          w->options));
    hr_assert_ok(hirl_model_create(&w->model, w->context, w->options));
}

void small_world_open(small_world *w)
{
    small_world_begin(w);
    small_world_make_model(w);
    hr_assert_ok(hirl_cluster(&w->tree, w->context, small_rows, SMALL_ROWS, SMALL_D, NULL, NULL,
                              w->options));
    hr_assert_ok(hirl_trainer_create(&w->trainer, w->context, NULL, w->dataset, w->options));
}

void small_world_close(small_world *w)
{
    hirl_trainer_destroy(w->trainer);
    hirl_tree_destroy(w->tree);
    hirl_model_destroy(w->model);
    hirl_dataset_destroy(w->dataset);
    hirl_context_destroy(w->context);
    hirl_options_destroy(w->options);
}

/* ---- long calls ---- */

static hirl_status train(small_result *r, small_world *w)
{
    hirl_step_report report = { .struct_size = sizeof report };
    hirl_status status = hirl_train_run(&report, w->trainer);

    r->value[0] = (float)report.loss;
    return status;
}

static hirl_status evaluate(small_result *r, small_world *w)
{
    hirl_trainer_score score = { .struct_size = sizeof score };
    hirl_status status = hirl_trainer_evaluate(&score, w->trainer, w->dataset);

    r->value[0] = (float)score.loss;
    return status;
}

hirl_status small_cluster(small_result *r, small_world *w)
{
    hirl_tree *tree = NULL;
    hirl_status status =
        hirl_cluster(&tree, w->context, small_rows, SMALL_ROWS, SMALL_D, NULL, NULL, w->options);

    if (status >= 0)
        memcpy(r->value, hirl_tree_leaves(tree), SMALL_ROWS * sizeof(int32_t));
    hirl_tree_destroy(tree);
    return status;
}

hirl_status small_embed(small_result *r, small_world *w)
{
    const uint8_t *image[SMALL_IMAGES];
    int64_t side[SMALL_IMAGES];

    for (int i = 0; i < SMALL_IMAGES; i++) {
        image[i] = small_pixels[i][0][0];
        side[i] = SMALL_SIDE;
    }
    return hirl_model_embed(
        r->value, w->model, NULL,
        hr_test_images((hirl_image[SMALL_IMAGES]){ 0 }, image, side, side, SMALL_IMAGES),
        SMALL_IMAGES);
}

hirl_status small_embed_dataset(small_result *r, small_world *w)
{
    return hirl_model_embed_dataset(r->value, NULL, w->model, NULL, w->dataset, w->options);
}

static hirl_status find_neighbours(small_result *r, small_world *w)
{
    hirl_knn_score report = { .struct_size = sizeof report };
    hirl_status status = hirl_knn_evaluate(&report, w->context, small_rows, small_label, SMALL_ROWS,
                                           NULL, NULL, 0, SMALL_D, w->options);

    r->value[0] = (float)report.best_top1;
    return status;
}

static hirl_status create_with_own_colours(small_result *r, small_world *w)
{
    hirl_trainer *trainer = NULL;
    hirl_status status;

    (void)r;
    small_world_set(w, "mean", "auto");
    small_world_set(w, "std", "auto");
    status = hirl_trainer_create(&trainer, w->context, NULL, w->dataset, w->options);
    hirl_trainer_destroy(trainer);
    return status;
}

static hirl_status make_path_loss(small_result *r, small_world *w)
{
    hirl_status status;
    double loss = 0;

    status = hirl_spd_loss(&loss, NULL, w->context, w->tree, small_rows, 8, small_label, NULL, 3, 1,
                           w->options);
    r->value[0] = (float)loss;
    return status;
}

static hirl_status save_model(small_result *r, small_world *w)
{
    (void)r;
    return hirl_model_save(w->model, "/tmp/hirl-never-written");
}

static hirl_status open_generated(small_result *r, small_world *w)
{
    hirl_dataset *dataset = NULL;
    hirl_status status = hirl_dataset_open(&dataset, w->context, "generated", w->options);

    (void)r;
    hirl_dataset_destroy(dataset);
    return status;
}

const small_call small_calls[SMALL_CALLS] = {
    { "train", train },
    { "extract", train },
    { "cluster", train },
    { "evaluate", evaluate },
    { "cluster", small_cluster },
    { "embed", small_embed },
    { "embed", small_embed_dataset },
    { "knn", find_neighbours },
    { "colours", create_with_own_colours },
    { NULL, make_path_loss },
    { NULL, save_model },
    { NULL, open_generated },
};
