/* own_images.c - trains on images that the application holds, and embeds one of them.
 *
 * The pixels are floats in planes, [image][channel][row][column], as many programs keep them: the
 * distances of hirl_image describe this without a copy. The application names images and classes,
 * and keeps the trained model in a block of its own memory.
 *
 *     cc own_images.c -o own_images $(pkg-config --cflags --libs hirl)
 */
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <hirl/hirl.h>

enum { N = 128, SIDE = 32, CLASSES = 4 };

static float planes[N][3][SIDE][SIDE];

/* stripes: the class is their width and direction */
static void draw(int32_t label[N])
{
    for (int i = 0; i < N; i++) {
        int k = i % CLASSES, width = 2 + 3 * (k % 2);

        label[i] = k;
        for (int y = 0; y < SIDE; y++)
            for (int x = 0; x < SIDE; x++)
                for (int c = 0; c < 3; c++)
                    planes[i][c][y][x] =
                        ((k < 2 ? x : y) + i) / width % 2 ? 0.9f : 0.1f + 0.01f * (float)(i % 9);
    }
}

static void describe(hirl_image image[N])
{
    memset(image, 0, N * sizeof *image); /* a field of 0 has its default */
    for (int i = 0; i < N; i++) {
        image[i].struct_size = sizeof *image;
        image[i].pixels = planes[i];
        image[i].type = HIRL_PIXELS_F32;
        image[i].height = image[i].width = SIDE;
        image[i].channels = 3;
        image[i].row_bytes = SIDE * sizeof(float);
        image[i].pixel_bytes = sizeof(float);
        image[i].channel_bytes = SIDE * SIDE * sizeof(float);
    }
}

/* names of classes, and above them a level of two: vertical and horizontal */
static hirl_status name(hirl_dataset *images)
{
    static const char *const fine[] = { "thin |", "wide |", "thin -", "wide -" };
    static const char *const coarse[] = { "vertical", "horizontal" };
    static const int32_t parent[] = { 0, 0, 1, 1 };
    hirl_status status = hirl_dataset_set_classes(images, 0, CLASSES, fine, parent);

    return status < 0 ? status : hirl_dataset_set_classes(images, 1, 2, coarse, NULL);
}

static hirl_status train(void **model, size_t *bytes, hirl_context *context, hirl_dataset *images,
                         const hirl_options *options)
{
    hirl_trainer *trainer = NULL;
    hirl_model *trained = NULL;
    hirl_status status = hirl_trainer_create(&trainer, context, NULL, images, options);

    if (status >= 0)
        status = hirl_trainer_set_report(trainer, hirl_report_print, stdout, NULL);
    if (status >= 0)
        status = hirl_train_run(NULL, trainer);
    if (status >= 0)
        status = hirl_trainer_model(&trained, trainer, "auto");
    if (status >= 0)
        status = hirl_model_to_memory(model, bytes, trained);
    hirl_model_destroy(trained);
    hirl_trainer_destroy(trainer);
    return status;
}

static hirl_status embed(hirl_context *context, const void *data, size_t bytes,
                         const hirl_image *image)
{
    hirl_model *model = NULL;
    hirl_status status = hirl_model_from_memory(&model, context, data, bytes, NULL);
    float row[1024];

    if (status >= 0 && hirl_model_dim(model, "backbone") <= 1024)
        status = hirl_model_embed(row, model, "backbone", image, 1);
    if (status >= 0)
        printf("a model of %lu bytes; the first features are %.3f %.3f %.3f\n",
               (unsigned long)bytes, row[0], row[1], row[2]);
    hirl_model_destroy(model);
    return status;
}

int main(void)
{
    static const char *const key[][2] = { { "epochs", "2" },      { "batch_size", "32" },
                                          { "queue", "64" },      { "width", "0.125" },
                                          { "image_size", "32" }, { "hirl", "0" } };
    static hirl_image image[N];
    static int32_t label[N];
    hirl_options *options = NULL;
    hirl_context *context = NULL;
    hirl_dataset *images = NULL;
    hirl_dataset_info info = { .struct_size = sizeof info };
    void *model = NULL;
    size_t bytes = 0;
    hirl_status status = hirl_options_create(&options);

    draw(label);
    describe(image);
    if (status >= 0)
        status = hirl_options_preset(options, "hirl-mocov2-small");
    for (size_t i = 0; i < sizeof key / sizeof *key && status >= 0; i++)
        status = hirl_options_set(options, key[i][0], key[i][1]);
    if (status >= 0)
        status = hirl_context_create(&context, options);
    if (status >= 0)
        status = hirl_dataset_from_images(&images, context, image, N, label, options);
    if (status >= 0)
        status = name(images);
    if (status >= 0)
        status = hirl_dataset_describe(&info, images);
    if (status >= 0)
        printf("%s\n", info.summary);
    if (status >= 0)
        status = train(&model, &bytes, context, images, options);
    if (status >= 0)
        status = embed(context, model, bytes, image);
    if (status < 0)
        fprintf(stderr, "%s: %s\n", hirl_status_name(status), hirl_error_message());

    hirl_free(model);
    hirl_dataset_destroy(images);
    hirl_context_destroy(context);
    hirl_options_destroy(options);
    return status < 0;
}
