/* generated_set.c - data=generated as a data set with the splits train and test. */
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "data/formats.h"
#include "data/generated.h"
#include "data/split.h"
#include "data/strokes.h"

/* What the images show. */
typedef struct kind {
    int32_t levels, classes[3];
    int32_t below[3]; /* [l]: classes of level l - 1 in one of level l */
    int32_t (*label)(uint64_t seed, uint32_t number);
    void (*draw)(uint8_t *pixels, int32_t size, uint64_t seed, uint32_t number);
    void (*class_name)(char name[40], int32_t level, int32_t class_index);
} kind;

/* in the order of the choices of generated_kind */
static const kind kinds[] = {
    { 3,
      { HR_GENERATED_FINE, HR_GENERATED_MIDDLE, HR_GENERATED_TOP },
      { 1, 4, 4 },
      hr_generated_label,
      hr_generated_draw,
      hr_generated_class_name },
    { 2,
      { HR_STROKES_FINE, HR_STROKES_ALPHABETS },
      { 1, HR_STROKES_LETTERS },
      hr_strokes_label,
      hr_strokes_draw,
      hr_strokes_class_name },
};

typedef struct generated {
    const kind *kind;
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
    g->kind->draw(pixels->data, g->size, g->seed, number_of(g, index));
    return HIRL_OK;
}

static hirl_status name_classes(hirl_dataset *dataset, const kind *k)
{
    dataset->levels = k->levels;
    for (int32_t l = 0; l < k->levels; l++) {
        int32_t classes = k->classes[l];

        HR_TRY(hr_dataset_new_classes(dataset, l, classes));
        dataset->parent[l] = hr_alloc_array((size_t)classes, sizeof(int32_t));
        if (!dataset->parent[l])
            return HIRL_E_NOMEM;
        for (int32_t c = 0; c < classes; c++) {
            char name[40];

            k->class_name(name, l, c);
            dataset->parent[l][c] = l + 1 < k->levels ? c / k->below[l + 1] : 0;
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
        dataset->label[i] = g->kind->label(g->seed, number_of(g, i));
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
    g->kind = &kinds[config->generated_kind];
    g->seed = (uint64_t)config->generated_seed;
    g->size = (int32_t)config->generated_size;
    g->train = train ? config->generated_images : 0;
    dataset->count = g->train + (test ? config->generated_test_images : 0);
    hr_dataset_set_size(dataset, g->size, g->size);
    HR_TRY(name_classes(dataset, g->kind));
    return set_labels(dataset, g);
}

const hr_format hr_format_generated = { "generated", matches, open_set };
