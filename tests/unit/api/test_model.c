/* test_model.c - a model's stored preprocessing, its file, its plan. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <hirl/hirl.h>

#include "base/safetensors.h"
#include "context.h"
#include "data/augment.h"
#include "nn/model.h"
#include "support/close.h"
#include "support/folder.h"
#include "support/images.h"
#include "support/run.h"

enum { IMAGES = 3, SIZE = 96, DIM = 32, LARGEST = 150 * 200 * 3, BICUBIC = 2 };

static const int64_t heights[IMAGES] = { 150, 40, 1 }, widths[IMAGES] = { 120, 200, 1 };
static const float mean[3] = { 0.1f, 0.5f, 0.7f }, std[3] = { 0.3f, 0.2f, 0.1f };
static uint8_t pixels[IMAGES][LARGEST];
static const uint8_t *const image[IMAGES] = { pixels[0], pixels[1], pixels[2] };

static hirl_context *context;

static hirl_model *open_model(void)
{
    static const char *const pair[][2] = {
        { "arch", "resnet18" }, { "width", "0.0625" },     { "stem", "small" },
        { "image_size", "96" }, { "mean", "0.1,0.5,0.7" }, { "std", "0.3,0.2,0.1" },
        { "z_dim", "8" },       { "levels", "2" },
    };
    hirl_options *options;
    hirl_model *model;

    for (int n = 0; n < IMAGES; n++)
        for (uint32_t i = 0; i < LARGEST; i++)
            pixels[n][i] = (uint8_t)((i + (uint32_t)n) * 2654435761u >> 21);
    hr_assert_ok(hirl_options_create(&options));
    for (size_t i = 0; i < sizeof pair / sizeof *pair; i++)
        hr_assert_ok(hirl_options_set(options, pair[i][0], pair[i][1]));
    hr_assert_ok(hr_context_create(&context, "cpu", 2));
    hr_assert_ok(hirl_model_create(&model, context, options));
    hirl_options_destroy(options);
    return model;
}

/* applies the evaluation transform to the images;
 * test_augment_views.c compares the transform with Pillow */
static void transform(float *input)
{
    hr_queue *queue;
    hr_view view;

    hr_assert_ok(hr_context_take_cpu_queue(&queue, context));
    hr_view_evaluation(&view, SIZE, BICUBIC, mean, std);
    for (int i = 0; i < IMAGES; i++) {
        hr_array y = hr_array_4(input + i * SIZE * SIZE * 3, HR_F32, 1, SIZE, SIZE, 3);
        hr_array x = { pixels[i], HR_U8, 3, { heights[i], widths[i], 3, 1 } };
        hr_augment_record record;

        hr_augment_draw(&record, &view, widths[i], heights[i], 0, 0, i, 0);
        queue->be->augment(queue, &y, &x, &record);
    }
    hr_assert_ok(queue->be->sync(queue));
    hr_context_give_queue(queue);
}

static void assert_embeds(const hirl_model *model, const char *layer, const float *input)
{
    float want[IMAGES * DIM], got[IMAGES * DIM];
    size_t bytes = (size_t)(IMAGES * hirl_model_dim(model, layer)) * sizeof *got;

    ck_assert_uint_le(bytes, sizeof got);
    hr_assert_ok(hirl_model_embed_input(want, model, layer, input, IMAGES));
    hr_assert_ok(hirl_model_embed(
        got, model, layer,
        hr_test_images((hirl_image[IMAGES]){ 0 }, image, heights, widths, IMAGES), IMAGES));
    ck_assert(!memcmp(got, want, bytes));
    for (int i = 1; i < IMAGES; i++) /* different images have different features */
        ck_assert(memcmp(got, (char *)got + i * (bytes / IMAGES), bytes / IMAGES) != 0);
}

