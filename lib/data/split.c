/* split.c - selects the parts of the data that the key `split` means.
 *
 *     auto      the parts for training, else the only part, else all data without parts
 *     all       every part
 *     bank      for kNN: the parts for training, or all but every tenth image
 *     queries   for kNN: the parts for test, else for validation; or every tenth image
 *     a name    that part, or all parts with the role that the name states: val finds valid, dev
 *
 * bank and queries divide the part of split=auto into nine tenths and one tenth when the data has
 * no part for training or none for queries. A part without labels is none for queries.
 */
#include "data/split.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/error.h"

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

const char *hr_dataset_split_key(const hirl_dataset *dataset)
{
    const hr_part *taken = NULL;
    int32_t n = 0;

    for (int32_t i = 0; i < dataset->parts; i++)
        if (dataset->part[i].taken) {
            taken = &dataset->part[i];
            n++;
        }
    if (!n)
        return NULL;
    return n == 1 && !strchr(taken->name, '?') ? taken->name : "train";
}

/* ---- marking parts as taken ---- */

static void list_parts(hirl_dataset *dataset)
{
    size_t used = 0;

    for (int32_t i = 0; i < dataset->parts && used < sizeof dataset->splits; i++)
        used += (size_t)snprintf(dataset->splits + used, sizeof dataset->splits - used, "%s%s",
                                 i ? " " : "", dataset->part[i].name);
}

static hirl_status take(hirl_dataset *dataset, hr_part *part)
{
    size_t used = strlen(dataset->split);

    part->taken = true;
    if (used + 2 + HR_PART_NAME < sizeof dataset->split)
        snprintf(dataset->split + used, HR_PART_NAME + 2, "%s%.47s", used ? "+" : "", part->name);
    return HIRL_OK;
}

/* Takes all parts with a role; false: there is none. */
static bool take_role(hirl_dataset *dataset, hr_role role)
{
    bool found = false;

    for (int32_t i = 0; i < dataset->parts && role; i++)
        if (dataset->part[i].role == role) {
            take(dataset, &dataset->part[i]);
            found = true;
        }
    return found;
}

static bool has_role(const hirl_dataset *dataset, hr_role role, bool labelled)
{
    for (int32_t i = 0; i < dataset->parts; i++)
        if (dataset->part[i].role == role && !(labelled && dataset->part[i].bare))
            return true;
    return false;
}

static hirl_status take_all(hirl_dataset *dataset)
{
    for (int32_t i = 0; i < dataset->parts; i++)
        dataset->part[i].taken = true;
    snprintf(dataset->split, sizeof dataset->split, "%s", dataset->parts ? "all" : "");
    return HIRL_OK;
}

/* ---- the values of the key ---- */

static hirl_status take_auto(hirl_dataset *dataset)
{
    hr_part *only = dataset->part;

    if (!dataset->parts)
        return take_all(dataset);
    if (take_role(dataset, HR_ROLE_TRAIN))
        return HIRL_OK;
    if (dataset->parts > 1)
        return hr_fail(HIRL_E_INVALID, "the data has no split named train; set split to one of: %s",
                       dataset->splits);
    if (only->role == HR_ROLE_TEST || only->role == HR_ROLE_VAL)
        hr_log(dataset->context, HIRL_LOG_WARNING,
               "the only split of the data is %s, so its images are the ones that are used",
               only->name);
    return take(dataset, only);
}

static hirl_status take_for_neighbours(hirl_dataset *dataset, bool queries)
{
    bool train = has_role(dataset, HR_ROLE_TRAIN, false),
         labelled = has_role(dataset, HR_ROLE_TRAIN, true),
         test = has_role(dataset, HR_ROLE_TEST, labelled),
         val = has_role(dataset, HR_ROLE_VAL, labelled);
    char part[HR_SPLIT_TEXT / 2];

    if (train && (test || val)) {
        take_role(dataset, !queries ? HR_ROLE_TRAIN : test ? HR_ROLE_TEST : HR_ROLE_VAL);
        return HIRL_OK;
    }
    HR_TRY(take_auto(dataset));
    snprintf(part, sizeof part, "%.127s", dataset->split);
    dataset->holdout = queries ? HR_HOLDOUT_QUERIES : HR_HOLDOUT_BANK;
    snprintf(dataset->split, sizeof dataset->split, "%s%s%s", part, *part ? ", " : "",
             queries ? "every tenth image" : "all but every tenth image");
    return HIRL_OK;
}

static hirl_status take_named(hirl_dataset *dataset, const char *split)
{
    hr_part *part = hr_dataset_part(dataset, split);

    for (int32_t i = 0; i < dataset->parts && !part; i++)
        if (!strcasecmp(dataset->part[i].name, split))
            part = &dataset->part[i];
    if (part)
        return take(dataset, part);
    if (take_role(dataset, hr_role_of_plain_name(split, strlen(split))))
        return HIRL_OK;
    if (!dataset->parts)
        return hr_fail(HIRL_E_INVALID, "split=%s: the data has no splits; leave split out", split);
    return hr_fail(HIRL_E_INVALID, "split=%s: the data has no such split; its splits are: %s",
                   split, dataset->splits);
}

hirl_status hr_dataset_choose(hirl_dataset *dataset, const char *split)
{
    list_parts(dataset);
    if (!*split || !strcmp(split, "auto"))
        return take_auto(dataset);
    if (!strcmp(split, "all"))
        return take_all(dataset);
    if (!strcmp(split, "bank") || !strcmp(split, "queries"))
        return take_for_neighbours(dataset, !strcmp(split, "queries"));
    return take_named(dataset, split);
}
