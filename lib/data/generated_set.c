/* generated_set.c - data=generated as a data set with the splits train and test. */
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "data/formats.h"
#include "data/generated.h"
#include "data/split.h"

typedef struct generated {
    uint64_t seed;
    int32_t size;
    int64_t
        train; /* images of the split train, which come first; the others are of the split test */
} generated;

static uint32_t number_of(const generated *g, int64_t index)
{
    if (index < g->train)
        return (uint32_t)index;
    return HR_GENERATED_TEST + (uint32_t)(index - g->train);
}

static hirl_status read(hr_pixels *pixels, void *state, int64_t index)
{
    const generated *g = state;

    HR_TRY(hr_pixels_size(pixels, g->size, g->size));
    hr_generated_draw(pixels->data, g->size, g->seed, number_of(g, index));
    return HIRL_OK;
}

static hirl_status name_classes(hirl_dataset *dataset)
{
    static const int32_t classes[] = { HR_GENERATED_FINE, HR_GENERATED_MIDDLE, HR_GENERATED_TOP };

    dataset->levels = 3;
    for (int32_t l = 0; l < 3; l++) {
        HR_TRY(hr_dataset_new_classes(dataset, l, classes[l]));
        dataset->parent[l] = hr_alloc_array((size_t)classes[l], sizeof(int32_t));
        if (!dataset->parent[l])
            return HIRL_E_NOMEM;
        for (int32_t c = 0; c < classes[l]; c++) {
            char name[40];

            hr_generated_class_name(name, l, c);
            dataset->parent[l][c] = c / 4;
            dataset->class_name[l][c] = hr_strdup(name);
            if (!dataset->class_name[l][c])
                return HIRL_E_NOMEM;
        }
    }
    return HIRL_OK;
}

static hirl_status set_labels(hirl_dataset *dataset, const generated *g)
{
    dataset->label = hr_alloc_array((size_t)dataset->count, sizeof(int32_t));
    if (!dataset->label)
        return HIRL_E_NOMEM;
    for (int64_t i = 0; i < dataset->count; i++)
        dataset->label[i] = hr_generated_label(g->seed, number_of(g, i));
    return HIRL_OK;
}

static hirl_status matches(bool *yes, const char *path)
{
    *yes = !strcmp(path, "generated");
    return HIRL_OK;
}

static hirl_status open_set(hirl_dataset *dataset, const char *path, const hr_data_config *config)
{
    generated *g = hr_alloc(sizeof *g);
    bool train, test;

    (void)path;
    if (!g)
        return HIRL_E_NOMEM;
    dataset->source = (hr_source){ g, read, NULL, hr_free, HR_TOLD_BY_LABELS };
    HR_TRY(hr_dataset_add_part(dataset, "train", config->generated_images));
    HR_TRY(hr_dataset_add_part(dataset, "test", config->generated_test_images));
    HR_TRY(hr_dataset_choose(dataset, config->split));
    train = dataset->part[0].taken;
    test = dataset->part[1].taken;
    g->seed = (uint64_t)config->generated_seed;
    g->size = (int32_t)config->generated_size;
    g->train = train ? config->generated_images : 0;
    dataset->count = g->train + (test ? config->generated_test_images : 0);
    hr_dataset_set_size(dataset, g->size, g->size);
    HR_TRY(name_classes(dataset));
    return set_labels(dataset, g);
}

const hr_format hr_format_generated = { "generated", matches, open_set };