START_TEST(a_model_embeds_with_its_stored_preprocessing)
{
    static float input[IMAGES * SIZE * SIZE * 3];
    hirl_model *model = open_model(), *again;
    float before[IMAGES * DIM], after[IMAGES * DIM];
    char path[HR_TEST_PATH];

    transform(input);
    assert_embeds(model, "backbone", input);
    assert_embeds(model, "z0", input);
    assert_embeds(model, "z2", input);
    hr_assert_ok(hirl_model_embed(
        before, model, NULL,
        hr_test_images((hirl_image[IMAGES]){ 0 }, image, heights, widths, IMAGES), IMAGES));
    hr_test_file(path);
    hr_assert_ok(hirl_model_save(model, path));
    hirl_model_destroy(model);
    hr_assert_ok(hirl_model_load(&again, context, path, NULL));
    assert_embeds(again, "backbone", input);
    hr_assert_ok(hirl_model_embed(
        after, again, NULL,
        hr_test_images((hirl_image[IMAGES]){ 0 }, image, heights, widths, IMAGES), IMAGES));
    ck_assert(!memcmp(before, after, sizeof before));
    hirl_model_destroy(again);
    unlink(path);
    hr_context_drop(context);
}
END_TEST

/* PyTorch's strict load_state_dict needs num_batches_tracked for each batch norm. */
START_TEST(a_model_file_has_num_batches_tracked_for_every_norm)
{
    static const char suffix[] = "running_var";
    hirl_model *model = open_model();
    char path[HR_TEST_PATH];
    hr_tensors list;
    int norms = 0;

    hr_test_file(path);
    hr_assert_ok(hirl_model_save(model, path));
    hr_assert_ok(hr_tensors_load(&list, path));
    for (int i = 0; i < list.count; i++) {
        const char *name = list.item[i].name;
        size_t stem = strlen(name) - (sizeof suffix - 1);
        const hr_named *tracked;
        char full[HR_TENSORS_NAME + 32];

        if (strlen(name) < sizeof suffix || strcmp(name + stem, suffix))
            continue;
        norms++;
        snprintf(full, sizeof full, "%.*snum_batches_tracked", (int)stem, name);
        hr_assert_ok(hr_tensors_need(&tracked, &list, full, HR_I64, 0, NULL));
        ck_assert_int_eq(*(const int64_t *)tracked->data, 0);
    }
    ck_assert_int_ge(norms, 20); /* ResNet-18 alone has 20 */
    ck_assert_ptr_nonnull(hr_tensors_find(&list, "layer1.0.bn1.num_batches_tracked"));
    hr_tensors_done(&list);
    unlink(path);
    hirl_model_destroy(model);
    hr_context_drop(context);
}
END_TEST

/* The file has names but no tensors; the library must not allocate what the file merely claims. */
START_TEST(a_small_file_that_claims_a_large_network_is_refused)
{
    static const char *const claim[][2] = {
        { "format", "hirl-model" },
        { "network", "online" },
        { "model.arch", "resnet18" },
        { "model.width", "0.0625" },
        { "model.head", "mlp 1048576 1048576" }, /* 4 TiB of weights */
    };
    hirl_model *model = NULL;
    char path[HR_TEST_PATH];
    hr_tensors list;

    hr_tensors_init(&list);
    for (size_t i = 0; i < sizeof claim / sizeof *claim; i++)
        hr_assert_ok(hr_tensors_set_text(&list, claim[i][0], claim[i][1]));
    hr_test_file(path);
    hr_assert_ok(hr_tensors_save(&list, path));
    hr_tensors_done(&list);
    hr_assert_ok(hr_context_create(&context, "cpu", 1));
    hr_assert_fails(hirl_model_load(&model, context, path, NULL), HIRL_E_FORMAT, "conv1.weight");
    ck_assert_ptr_null(model);
    hr_context_drop(context);
    unlink(path);
}
END_TEST

