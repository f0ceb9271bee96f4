/* full_size.c - times steps of a preset of the paper at full size: networks, views and outputs.
 *
 *   full_size preset=hirl-dino [batch_size=4] [accumulate=2] [threads=0]
 *
 * Takes two steps without the path loss and then, for a preset with the hierarchy, two steps with
 * it, on a random tree with the preset's numbers of prototypes. Prints one JSON line: the seconds
 * of the second step of each pair, the peak memory in GiB, and the days that an epoch of ImageNet
 * (1,281,167 images) would take at this rate. The images are generated when they are read, with 224
 * pixels; there are as many as queue=auto needs for the 65,536 keys of the MoCo v2 paper.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <hirl/hirl.h>

#include "bench.h"

enum { IMAGES = 2 * 65536, IMAGENET = 1281167, LEVELS = 3 };

static void need(hirl_status status, const char *what)
{
    if (status >= 0)
        return;
    fprintf(stderr, "full_size: %s: %s\n", what, hirl_error_message());
    exit(1);
}

/* fixed pseudo-random rows; the tree normalises them */
static void fill_rows(float *rows, int64_t n, int64_t d)
{
    uint32_t state = 1;

    for (int64_t i = 0; i < n * d; i++) {
        state = state * 1664525u + 1013904223u;
        rows[i] = (float)(state >> 8) / (1 << 24) - 0.5f;
    }
}

static hirl_tree *random_tree(hirl_context *context, const int64_t *m, int64_t d)
{
    const float *prototypes[LEVELS];
    const int32_t *parent[LEVELS];
    hirl_tree *tree = NULL;

    for (int l = 0; l < LEVELS; l++) {
        float *rows = malloc((size_t)(m[l] * d) * sizeof *rows);
        int32_t *up = malloc((size_t)m[l] * sizeof *up);

        fill_rows(rows, m[l], d);
        for (int64_t i = 0; i < m[l]; i++)
            up[i] = l + 1 < LEVELS ? (int32_t)(i % m[l + 1]) : -1;
        prototypes[l] = rows;
        parent[l] = up;
    }
    need(hirl_tree_create(&tree, context, LEVELS, d, m, prototypes, parent, NULL, 0), "tree");
    for (int l = 0; l < LEVELS; l++) {
        free((void *)prototypes[l]);
        free((void *)parent[l]);
    }
    return tree;
}

/* takes two steps; returns the seconds of the second */
static double two_steps(hirl_trainer *trainer, hirl_step_report *report)
{
    double begun;

    need(hirl_train_step(report, trainer), "step 1");
    begun = now();
    need(hirl_train_step(report, trainer), "step 2");
    return now() - begun;
}

static double steps_with_path_loss(hirl_trainer *trainer, hirl_context *context,
                                   const hirl_options *options, hirl_step_report *report)
{
    int32_t *leaf = malloc(IMAGES * sizeof *leaf);
    hirl_model *model = NULL;
    hirl_tree *tree;
    double seconds;
    int64_t m[LEVELS];
    const char *text = hirl_options_get(options, "prototypes");

    sscanf(text, "%ld,%ld,%ld", &m[0], &m[1], &m[2]);
    need(hirl_trainer_model(&model, trainer, "online"), "model");
    tree = random_tree(context, m, hirl_model_dim(model, "z0"));
    hirl_model_destroy(model);
    for (int64_t i = 0; i < IMAGES; i++)
        leaf[i] = (int32_t)(i * 7919 % m[0]);
    need(hirl_trainer_set_tree(trainer, tree, leaf), "set_tree");
    seconds = two_steps(trainer, report);
    hirl_tree_destroy(tree);
    free(leaf);
    return seconds;
}

static hirl_options *options_of(int count, char **word)
{
    static const char *const fixed[][2] = { { "data", "generated" },
                                            { "generated_size", "224" },
                                            { "batch_size", "4" },
                                            { "accumulate", "2" },
                                            { "loader_threads", "1" } };
    hirl_options *options;

    need(hirl_options_create(&options), "options");
    for (size_t i = 0; i < sizeof fixed / sizeof *fixed; i++)
        need(hirl_options_set(options, fixed[i][0], fixed[i][1]), fixed[i][0]);
    need(hirl_options_set_int(options, "generated_images", IMAGES), "generated_images");
    for (int i = 1; i < count; i++) {
        char *value = strchr(word[i], '=');

        if (!value)
            need(HIRL_E_INVALID, word[i]);
        *value++ = 0;
        need(strcmp(word[i], "preset") ? hirl_options_set(options, word[i], value)
                                       : hirl_options_preset(options, value),
             word[i]);
    }
    return options;
}

int main(int count, char **word)
{
    hirl_step_report report = { .struct_size = sizeof report };
    hirl_options *options = options_of(count, word);
    double batch = strtod(hirl_options_get(options, "batch_size"), NULL), plain, path = 0;
    bool hirl = !strcmp(hirl_options_get(options, "hirl"), "1");
    hirl_context *context = NULL;
    hirl_dataset *images = NULL;
    hirl_trainer *trainer = NULL;

    need(hirl_context_create(&context, options), "context");
    need(hirl_dataset_open(&images, context, NULL, options), "images");
    need(hirl_trainer_create(&trainer, context, NULL, images, options), "trainer");
    plain = two_steps(trainer, &report);
    if (hirl)
        path = steps_with_path_loss(trainer, context, options, &report);
    printf(
        "{\"method\": \"%s\", \"batch\": %g, \"seconds_plain\": %.2f, \"seconds_path_loss\": %.2f, "
        "\"seconds_an_image\": %.2f, \"peak_gib\": %.2f, \"loss\": %.4f, \"loss_spd\": %.4f, "
        "\"epoch_days\": %.1f}\n",
        hirl_options_get(options, "method"), batch, plain, path, (hirl ? path : plain) / batch,
        report.memory_gb * 1e9 / (1 << 30), report.loss, report.loss_spd,
        (hirl ? path : plain) / batch * IMAGENET / 86400);
    hirl_trainer_destroy(trainer);
    hirl_dataset_destroy(images);
    hirl_context_destroy(context);
    hirl_options_destroy(options);
    return 0;
}
