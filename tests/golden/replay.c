/* replay.c - shared by the tests that replay the training in a dump: settings, tree, images,
 * tensors. */
#include "golden/replay.h"

#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/rng.h"
#include "config/config.h"
#include "hier/tree.h"
#include "support/close.h"

enum { PROTOTYPE_VIEW = 100, IMAGES = 1000 /* nominal size of the data set; there is none */ };

void replay_set(hirl_options *options, const char *key, const char *value)
{
    hr_assert_ok(hirl_options_set(options, key, value));
}

void replay_set_all(hirl_options *options, const dump *d, const char *const (*pair)[2], int count)
{
    for (int i = 0; i < count; i++)
        replay_set(options, pair[i][1], dump_text(d, pair[i][0]));
}

void replay_set_list(hirl_options *options, const char *key, const dump *d, const char *theirs)
{
    char list[DUMP_VALUE];

    snprintf(list, sizeof list, "%s", dump_text(d, theirs));
    for (char *c = list; *c; c++)
        *c = *c == ' ' ? ',' : *c;
    replay_set(options, key, list);
}

void replay_set_levels(hirl_options *options, const dump *d)
{
    bool plain = !*dump_text(d, "prototypes");

    replay_set(options, "hirl", plain ? "0" : "1");
    if (!plain)
        replay_set_list(options, "prototypes", d, "prototypes");
}

hr_pretrain_config replay_config(hr_run_config *config, hr_run_views *views,
                                 const hirl_options *options)
{
    hr_assert_ok(hr_run_config_read(config, options, IMAGES));
    hr_assert_ok(hr_run_views_of(views, config));
    return hr_pretrain_config_of(config, views, 1, 1);
}

static void draw_unit(float *row, int64_t d, uint64_t seed, int level, int64_t number)
{
    double *x = dump_room(d, sizeof *x), square = 0;
    hr_rng rng;

    hr_rng_init(&rng, seed, HR_RNG_TEST, (uint32_t)(PROTOTYPE_VIEW + level), 0, (uint32_t)number);
    for (int64_t i = 0; i < d; i++) {
        x[i] = hr_rng_normal(&rng);
        square += x[i] * x[i];
    }
    for (int64_t i = 0; i < d; i++)
        row[i] = (float)(x[i] / sqrt(square));
    free(x);
}

hirl_tree *replay_tree(hirl_context *context, int32_t levels, int64_t d, const int64_t *m,
                       uint64_t seed)
{
    hirl_tree *tree;

    hr_assert_ok(hr_tree_alloc(&tree, context, levels, d, m, 0));
    for (int l = 0; l < levels; l++)
        for (int64_t row = 0; row < m[l]; row++) {
            draw_unit(tree->proto[l] + row * d, d, seed, l, row);
            if (l + 1 < levels)
                tree->parent[l][row] = (int32_t)(row % m[l + 1]);
        }
    return tree;
}

void replay_images(float *to, uint64_t seed, int64_t view, int64_t step, int64_t n, int64_t size)
{
    int64_t values = size * size * 3;

    for (int64_t image = 0; image < n; image++) {
        hr_rng rng;

        hr_rng_init(&rng, seed, HR_RNG_TEST, (uint32_t)view, (uint32_t)step, (uint32_t)image);
        for (int64_t i = 0; i < values; i++)
            to[image * values + i] = (float)hr_rng_normal(&rng);
    }
}

void replay_ids(int64_t *image, int64_t n, int64_t step)
{
    for (int64_t i = 0; i < n; i++)
        image[i] = (5 * step + i) % (2 * n - 3);
}

double *replay_values(const dump_tensor *b, const hr_tensors *list, const char *prefix)
{
    char name[2 * DUMP_NAME];
    const hr_named *found;
    double *x = dump_room(b->count, sizeof *x);

    snprintf(name, sizeof name, "%s%s", prefix, b->name);
    found = hr_tensors_find(list, name);
    ck_assert_msg(found != NULL, "the library has no tensor %s", name);
    ck_assert_int_eq(found->bytes, (size_t)b->count * hr_dtype_size(found->dtype));
    for (int64_t e = 0; e < b->count; e++)
        x[e] = found->dtype == HR_I64 ? (double)((const int64_t *)found->data)[e]
                                      : (double)((const real *)found->data)[e];
    return x;
}

void replay_gradients(hr_tensors *list, hr_learner *learner)
{
    const hr_layout *params = learner->params;

    hr_assert_ok(
        hr_layout_save(list, params, params->count, &learner->online.grad, learner->queue, ""));
}

void replay_positions(const dump *d, const hr_learner *learner)
{
    const hr_layout *params = learner->params;

    for (int i = 0; i < params->count; i++) {
        const dump_tensor *b = dump_find(d, params->slot[i].name, "weight");

        ck_assert_msg(b != NULL, "%s is not in the dump", params->slot[i].name);
        ck_assert_msg(b->position == i, "%s has position %d, in the dump %lld", b->name, i,
                      (long long)b->position);
    }
}