START_TEST(a_mean_has_three_numbers)
{
    static const char *const wrong[] = { "0.5,0.5,0.5,0.7", "0.5,0.5", "0.5,,0.5,0.5",
                                         "0.5,0.5,0.5," };
    hirl_options *options;
    hirl_model *model;

    hr_assert_ok(hirl_options_create(&options));
    hr_assert_ok(hr_context_create(&context, "cpu", 1));
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        hr_assert_ok(hirl_options_set(options, "mean", wrong[i]));
        hr_assert_fails(hirl_model_create(&model, context, options), HIRL_E_INVALID, "mean");
    }
    hr_context_drop(context);
    hirl_options_destroy(options);
}
END_TEST

static void assert_plan_matches_model(const char *preset)
{
    hirl_model_info plan = { .struct_size = sizeof plan }, got = { .struct_size = sizeof got };
    hirl_options *options;
    hirl_model *model;

    hr_assert_ok(hirl_options_create(&options));
    hr_assert_ok(hirl_options_preset(options, preset));
    hr_assert_ok(hirl_options_set(options, "levels", "3"));
    hr_assert_ok(hirl_model_plan(&plan, options));
    hr_assert_ok(hirl_model_create(&model, context, options));
    hr_assert_ok(hirl_model_describe(&got, model));
    ck_assert_str_eq(plan.arch, got.arch);
    ck_assert_str_eq(plan.method, got.method);
    ck_assert_str_eq(plan.network, got.network);
    ck_assert_int_eq(plan.levels, 3);
    ck_assert_int_eq(got.levels, 3);
    ck_assert_int_eq(plan.image_size, got.image_size);
    ck_assert_int_eq(plan.backbone_dim, got.backbone_dim);
    ck_assert_int_eq(plan.backbone_dim, hirl_model_dim(model, "backbone"));
    ck_assert_int_eq(plan.z_dim, got.z_dim);
    ck_assert_int_eq(plan.parameters, got.parameters);
    ck_assert_mem_eq(plan.mean, got.mean, sizeof got.mean);
    ck_assert_mem_eq(plan.std, got.std, sizeof got.std);
    ck_assert_str_eq(got.filter, "bicubic");
    ck_assert_int_eq(got.resize, 0);
    hirl_model_destroy(model);
    hirl_options_destroy(options);
}

START_TEST(a_plan_describes_the_model_to_be_created)
{
    hirl_model_info info = { .struct_size = sizeof info };
    hirl_options *options;

    hr_assert_ok(hr_context_create(&context, "cpu", 1));
    assert_plan_matches_model("hirl-mocov2-small");
    assert_plan_matches_model("hirl-swav-small");
    assert_plan_matches_model("hirl-ibot-small");
    hr_context_drop(context);
    hr_assert_ok(hirl_options_create(&options));
    hr_assert_ok(hirl_options_set(options, "image_size", "224"));
    hr_assert_ok(hirl_options_set(options, "mean", "0.5,0.25,0.125"));
    hr_assert_ok(hirl_model_plan(&info, options));
    ck_assert_int_eq(info.resize, 256);
    ck_assert_double_eq(info.mean[2], 0.125);
    hr_assert_ok(hirl_options_set(options, "mean", "0.5"));
    hr_assert_fails(hirl_model_plan(&info, options), HIRL_E_INVALID, "mean");
    hr_assert_ok(hirl_options_set(options, "mean", "auto"));
    hr_assert_fails(hirl_model_plan(&info, options), HIRL_E_INVALID, "mean=auto");
    hr_assert_fails(hirl_model_plan(NULL, options), HIRL_E_INVALID, "info");
    hirl_options_destroy(options);
}
END_TEST

/* ---- weights by name ---- */

