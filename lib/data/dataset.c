/* dataset.c - a data set: selects its images, describes it, reads and marks them. */
#include "data/dataset.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/file.h"

enum { NUMBER_TEXT = 24, FEW_BAD = 2 };

static const int64_t IMAGES = UINT32_MAX;

/* ---- pixels ---- */

void hr_pixels_done(hr_pixels *pixels)
{
    hr_free(pixels->data);
    *pixels = (hr_pixels){ 0 };
}

hirl_status hr_pixels_check(int64_t width, int64_t height, int64_t most)
{
    if (width < 1 || height < 1)
        return hr_fail(HIRL_E_FORMAT,
                       "an image of %lld x %lld pixels: both sides must have at least 1",
                       (long long)width, (long long)height);
    if (width > HR_IMAGE_SIDE || height > HR_IMAGE_SIDE || width * height > HR_IMAGE_PIXELS)
        return hr_fail(HIRL_E_LIMIT,
                       "an image of %lld x %lld pixels: the limits are %d per side and %d in total",
                       (long long)width, (long long)height, HR_IMAGE_SIDE, HR_IMAGE_PIXELS);
    if (most && width * height > most)
        return hr_fail(HIRL_E_LIMIT,
                       "an image of %lld x %lld pixels: more than max_pixels=%lld; a larger "
                       "max_pixels reads it",
                       (long long)width, (long long)height, (long long)most);
    return HIRL_OK;
}

hirl_status hr_pixels_size(hr_pixels *pixels, int64_t width, int64_t height)
{
    size_t bytes;

    HR_TRY(hr_pixels_check(width, height, pixels->most));
    bytes = (size_t)(width * height * 3);
    if (bytes > pixels->room) {
        uint8_t *data = hr_alloc(bytes);

        if (!data)
            return HIRL_E_NOMEM;
        hr_free(pixels->data);
        pixels->data = data;
        pixels->room = bytes;
    }
    pixels->width = (int32_t)width;
    pixels->height = (int32_t)height;
    return HIRL_OK;
}

hirl_status hr_pixels_copy(hr_pixels *pixels, const uint8_t *from, int64_t width, int64_t height,
                           int32_t channels)
{
    size_t n;

    HR_TRY(hr_pixels_size(pixels, width, height));
    n = (size_t)(width * height);
    if (channels == 3)
        memcpy(pixels->data, from, 3 * n);
    else
        for (size_t i = 0; i < n; i++)
            memset(pixels->data + 3 * i, from[i], 3);
    return HIRL_OK;
}

/* ---- functions that formats call ---- */

void hr_plain_text(char *text, size_t room, const char *name, size_t length)
{
    size_t n = length < room ? length : room - 1;

    for (size_t i = 0; i < n; i++)
        text[i] = name[i] >= ' ' && name[i] <= '~' ? name[i] : '?';
    text[n] = 0;
}

hirl_status hr_dataset_add_part(hirl_dataset *dataset, const char *name, int64_t images)
{
    hr_part *part = &dataset->part[dataset->parts];
    char rest[HR_REST_BYTES];

    if (dataset->parts == HR_PART_LIMIT)
        return hr_fail(HIRL_E_LIMIT, "the data has more than %d splits", HR_PART_LIMIT);
    hr_plain_text(part->name, sizeof part->name, name, strlen(name));
    part->role = hr_role_of_name(rest, name, strlen(name));
    part->images = images;
    dataset->parts++;
    return HIRL_OK;
}

void hr_dataset_set_size(hirl_dataset *dataset, int64_t width, int64_t height)
{
    dataset->min_width = dataset->max_width = width;
    dataset->min_height = dataset->max_height = height;
}

void hr_dataset_widen_size(hirl_dataset *dataset, int64_t width, int64_t height)
{
    dataset->min_width = width < dataset->min_width ? width : dataset->min_width;
    dataset->max_width = width > dataset->max_width ? width : dataset->max_width;
    dataset->min_height = height < dataset->min_height ? height : dataset->min_height;
    dataset->max_height = height > dataset->max_height ? height : dataset->max_height;
}

