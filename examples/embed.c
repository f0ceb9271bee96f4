/* embed.c - loads a model, embeds images, and prints the images nearest to the first one.
 *
 *     cc embed.c -o embed $(pkg-config --cflags --libs hirl) -lm
 *     ./embed model.safetensors my/photos
 */
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <hirl/hirl.h>

enum { NEAREST = 5 };

static float cosine(const float *a, const float *b, int64_t d)
{
    double ab = 0, aa = 0, bb = 0;

    for (int64_t i = 0; i < d; i++) {
        ab += (double)a[i] * b[i];
        aa += (double)a[i] * a[i];
        bb += (double)b[i] * b[i];
    }
    return aa > 0 && bb > 0 ? (float)(ab / sqrt(aa * bb)) : 0;
}

/* Prints the images most similar to image 0, best first. Unreadable images are skipped. */
static void print_nearest(const hirl_dataset *images, const float *row, const uint8_t *readable,
                          int64_t n, int64_t d)
{
    float best[NEAREST] = { 0 };
    int64_t index[NEAREST];
    int found = 0;

    for (int64_t i = 1; i < n; i++) {
        float s = readable[i] ? cosine(row, row + i * d, d) : -2;
        int place = found;

        while (place > 0 && best[place - 1] < s)
            place--;
        if (s < -1 || place == NEAREST)
            continue;
        found += found < NEAREST;
        for (int k = found - 1; k > place; k--) {
            best[k] = best[k - 1];
            index[k] = index[k - 1];
        }
        best[place] = s;
        index[place] = i;
    }
    printf("nearest to %s\n", hirl_dataset_name(images, 0));
    for (int k = 0; k < found; k++)
        printf("  %.4f  %s\n", best[k], hirl_dataset_name(images, index[k]));
}

static hirl_status embed(const hirl_model *model, hirl_dataset *images, const hirl_options *options)
{
    int64_t n = hirl_dataset_count(images), d = hirl_model_dim(model, "backbone");
    float *row = malloc((size_t)n * (size_t)d * sizeof *row);
    uint8_t *readable = malloc((size_t)n);
    hirl_status status = HIRL_E_NOMEM;

    if (row && readable)
        status = hirl_model_embed_dataset(row, readable, model, "backbone", images, options);
    if (status >= 0) {
        printf("%lld rows of %lld columns\n", (long long)n, (long long)d);
        print_nearest(images, row, readable, n, d);
    }
    free(row);
    free(readable);
    return status;
}

int main(int count, char **word)
{
    const char *path = count > 1 ? word[1] : "model.safetensors";
    const char *data = count > 2 ? word[2] : "generated";
    hirl_options *options = NULL;
    hirl_context *context = NULL;
    hirl_dataset *images = NULL;
    hirl_model *model = NULL;
    hirl_status status = hirl_options_create(&options);

    for (int i = 3; i + 1 < count && status >= 0; i += 2) /* further pairs of key and value */
        status = hirl_options_set(options, word[i], word[i + 1]);
    if (status >= 0)
        status = hirl_context_create(&context, options);
    if (status >= 0)
        status = hirl_model_load(&model, context, path, options);
    if (status >= 0)
        status = hirl_dataset_open(&images, context, data, options);
    if (status >= 0)
        status = embed(model, images, options);
    if (status < 0)
        fprintf(stderr, "%s: %s\n", hirl_status_name(status), hirl_error_message());

    hirl_dataset_destroy(images);
    hirl_model_destroy(model);
    hirl_context_destroy(context);
    hirl_options_destroy(options);
    return status < 0;
}
