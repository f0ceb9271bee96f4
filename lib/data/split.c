/* split.c - selects the parts of the data that the key `split` means.
 *
 *     auto      the part train, else the only part, else all data without parts
 *     all       every part
 *     bank      for kNN: train, or all but every tenth image
 *     queries   for kNN: test, else t10k, validation or val; or every tenth image
 *     a name    that part; test also finds t10k, val finds validation, and the other way round
 *
 * bank and queries divide the part of split=auto into nine tenths and one tenth when the data has
 * no part train or none of the parts for queries.
 */
#include "data/split.h"

#include <stdio.h>
#include <string.h>

#include "base/error.h"

static const char *const canonical[HR_SPLIT_NAMES] = { "train", "val", "validation", "test",
                                                       "t10k" };
static const char *const other_name[][2] = {
    { "test", "t10k" }, { "t10k", "test" }, { "val", "validation" }, { "validation", "val" }
};

const char *hr_split_name(const char *name, size_t length)
{
    for (int i = 0; i < HR_SPLIT_NAMES; i++)
        if (strlen(canonical[i]) == length && !memcmp(name, canonical[i], length))
            return canonical[i];
    return NULL;
}

const char *hr_split_of_file(const char *name, const char *suffix)
{
    size_t n = strlen(name), m = strlen(suffix);

    return n > m && !strcmp(name + n - m, suffix) ? hr_split_name(name, n - m) : NULL;
}

bool hr_dataset_takes(const hirl_dataset *dataset, int32_t i)
{
    return !dataset->parts || dataset->part[i].taken;
}

hr_part *hr_dataset_part(hirl_dataset *dataset, const char *name)
{
    for (int32_t i = 0; i < dataset->parts; i++)
        if (!strcmp(dataset->part[i].name, name))
            return &dataset->part[i];
    return NULL;
}

static hr_part *find_either(hirl_dataset *dataset, const char *name)
{
    hr_part *part = hr_dataset_part(dataset, name);

    for (size_t i = 0; !part && i < sizeof other_name / sizeof *other_name; i++)
        if (!strcmp(name, other_name[i][0]))
            part = hr_dataset_part(dataset, other_name[i][1]);
    return part;
}

static hr_part *queries_of(hirl_dataset *dataset)
{
    static const char *const order[] = { "test", "t10k", "validation", "val" };
    hr_part *part = NULL;

    for (size_t i = 0; !part && i < sizeof order / sizeof *order; i++)
        part = hr_dataset_part(dataset, order[i]);
    return part;
}

static void list_parts(hirl_dataset *dataset)
{
    size_t used = 0;

    for (int32_t i = 0; i < dataset->parts && used < sizeof dataset->splits; i++)
        used += (size_t)snprintf(dataset->splits + used, sizeof dataset->splits - used, "%s%s",
                                 i ? " " : "", dataset->part[i].name);
}

static hirl_status take(hirl_dataset *dataset, hr_part *part)
{
    part->taken = true;
    snprintf(dataset->split, sizeof dataset->split, "%.15s", part->name);
    return HIRL_OK;
}

static hirl_status take_all(hirl_dataset *dataset)
{
    for (int32_t i = 0; i < dataset->parts; i++)
        dataset->part[i].taken = true;
    snprintf(dataset->split, sizeof dataset->split, "%s", dataset->parts ? "all" : "");
    return HIRL_OK;
}

static hirl_status take_auto(hirl_dataset *dataset)
{
    hr_part *train = hr_dataset_part(dataset, "train");

    if (!dataset->parts)
        return take_all(dataset);
    if (train || dataset->parts == 1)
        return take(dataset, train ? train : dataset->part);
    return hr_fail(HIRL_E_INVALID, "the data has no split named train; set split to one of: %s",
                   dataset->splits);
}

static hirl_status take_for_neighbours(hirl_dataset *dataset, bool queries)
{
    hr_part *train = hr_dataset_part(dataset, "train"), *test = queries_of(dataset);
    char part[16];

    if (train && test)
        return take(dataset, queries ? test : train);
    HR_TRY(take_auto(dataset));
    snprintf(part, sizeof part, "%.15s", dataset->split);
    dataset->holdout = queries ? HR_HOLDOUT_QUERIES : HR_HOLDOUT_BANK;
    snprintf(dataset->split, sizeof dataset->split, "%s%s%s", part, *part ? ", " : "",
             queries ? "every tenth image" : "all but every tenth image");
    return HIRL_OK;
}

hirl_status hr_dataset_choose(hirl_dataset *dataset, const char *split)
{
    hr_part *part;

    list_parts(dataset);
    if (!*split || !strcmp(split, "auto"))
        return take_auto(dataset);
    if (!strcmp(split, "all"))
        return take_all(dataset);
    if (!strcmp(split, "bank") || !strcmp(split, "queries"))
        return take_for_neighbours(dataset, !strcmp(split, "queries"));
    part = find_either(dataset, split);
    if (part)
        return take(dataset, part);
    if (!dataset->parts)
        return hr_fail(HIRL_E_INVALID, "split=%s: the data has no splits; leave split out", split);
    return hr_fail(HIRL_E_INVALID, "split=%s: the data has no such split; its splits are: %s",
                   split, dataset->splits);
}