hirl_status hr_dataset_new_classes(hirl_dataset *dataset, int32_t level, int32_t count)
{
    dataset->class_name[level] = hr_alloc_array((size_t)count, sizeof(char *));
    if (!dataset->class_name[level])
        return HIRL_E_NOMEM;
    dataset->classes[level] = count;
    return HIRL_OK;
}

hirl_status hr_dataset_check_labels(hirl_dataset *dataset, const int32_t *label, int64_t n)
{
    int32_t largest = -1;

    for (int64_t i = 0; i < n; i++) {
        if (label[i] > largest)
            largest = label[i];
        if (dataset->levels && label[i] >= dataset->classes[0])
            return hr_fail(HIRL_E_FORMAT,
                           "image %lld has label %d, but hierarchy.tsv names only %d fine classes",
                           (long long)i, (int)label[i], (int)dataset->classes[0]);
        if (label[i] >= HR_CLASS_LIMIT)
            return hr_fail(HIRL_E_LIMIT, "image %lld has label %d; the limit is %d classes",
                           (long long)i, (int)label[i], HR_CLASS_LIMIT);
    }
    if (largest < 0) {
        dataset->levels = 0;
    } else if (!dataset->levels) {
        dataset->levels = 1;
        dataset->classes[0] = largest + 1;
    }
    return HIRL_OK;
}

/* ---- selection ---- */

static bool kept(const hirl_dataset *dataset, int64_t i)
{
    bool tenth = i % 10 == 9;

    return dataset->holdout == HR_HOLDOUT_NONE || tenth == (dataset->holdout == HR_HOLDOUT_QUERIES);
}

/* Fills `order` with the images that the holdout keeps, or max_images of them, evenly spread. */
static hirl_status select_images(hirl_dataset *dataset, int64_t max_images)
{
    int64_t all = dataset->count, n = 0;

    if (dataset->holdout == HR_HOLDOUT_NONE && (!max_images || max_images >= all))
        return HIRL_OK;
    dataset->order = hr_alloc_array((size_t)all, sizeof(int64_t));
    if (!dataset->order)
        return HIRL_E_NOMEM;
    for (int64_t i = 0; i < all; i++)
        if (kept(dataset, i))
            dataset->order[n++] = i;
    if (!n)
        return hr_fail(HIRL_E_INVALID,
                       "%lld images are too few for split=queries, which takes every tenth image "
                       "of data without a test split",
                       (long long)all);
    if (max_images && max_images < n) {
        for (int64_t i = 0; i < max_images; i++)
            dataset->order[i] =
                dataset->order[(int64_t)((double)i * (double)n / (double)max_images)];
        n = max_images;
    }
    for (int64_t i = 0; i < n && dataset->label; i++)
        dataset->label[i] = dataset->label[dataset->order[i]];
    dataset->count = n;
    return HIRL_OK;
}

/* ---- the summary ---- */

/* Appends to a text of `room` bytes; what does not fit is cut off. */
static void append(char *text, size_t room, const char *format, ...) HR_PRINTF(3, 4);

static void append(char *text, size_t room, const char *format, ...)
{
    size_t used = strlen(text);
    va_list args;

    va_start(args, format);
    vsnprintf(text + used, room - used, format, args);
    va_end(args);
}

static void append_range(char *text, size_t room, int64_t low, int64_t high)
{
    append(text, room, "%lld", (long long)low);
    if (high > low)
        append(text, room, " to %lld", (long long)high);
}

static void append_size(char *text, size_t room, const hirl_dataset *d)
{
    append(text, room, " of ");
    if (!d->max_width) {
        append(text, room, "unknown size");
        return;
    }
    append_range(text, room, d->min_width, d->max_width);
    append(text, room, " x ");
    append_range(text, room, d->min_height, d->max_height);
    append(text, room, " pixels");
    if (d->looked_at && d->looked_at < d->count)
        append(text, room, " (%lld measured)", (long long)d->looked_at);
}

