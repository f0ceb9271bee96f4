/* naming.c - names and classes that the application gives to its own images. */
#include "data/naming.h"

#include <stdatomic.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/file.h"

/* Only images without files are the application's to name, as long as nothing relies on them. */
static hirl_status check_open(const hirl_dataset *dataset, const char *what)
{
    if (dataset->source.told != HR_TOLD_NOT && dataset->source.told != HR_TOLD_BY_PIXELS)
        return hr_fail(HIRL_E_STATE, "%s: only images from memory or a callback can be named",
                       what);
    if (dataset->source.name && !dataset->image_name)
        return hr_fail(HIRL_E_STATE, "%s: these images are files, which have names", what);
    if (atomic_load(&dataset->references) > 1)
        return hr_fail(HIRL_E_STATE, "%s: a trainer uses the data set; name it before", what);
    return HIRL_OK;
}

/* Copies n names; *copy is NULL if name is. */
static hirl_status copy_names(char ***copy, const char *const *name, int64_t n, const char *what)
{
    char **made;

    *copy = NULL;
    if (!name)
        return HIRL_OK;
    for (int64_t i = 0; i < n; i++)
        if (!name[i])
            return hr_fail(HIRL_E_INVALID, "%s: name %lld is NULL", what, (long long)i);
    made = hr_alloc_array((size_t)n, sizeof *made);
    if (!made)
        return HIRL_E_NOMEM;
    for (int64_t i = 0; i < n; i++) {
        made[i] = hr_strdup(name[i]);
        if (!made[i]) {
            hr_names_free(made, n);
            return HIRL_E_NOMEM;
        }
    }
    *copy = made;
    return HIRL_OK;
}

hirl_status hr_dataset_set_names(hirl_dataset *dataset, const char *const *name)
{
    char **made;

    HR_TRY(check_open(dataset, "dataset_set_names"));
    HR_TRY(copy_names(&made, name, dataset->count, "dataset_set_names"));
    if (dataset->image_name)
        hr_names_free(dataset->image_name, dataset->count);
    dataset->image_name = made;
    if (dataset->source.told == HR_TOLD_NOT)
        dataset->source.told = HR_TOLD_BY_NAMES;
    return HIRL_OK;
}

static hirl_status check_classes(const hirl_dataset *dataset, int32_t level, int32_t n)
{
    HR_TRY(check_open(dataset, "dataset_set_classes"));
    if (!dataset->levels)
        return hr_fail(HIRL_E_INVALID, "dataset_set_classes: the data set has no labels");
    if (level < 0 || level >= dataset->levels)
        return hr_fail(HIRL_E_INVALID,
                       "dataset_set_classes: level %d; the labels have levels 0 to %d", (int)level,
                       (int)dataset->levels - 1);
    if (n > HR_CLASS_LIMIT || n < dataset->classes[level] ||
        (level && n != dataset->classes[level]))
        return hr_fail(HIRL_E_INVALID, "dataset_set_classes: %d classes; level %d has %d", (int)n,
                       (int)level, (int)dataset->classes[level]);
    return HIRL_OK;
}

/* *above: classes on the next level; 0: there is none */
static hirl_status check_parents(int32_t *above, int32_t level, const int32_t *parent, int32_t n)
{
    *above = 0;
    if (parent && level + 1 == HR_LABEL_LEVELS)
        return hr_fail(HIRL_E_INVALID, "dataset_set_classes: labels have at most %d levels",
                       HR_LABEL_LEVELS);
    for (int32_t i = 0; i < n && parent; i++) {
        if (parent[i] < 0 || parent[i] >= HR_CLASS_LIMIT)
            return hr_fail(HIRL_E_INVALID,
                           "dataset_set_classes: parent %d of class %d; 0 to %d is expected",
                           (int)parent[i], (int)i, HR_CLASS_LIMIT - 1);
        *above = parent[i] >= *above ? parent[i] + 1 : *above;
    }
    return HIRL_OK;
}

/* Forgets names and parents of the levels from `level` on. */
static void drop_levels(hirl_dataset *dataset, int32_t level)
{
    for (int32_t l = level; l < dataset->levels; l++) {
        if (dataset->class_name[l])
            hr_names_free(dataset->class_name[l], dataset->classes[l]);
        hr_free(dataset->parent[l]);
        dataset->class_name[l] = NULL;
        dataset->parent[l] = NULL;
    }
}

hirl_status hr_dataset_set_classes(hirl_dataset *dataset, int32_t level, int32_t n,
                                   const char *const *name, const int32_t *parent)
{
    int32_t *own = NULL, above;
    char **names;

    HR_TRY(check_classes(dataset, level, n));
    HR_TRY(check_parents(&above, level, parent, n));
    HR_TRY(copy_names(&names, name, n, "dataset_set_classes"));
    if (parent)
        own = hr_alloc_array((size_t)n, sizeof *own);
    if (parent && !own) {
        if (names)
            hr_names_free(names, n);
        return HIRL_E_NOMEM;
    }
    drop_levels(dataset, level);
    dataset->class_name[level] = names;
    dataset->classes[level] = n;
    dataset->levels = level + 1;
    if (parent) {
        memcpy(own, parent, (size_t)n * sizeof *own);
        dataset->parent[level] = own;
        dataset->classes[level + 1] = above;
        dataset->levels = level + 2;
    }
    hr_dataset_summarise(dataset);
    return HIRL_OK;
}