/* Each weight has the shape and the numbers of its tensor in the model file. */
START_TEST(weights_are_those_of_the_model_file)
{
    hirl_weight_info info = { .struct_size = sizeof info };
    hirl_model *model = open_model();
    char path[HR_TEST_PATH];
    hr_tensors list;

    hr_test_file(path);
    hr_assert_ok(hirl_model_save(model, path));
    hr_assert_ok(hr_tensors_load(&list, path));
    ck_assert_int_gt(hirl_model_weight_count(model), 20);
    for (int32_t i = 0; i < hirl_model_weight_count(model); i++) {
        const hr_named *tensor;
        float *data;

        hr_assert_ok(hirl_model_describe_weight(&info, model, i));
        tensor = hr_tensors_find(&list, info.name);
        ck_assert_ptr_nonnull(tensor);
        ck_assert_int_eq(tensor->rank, info.rank);
        for (int k = 0; k < HIRL_WEIGHT_RANK; k++)
            ck_assert_int_eq(info.dim[k], k < info.rank ? tensor->dim[k] : 0);
        data = malloc((size_t)info.count * sizeof *data);
        hr_assert_ok(hirl_model_weight(data, model, info.name, info.count));
        ck_assert_uint_eq((size_t)info.count * sizeof *data, tensor->bytes);
        ck_assert_mem_eq(data, tensor->data, tensor->bytes);
        free(data);
    }
    hr_assert_fails(hirl_model_describe_weight(&info, model, hirl_model_weight_count(model)),
                    HIRL_E_INVALID, "outside");
    hr_tensors_done(&list);
    unlink(path);
    hirl_model_destroy(model);
    hr_context_drop(context);
}
END_TEST

START_TEST(a_weight_that_was_set_is_used)
{
    static const char name[] = "conv1.weight";
    hirl_weight_info info = { .struct_size = sizeof info };
    static float input[IMAGES * SIZE * SIZE * 3], before[IMAGES * DIM], after[IMAGES * DIM];
    hirl_model *model = open_model();
    float *data = NULL, kept;

    for (int i = 0; i < IMAGES * SIZE * SIZE * 3; i++)
        input[i] = (float)(i % 7) - 3;
    for (int32_t i = 0; i < hirl_model_weight_count(model); i++) {
        hr_assert_ok(hirl_model_describe_weight(&info, model, i));
        if (!strcmp(info.name, name))
            break;
    }
    ck_assert_str_eq(info.name, name);
    data = malloc((size_t)info.count * sizeof *data);
    hr_assert_ok(hirl_model_weight(data, model, name, info.count));
    hr_assert_ok(hirl_model_embed_input(before, model, NULL, input, IMAGES));
    kept = data[5];
    data[5] += 1;
    hr_assert_ok(hirl_model_set_weight(model, name, data, info.count));
    hr_assert_ok(hirl_model_embed_input(after, model, NULL, input, IMAGES));
    ck_assert(memcmp(before, after, sizeof before) != 0);
    data[5] = NAN;
    hr_assert_fails(hirl_model_set_weight(model, name, data, info.count), HIRL_E_NONFINITE,
                    "number 5");
    hr_assert_fails(hirl_model_set_weight(model, name, data, info.count - 1), HIRL_E_INVALID,
                    "numbers, not");
    hr_assert_fails(hirl_model_set_weight(model, "conv", data, 1), HIRL_E_INVALID, "no weight");
    data[5] = kept;
    hr_assert_ok(hirl_model_set_weight(model, name, data, info.count));
    hr_assert_ok(hirl_model_embed_input(after, model, NULL, input, IMAGES));
    ck_assert_mem_eq(before, after, sizeof before);
    free(data);
    hirl_model_destroy(model);
    hr_context_drop(context);
}
END_TEST

HR_TESTS("model", a_model_embeds_with_its_stored_preprocessing,
         a_model_file_has_num_batches_tracked_for_every_norm,
         a_small_file_that_claims_a_large_network_is_refused, a_mean_has_three_numbers,
         a_plan_describes_the_model_to_be_created, weights_are_those_of_the_model_file,
         a_weight_that_was_set_is_used)