static void append_split(char *text, size_t room, const hirl_dataset *d)
{
    if (*d->split)
        append(text, room, "; split %s", d->split);
    for (int32_t i = 0; i < d->parts; i++)
        append(text, room, "%s%s %lld", i ? ", " : " of ", d->part[i].name,
               (long long)d->part[i].images);
}

void hr_dataset_summarise(hirl_dataset *d)
{
    char *text = d->summary;
    size_t room = sizeof d->summary;

    text[0] = 0;
    append(text, room, "%s: %lld image%s", d->format, (long long)d->count,
           d->count == 1 ? "" : "s");
    append_size(text, room, d);
    if (d->levels)
        append(text, room, ", %d classes", (int)d->classes[0]);
    for (int32_t l = 1; l < d->levels; l++)
        append(text, room, " in %d", (int)d->classes[l]);
    append_split(text, room, d);
    if (*d->left_out)
        append(text, room, "; left out %s", d->left_out);
}

/* ---- making and releasing ---- */

hirl_status hr_dataset_new(hirl_dataset **out, hirl_context *context, const char *format)
{
    hirl_dataset *dataset = hr_alloc(sizeof *dataset);

    if (!dataset)
        return HIRL_E_NOMEM;
    dataset->context = context;
    dataset->format = format;
    dataset->exif = -1;
    dataset->references = 1;
    hr_context_hold(context);
    *out = dataset;
    return HIRL_OK;
}

hirl_status hr_dataset_finish(hirl_dataset *dataset, int64_t max_images)
{
    if (dataset->count < 1)
        return hr_fail(HIRL_E_INVALID, "the data has no images");
    if (dataset->count > IMAGES) /* the random generator counts images with 32 bits: base/rng.h */
        return hr_fail(HIRL_E_LIMIT, "the data has %lld images, the limit is %lld",
                       (long long)dataset->count, (long long)IMAGES);
    HR_TRY(select_images(dataset, max_images));
    dataset->unreadable = hr_alloc((size_t)dataset->count);
    if (!dataset->unreadable)
        return HIRL_E_NOMEM;
    hr_dataset_summarise(dataset);
    return HIRL_OK;
}

void hr_dataset_hold(hirl_dataset *dataset)
{
    atomic_fetch_add(&dataset->references, 1);
}

static void drop_classes(hirl_dataset *dataset)
{
    for (int32_t l = 0; l < HR_LABEL_LEVELS; l++) {
        if (dataset->class_name[l])
            hr_names_free(dataset->class_name[l], dataset->classes[l]);
        hr_free(dataset->parent[l]);
    }
}

void hr_dataset_drop(hirl_dataset *dataset)
{
    if (!dataset || atomic_fetch_sub(&dataset->references, 1) > 1)
        return;
    if (dataset->source.close)
        dataset->source.close(dataset->source.state);
    drop_classes(dataset);
    if (dataset->image_name)
        hr_names_free(dataset->image_name, dataset->count);
    for (int32_t i = 0; i < dataset->parts; i++)
        hr_free(dataset->part[i].folder);
    hr_free(atomic_load(&dataset->number));
    hr_free(dataset->unreadable);
    hr_free(dataset->label);
    hr_free(dataset->order);
    hr_context_drop(dataset->context);
    hr_free(dataset);
}

/* ---- reading ---- */

static int64_t source_index(const hirl_dataset *dataset, int64_t index)
{
    return dataset->order ? dataset->order[index] : index;
}

bool hr_is_bad_image(hirl_status status)
{
    return status == HIRL_E_FORMAT || status == HIRL_E_IO || status == HIRL_E_LIMIT ||
           status == HIRL_E_UNSUPPORTED;
}

