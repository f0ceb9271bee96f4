/* models.c - scenarios with models: in memory, on disk, embedding images. */
#include "oom/world.h"
#include "support/images.h"

static hirl_status model_made(world *w)
{
    hirl_model *model = NULL;
    hirl_status status = hirl_model_create(&model, w->small.context, w->small.options);

    hirl_model_destroy(model);
    return status;
}

static hirl_status model_saved_and_loaded(world *w)
{
    const char *path = hr_world_path(w, "model.safetensors");
    hirl_model *model = NULL;
    hirl_status status = hirl_model_save(w->small.model, path);

    if (status >= 0)
        status = hirl_model_load(&model, w->small.context, path, w->small.options);
    hirl_model_destroy(model);
    return status;
}

static hirl_status model_kept_in_memory(world *w)
{
    hirl_model *model = NULL;
    void *data = NULL;
    size_t bytes = 0;
    hirl_status status = hirl_model_to_memory(&data, &bytes, w->small.model);

    if (status >= 0)
        status = hirl_model_from_memory(&model, w->small.context, data, bytes, NULL);
    hirl_free(data);
    hirl_model_destroy(model);
    return status;
}

static hirl_status weights_copied(world *w)
{
    hirl_weight_info info = { .struct_size = sizeof info };
    static float data[1 << 16];
    hirl_status status = hirl_model_describe_weight(&info, w->small.model, 0);

    ck_assert_int_le(info.count, 1 << 16);
    if (status >= 0)
        status = hirl_model_weight(data, w->small.model, info.name, info.count);
    if (status >= 0)
        status = hirl_model_set_weight(w->small.model, info.name, data, info.count);
    return status;
}

static hirl_status images_embedded(world *w)
{
    const uint8_t *image[3] = { small_pixels[0][0][0], small_pixels[1][0][0],
                                small_pixels[2][0][0] };
    const int64_t height[3] = { 16, 8, 32 }, width[3] = { 16, 20, 24 };
    float features[3 * 32], input[16 * 16 * 3] = { 0 };
    hirl_status status;

    status = hirl_model_embed(features, w->small.model, NULL,
                              hr_test_images((hirl_image[3]){ 0 }, image, height, width, 3), 3);
    if (status >= 0)
        status = hirl_model_embed_input(features, w->small.model, "z1", input, 1);
    return status;
}

static hirl_status dataset_embedded(world *w)
{
    float features[SMALL_IMAGES * 32];
    uint8_t readable[SMALL_IMAGES];

    return hirl_model_embed_dataset(features, readable, w->small.model, "z0", w->small.dataset,
                                    w->small.options);
}

static void with_model_and_loader(world *w)
{
    hr_world_with_model(w);
    small_world_set(&w->small, "loader_threads", "2");
}

static const scenario scenario_of[] = {
    { "a model is created", hr_world_nothing, model_made, NULL },
    { "a model is saved and loaded", hr_world_with_model, model_saved_and_loaded, NULL },
    { "a model is kept in memory", hr_world_with_model, model_kept_in_memory, NULL },
    { "weights are copied", hr_world_with_model, weights_copied, NULL },
    { "images are embedded", hr_world_with_model, images_embedded, NULL },
    { "a data set is embedded", hr_world_with_model, dataset_embedded, NULL },
    { "a data set is embedded by loader threads", with_model_and_loader, dataset_embedded, NULL },
};
const scenario_list hr_models_scenarios = { scenario_of, sizeof scenario_of / sizeof *scenario_of };
