/* classes.c - gives class ids to images whose classes are known by name. */
#include "data/classes.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/file.h"

/* ---- the list of names ---- */

hirl_status hr_class_names_add(hr_class_names *names, const char *name, size_t length)
{
    char **grown = hr_grow_array(names->name, &names->room, names->count, sizeof *grown), *copy;

    if (!grown)
        return HIRL_E_NOMEM;
    names->name = grown;
    copy = hr_alloc(length + 1);
    if (!copy)
        return HIRL_E_NOMEM;
    memcpy(copy, name, length);
    names->name[names->count++] = copy;
    return HIRL_OK;
}

void hr_class_names_done(hr_class_names *names)
{
    hr_names_free(names->name, names->count);
}

bool hr_class_names_differ(const hr_class_names *names)
{
    for (int64_t i = 1; i < names->count; i++)
        if (strcmp(names->name[i], names->name[0]))
            return true;
    return false;
}

/* ---- classes ---- */

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Makes the distinct names, in byte order, the classes of the data set. */
static hirl_status name_classes(hirl_dataset *dataset, const hr_class_names *names)
{
    char **sorted = hr_alloc_array((size_t)names->count, sizeof *sorted);
    int32_t distinct = 0;
    hirl_status status;

    if (!sorted)
        return HIRL_E_NOMEM;
    memcpy(sorted, names->name, (size_t)names->count * sizeof *sorted);
    qsort(sorted, (size_t)names->count, sizeof *sorted, by_name);
    for (int64_t i = 0; i < names->count; i++)
        if (!i || strcmp(sorted[i], sorted[i - 1]))
            sorted[distinct++] = sorted[i];
    status = hr_dataset_new_classes(dataset, 0, distinct);
    for (int32_t i = 0; i < distinct && status >= 0; i++) {
        dataset->class_name[0][i] = hr_strdup(sorted[i]);
        status = dataset->class_name[0][i] ? HIRL_OK : HIRL_E_NOMEM;
    }
    hr_free(sorted);
    dataset->levels = 1;
    return status;
}

static int by_class_name(const void *a, const void *b)
{
    return strcmp(**(char **const *)a, **(char **const *)b);
}

/* Finds the class id of each name. */
static hirl_status find_classes(int32_t *id, hirl_dataset *dataset, const hr_class_names *names)
{
    int32_t classes = dataset->classes[0];
    char ***sorted = hr_alloc_array((size_t)classes, sizeof *sorted);
    hirl_status status = sorted ? HIRL_OK : HIRL_E_NOMEM;

    for (int32_t i = 0; i < classes && status >= 0; i++)
        sorted[i] = &dataset->class_name[0][i];
    if (status >= 0)
        qsort(sorted, (size_t)classes, sizeof *sorted, by_class_name);
    for (int64_t i = 0; i < names->count && status >= 0; i++) {
        char **key = &names->name[i], ***found;

        found = bsearch(&key, sorted, (size_t)classes, sizeof *sorted, by_class_name);
        if (found)
            id[i] = (int32_t)(*found - dataset->class_name[0]);
        else
            status = hr_fail(HIRL_E_FORMAT, "hierarchy.tsv has no class with the name %s",
                             names->name[i]);
    }
    hr_free(sorted);
    return status;
}

/* The number that a name is, without leading zeros and below the limit; -1: it is none. */
static int32_t number_of(const char *name)
{
    int32_t number = 0;

    if (!*name || (*name == '0' && name[1]))
        return -1;
    for (; *name; name++) {
        if (*name < '0' || *name > '9')
            return -1;
        number = 10 * number + (*name - '0');
        if (number >= HR_CLASS_LIMIT)
            return -1;
    }
    return number;
}

/* Takes the names as ids if all are numbers. */
static bool take_numbers(int32_t *id, const hr_class_names *names)
{
    for (int64_t i = 0; i < names->count; i++) {
        id[i] = number_of(names->name[i]);
        if (id[i] < 0)
            return false;
    }
    return true;
}

static hirl_status find_ids(int32_t *id, hirl_dataset *dataset, const hr_class_names *names)
{
    if (!dataset->levels)
        HR_TRY(name_classes(dataset, names));
    return find_classes(id, dataset, names);
}

hirl_status hr_classes_assign(hirl_dataset *dataset, int32_t *label, int64_t n,
                              const hr_class_names *names, bool numbers)
{
    int32_t *id = hr_alloc_array((size_t)names->count, sizeof *id);
    bool numbered = id && numbers && take_numbers(id, names);
    hirl_status status = !id ? HIRL_E_NOMEM : numbered ? HIRL_OK : find_ids(id, dataset, names);

    for (int64_t i = 0; i < n && status >= 0; i++)
        label[i] = label[i] < 0 ? -1 : id[label[i]];
    if (status >= 0 && numbered)
        status = hr_dataset_check_labels(dataset, label, n);
    hr_free(id);
    return status;
}