hirl_status hr_dataset_digest(int64_t *digest, const hirl_dataset *dataset, int64_t index)
{
    if (!dataset->digest)
        return hr_fail(HIRL_E_UNSUPPORTED, "the images are no files");
    return dataset->digest(digest, dataset->source.state,
                           dataset->order ? dataset->order[index] : index);
}

hirl_status hr_dataset_read(hr_pixels *pixels, const hirl_dataset *dataset, int64_t index)
{
    if (index < 0 || index >= dataset->count)
        return hr_fail(HIRL_E_INVALID, "image %lld does not exist: the data set has %lld images",
                       (long long)index, (long long)dataset->count);
    return dataset->source.read(pixels, dataset->source.state, source_index(dataset, index));
}

int32_t hr_dataset_label(const hirl_dataset *dataset, int64_t index, int32_t level)
{
    int32_t label;

    if (index < 0 || index >= dataset->count || level < 0 || level >= dataset->levels)
        return -1;
    label = dataset->label[index];
    for (int32_t l = 0; l < level && label >= 0; l++)
        label = dataset->parent[l][label];
    return label;
}

/* Returns the numbers of all images as text, created at the first call; NULL when out of memory. */
static const char *numbers(hirl_dataset *dataset)
{
    char *made, *expected = NULL;

    if (atomic_load(&dataset->number))
        return atomic_load(&dataset->number);
    made = hr_alloc_array((size_t)dataset->count, NUMBER_TEXT);
    if (!made)
        return NULL;
    for (int64_t i = 0; i < dataset->count; i++)
        snprintf(made + i * NUMBER_TEXT, NUMBER_TEXT, "%lld", (long long)source_index(dataset, i));
    if (atomic_compare_exchange_strong(&dataset->number, &expected, made))
        return made;
    hr_free(made);
    return expected;
}

const char *hr_dataset_name(const hirl_dataset *dataset, int64_t index)
{
    const char *text;

    if (index < 0 || index >= dataset->count)
        return NULL;
    if (dataset->image_name)
        return dataset->image_name[index];
    if (dataset->source.name)
        return dataset->source.name(dataset->source.state, source_index(dataset, index));
    text =
        numbers((hirl_dataset *)dataset); /* fills a cache; the data set itself stays unchanged */
    return text ? text + index * NUMBER_TEXT : NULL;
}

/* ---- unreadable images ---- */

bool hr_dataset_marked(const hirl_dataset *dataset, int64_t index)
{
    return __atomic_load_n(&dataset->unreadable[index], __ATOMIC_RELAXED) != 0;
}

bool hr_dataset_mark(hirl_dataset *dataset, int64_t index)
{
    if (__atomic_exchange_n(&dataset->unreadable[index], 1, __ATOMIC_RELAXED))
        return false;
    atomic_fetch_add(&dataset->bad, 1);
    return true;
}

void hr_dataset_mark_all(hirl_dataset *dataset, const uint8_t *unreadable)
{
    int64_t bad = 0;

    for (int64_t i = 0; i < dataset->count; i++) { /* loader threads may read the marks */
        __atomic_store_n(&dataset->unreadable[i], unreadable[i] != 0, __ATOMIC_RELAXED);
        bad += unreadable[i] != 0;
    }
    atomic_store(&dataset->bad, bad);
}

hirl_status hr_dataset_check_bad(const hirl_dataset *dataset, double max_bad, int64_t index,
                                 const char *reason)
{
    int64_t bad = atomic_load(&dataset->bad);
    double share = (double)bad / (double)dataset->count;
    const char *name = index < 0 ? "" : hr_dataset_name(dataset, index);

    if (share <= max_bad || (max_bad > 0 && bad <= FEW_BAD))
        return HIRL_OK;
    return hr_fail(
        HIRL_E_FORMAT,
        "%lld of %lld images (%.3g of all) cannot be read, more than max_bad=%.3g%s%s%s%s",
        (long long)bad, (long long)dataset->count, share, max_bad,
        index < 0 ? "" : "; the last: ", name, index < 0 ? "" : ": ", reason);
}
