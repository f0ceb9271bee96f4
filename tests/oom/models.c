/* models.c - models in memory and on disk, and what they embed, while memory is short. */
#include "oom/world.h"

static hirl_status model_made(world *w)
{
    hirl_model *model = NULL;
    hirl_status status = hirl_model_create(&model, w->context, w->options);

    hirl_model_destroy(model);
    return status;
}

static hirl_status model_saved_and_loaded(world *w)
{
    const char *path = hr_world_path(w, "model.safetensors");
    hirl_model *model = NULL;
    hirl_status status = hirl_model_save(w->model, path);

    if (status >= 0)
        status = hirl_model_load(&model, w->context, path, w->options);
    hirl_model_destroy(model);
    return status;
}

static hirl_status images_embedded(world *w)
{
    const uint8_t *image[3] = { w->pixels[0][0][0], w->pixels[1][0][0], w->pixels[2][0][0] };
    const int64_t height[3] = { 16, 8, 32 }, width[3] = { 16, 20, 24 };
    float features[3 * 32], input[16 * 16 * 3] = { 0 };
    hirl_status status;

    status = hirl_model_embed(features, w->model, NULL, image, height, width, 3);
    if (status >= 0)
        status = hirl_model_embed_input(features, w->model, "z1", input, 1);
    return status;
}

static hirl_status dataset_embedded(world *w)
{
    float features[HR_WORLD_IMAGES * 32];
    uint8_t readable[HR_WORLD_IMAGES];

    return hirl_model_embed_dataset(features, readable, w->model, "z0", w->dataset, w->options);
}

static void with_model_and_loader(world *w)
{
    hr_world_with_model(w);
    hr_world_set(w, "loader_threads", "2");
}

static const scenario scenario_of[] = {
    { "a model is made", hr_world_nothing, model_made, NULL },
    { "a model is saved and loaded", hr_world_with_model, model_saved_and_loaded, NULL },
    { "images are embedded", hr_world_with_model, images_embedded, NULL },
    { "a data set is embedded", hr_world_with_model, dataset_embedded, NULL },
    { "a data set is embedded by loader threads", with_model_and_loader, dataset_embedded, NULL },
};
const scenario_list hr_models_scenarios = { scenario_of, sizeof scenario_of / sizeof *scenario_of };
