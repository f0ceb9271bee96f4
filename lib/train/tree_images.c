/* tree_images.c - ties the rows of a tree to the images that they stand for.
 *
 * Names are relative to the folder of the data or of its split, so a folder that was moved, or a
 * folder further up or down, has the same images. A digest is the size and the CRC-32 of a file; up
 * to 64 files are compared. Images without names are compared by the checksum of data/identity.h.
 */
#include "train/tree_images.h"

#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "data/identity.h"
#include "hier/origin.h"

static const char **names_of(const hirl_dataset *dataset)
{
    const char **name = hr_alloc_array((size_t)dataset->count, sizeof *name);

    for (int64_t i = 0; i < dataset->count && name; i++)
        name[i] = hr_name_below_split(dataset, hr_dataset_name(dataset, i));
    return name;
}

/* A file that cannot be read has digest 0, which is not compared. */
static int64_t digest_of(const hirl_dataset *dataset, int64_t image)
{
    int64_t digest = 0;

    return hr_dataset_digest(&digest, dataset, image) < 0 ? 0 : digest;
}

static void add_digests(hr_origin *origin, const hirl_dataset *dataset)
{
    if (!dataset->digest)
        return;
    origin->digests = origin->n < HR_ORIGIN_DIGESTS ? origin->n : HR_ORIGIN_DIGESTS;
    for (int64_t i = 0; i < origin->digests; i++)
        origin->digest[i] = digest_of(dataset, hr_origin_row(origin, i));
}

hirl_status hr_tree_set_images(hirl_tree *tree, const hirl_dataset *dataset)
{
    const char **name = NULL;
    hr_identity identity;
    hr_origin *origin;
    hirl_status status;

    if (dataset->count != tree->n)
        return hr_fail(HIRL_E_INVALID, "the tree has %lld rows, but there are %lld images",
                       (long long)tree->n, (long long)dataset->count);
    HR_TRY(hr_dataset_identify(&identity, dataset));
    if (identity.told == HR_TOLD_BY_NAMES) {
        name = names_of(dataset);
        if (!name)
            return HIRL_E_NOMEM;
    }
    status = hr_origin_new(&origin, name, tree->n);
    hr_free(name);
    if (status < 0)
        return status;
    origin->kind = identity.told;
    origin->crc = identity.crc;
    add_digests(origin, dataset);
    hr_origin_free(tree->origin);
    tree->origin = origin;
    return HIRL_OK;
}

/* ---- comparison ---- */

/* Bytes by which `longer` is longer than `name`, if it is `name` in a folder; 0 otherwise. */
static size_t folder_before(const char *longer, const char *name)
{
    size_t a = strlen(longer), b = strlen(name);

    return a > b && longer[a - b - 1] == '/' && !strcmp(longer + a - b, name) ? a - b : 0;
}

static const char *name_in(const hirl_dataset *dataset, int64_t image, bool below_split)
{
    const char *name = hr_dataset_name(dataset, image);

    return below_split ? hr_name_below_split(dataset, name) : name;
}

/* Returns the first row whose name differs, apart from the folders by which the first names do; -1:
 * none. */
static int64_t first_difference(const hr_origin *origin, const hirl_dataset *dataset,
                                bool below_split)
{
    const char *first = name_in(dataset, 0, below_split);
    size_t in_tree = folder_before(origin->name[0], first);
    size_t in_data = folder_before(first, origin->name[0]);

    for (int64_t i = 0; i < origin->n; i++) {
        const char *there = origin->name[i], *here = name_in(dataset, i, below_split);

        if (strncmp(there, origin->name[0], in_tree) || strncmp(here, first, in_data) ||
            strcmp(there + in_tree, here + in_data))
            return i;
    }
    return -1;
}

/* Names from a file of features can include the folder of a split. */
static hirl_status check_names(const hr_origin *origin, const hirl_dataset *dataset)
{
    int64_t row = first_difference(origin, dataset, true);

    if (row < 0 || first_difference(origin, dataset, false) < 0)
        return HIRL_OK;
    return hr_fail(HIRL_E_INVALID,
                   "row %lld of the tree is the image '%s', but image %lld of the data is '%s': "
                   "give the images that were clustered",
                   (long long)row, origin->name[row], (long long)row, name_in(dataset, row, true));
}

static hirl_status check_digests(const hr_origin *origin, const hirl_dataset *dataset)
{
    int64_t compared = 0, changed = 0, first = -1;

    for (int64_t i = 0; i < origin->digests && dataset->digest; i++) {
        int64_t row = hr_origin_row(origin, i), digest = digest_of(dataset, row);

        if (!digest || !origin->digest[i])
            continue;
        compared++;
        if (digest == origin->digest[i])
            continue;
        changed++;
        first = first < 0 ? row : first;
    }
    if (2 * changed > compared)
        return hr_fail(HIRL_E_INVALID,
                       "%lld of %lld images that were compared have the names of the clustered "
                       "images, but other content; the first is '%s'",
                       (long long)changed, (long long)compared, hr_dataset_name(dataset, first));
    if (changed)
        hr_log(dataset->context, HIRL_LOG_WARNING,
               "%lld of %lld images that were compared changed since the tree was made; the first "
               "is '%s'",
               (long long)changed, (long long)compared, hr_dataset_name(dataset, first));
    return HIRL_OK;
}

hirl_status hr_tree_check_images(const hirl_tree *tree, const hirl_dataset *dataset)
{
    const hr_origin *origin = tree->origin;
    hr_identity identity;

    if (dataset->count != tree->n)
        return hr_fail(HIRL_E_INVALID,
                       "the tree has %lld rows, but the data has %lld images: give the data=, "
                       "split= and max_images= that were clustered",
                       (long long)tree->n, (long long)dataset->count);
    if (!origin) {
        hr_log(dataset->context, HIRL_LOG_WARNING,
               "the tree has no names of images, so nothing shows that it was made from these");
        return HIRL_OK;
    }
    if (origin->name && (dataset->source.name || dataset->image_name)) {
        HR_TRY(check_names(origin, dataset));
        return check_digests(origin, dataset);
    }
    HR_TRY(hr_dataset_identify(&identity, dataset));
    if (identity.told != HR_TOLD_NOT && origin->kind == (int64_t)identity.told &&
        origin->crc != identity.crc)
        return hr_fail(HIRL_E_INVALID, "the images of the data are not those of the tree: as many, "
                                       "but with another checksum");
    return HIRL_OK;
}
