/* dataset.c - functions of <hirl/dataset.h>. */
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/record.h"
#include "context.h"
#include "data/callback.h"
#include "data/given.h"
#include "data/keys.h"
#include "data/memory.h"
#include "data/naming.h"
#include "data/npy.h"
#include "data/npy_read.h"
#include "data/open.h"
#include "data/split.h"

hirl_status hirl_dataset_open(hirl_dataset **dataset, hirl_context *context, const char *path,
                              const hirl_options *options)
{
    hr_data_config *config;
    hirl_status status;
    hr_call call;

    if (!dataset || !context)
        return hr_fail(HIRL_E_INVALID, "dataset_open: dataset or context is NULL");
    *dataset = NULL;
    config = hr_alloc(sizeof *config);
    if (!config)
        return HIRL_E_NOMEM;
    status = hr_context_enter(&call, context);
    if (status >= 0) {
        status = hr_options_read(config, &hr_data_keys, options);
        if (status >= 0)
            status = hr_dataset_open(dataset, context, path, config);
        status = hr_context_leave(&call, status);
    }
    hr_free(config);
    return status;
}

/* copies and checks the application's labels [count]; NULL: none */
static hirl_status copy_labels(hirl_dataset *dataset, const int32_t *label, int64_t count)
{
    if (!label)
        return HIRL_OK;
    dataset->label = hr_alloc_array((size_t)count, sizeof *label);
    if (!dataset->label)
        return HIRL_E_NOMEM;
    memcpy(dataset->label, label, (size_t)count * sizeof *label);
    for (int64_t i = 0; i < count; i++)
        if (label[i] < -1)
            return hr_fail(HIRL_E_INVALID, "label %d of image %lld; -1 or above is expected",
                           (int)label[i], (long long)i);
    return hr_dataset_check_labels(dataset, dataset->label, count);
}

/* labels and selection of images, for a data set whose images the application supplies */
static hirl_status complete(hirl_dataset *dataset, const int32_t *label,
                            const hr_data_config *config)
{
    HR_TRY(copy_labels(dataset, label, dataset->count));
    HR_TRY(hr_dataset_choose(dataset, config->split));
    return hr_dataset_finish(dataset, config->max_images);
}

static hirl_status open_memory(hirl_dataset *dataset, hr_memory_images *images, bool copy)
{
    size_t bytes = (size_t)(images->count * images->height * images->width * images->channels);
    uint8_t *own;

    if (!copy)
        return hr_memory_open(dataset, images);
    own = hr_alloc(bytes);
    if (!own)
        return HIRL_E_NOMEM;
    memcpy(own, images->pixels, bytes);
    images->pixels = own;
    images->owned = true;
    if (hr_memory_open(dataset, images) >= 0)
        return HIRL_OK;
    hr_free(own);
    return HIRL_E_NOMEM;
}

static hirl_status check_memory(const hr_memory_images *images)
{
    int64_t items;

    if (!images->pixels)
        return hr_fail(HIRL_E_INVALID, "images in memory: pixels is NULL");
    if (images->count < 1 || (images->channels != 1 && images->channels != 3))
        return hr_fail(HIRL_E_INVALID,
                       "images in memory: %lld of %d channels; at least 1, of 1 or 3 channels, is "
                       "expected",
                       (long long)images->count, (int)images->channels);
    if (images->height < 1 || images->width < 1)
        return hr_fail(HIRL_E_INVALID,
                       "images in memory: %lld x %lld pixels; at least 1 x 1 is expected",
                       (long long)images->width, (long long)images->height);
    HR_TRY(hr_pixels_check(images->width, images->height, 0));
    if (__builtin_mul_overflow(images->count, images->width * images->height * images->channels,
                               &items))
        return hr_fail(
            HIRL_E_LIMIT,
            "images in memory: %lld of %lld x %lld pixels have more values than 64 bits count",
            (long long)images->count, (long long)images->width, (long long)images->height);
    return HIRL_OK;
}

hirl_status hirl_dataset_from_memory(hirl_dataset **dataset, hirl_context *context,
                                     const uint8_t *pixels, int64_t count, int64_t height,
                                     int64_t width, int32_t channels, const int32_t *label,
                                     int32_t copy, const hirl_options *options)
{
    hr_memory_images images = { pixels, count, height, width, channels, false };
    hirl_dataset *made = NULL;
    hr_data_config config;
    hirl_status status;

    if (!dataset || !context)
        return hr_fail(HIRL_E_INVALID, "dataset_from_memory: dataset or context is NULL");
    *dataset = NULL;
    HR_TRY(check_memory(&images));
    HR_TRY(hr_options_read(&config, &hr_data_keys, options));
    status = hr_dataset_new(&made, context, "memory");
    if (status >= 0)
        status = open_memory(made, &images, copy != 0);
    if (status >= 0)
        status = complete(made, label, &config);
    if (status < 0) {
        hr_dataset_drop(made);
        return status;
    }
    *dataset = made;
    return HIRL_OK;
}

hirl_status hirl_dataset_from_callback(hirl_dataset **dataset, hirl_context *context,
                                       hirl_image_fn *read, void *user, hirl_release_fn *release,
                                       int64_t count, const int32_t *label,
                                       const hirl_options *options)
{
    hirl_dataset *made = NULL;
    hr_data_config config;
    hirl_status status;

    if (!dataset || !context || !read || count < 1)
        return hr_fail(
            HIRL_E_INVALID,
            "dataset_from_callback: dataset, context or read is NULL, or count %lld is below 1",
            (long long)count);
    *dataset = NULL;
    HR_TRY(hr_options_read(&config, &hr_data_keys, options));
    status = hr_dataset_new(&made, context, "callback");
    if (status >= 0)
        status = hr_callback_open(made, read, user, count, &config);
    if (status >= 0)
        status = complete(made, label, &config);
    if (status < 0) {
        hr_dataset_drop(made);
        return status;
    }
    hr_callback_release(made, release);
    *dataset = made;
    return HIRL_OK;
}

static hirl_status open_images(hirl_dataset *dataset, const hirl_image *image, int64_t count,
                               const hr_data_config *config)
{
    hirl_image *own = hr_alloc_array((size_t)count, sizeof *own);
    hirl_status status = own ? hr_given_take(own, image, 0, count) : HIRL_E_NOMEM;

    if (status >= 0)
        status = hr_given_open(dataset, own, count, config);
    if (status < 0)
        hr_free(own);
    return status;
}

hirl_status hirl_dataset_from_images(hirl_dataset **dataset, hirl_context *context,
                                     const hirl_image *image, int64_t count, const int32_t *label,
                                     const hirl_options *options)
{
    hirl_dataset *made = NULL;
    hr_data_config config;
    hirl_status status;

    if (!dataset || !context || !image || count < 1)
        return hr_fail(
            HIRL_E_INVALID,
            "dataset_from_images: dataset, context or image is NULL, or count %lld is below 1",
            (long long)count);
    *dataset = NULL;
    HR_TRY(HR_RECORD_CHECK(image, "image", hirl_image));
    HR_TRY(hr_options_read(&config, &hr_data_keys, options));
    status = hr_dataset_new(&made, context, "images");
    if (status >= 0)
        status = open_images(made, image, count, &config);
    if (status >= 0)
        status = complete(made, label, &config);
    if (status < 0) {
        hr_dataset_drop(made);
        return status;
    }
    hr_given_own(made);
    *dataset = made;
    return HIRL_OK;
}

hirl_status hirl_dataset_set_names(hirl_dataset *dataset, const char *const *name, int64_t n)
{
    if (!dataset || !name)
        return hr_fail(HIRL_E_INVALID, "dataset_set_names: %s is NULL",
                       dataset ? "name" : "dataset");
    if (n != dataset->count)
        return hr_fail(HIRL_E_INVALID, "dataset_set_names: %lld names of %lld images", (long long)n,
                       (long long)dataset->count);
    return hr_dataset_set_names(dataset, name);
}

hirl_status hirl_dataset_set_classes(hirl_dataset *dataset, int32_t level, int32_t n,
                                     const char *const *name, const int32_t *parent)
{
    if (!dataset)
        return hr_fail(HIRL_E_INVALID, "dataset_set_classes: dataset is NULL");
    return hr_dataset_set_classes(dataset, level, n, name, parent);
}

void hirl_dataset_destroy(hirl_dataset *dataset)
{
    hr_dataset_drop(dataset);
}

hirl_status hirl_dataset_describe(hirl_dataset_info *info, const hirl_dataset *dataset)
{
    hirl_dataset_info found = { 0 };

    HR_TRY(HR_RECORD_CHECK(info, "dataset_describe: info", hirl_dataset_info));
    if (!dataset)
        return hr_fail(HIRL_E_INVALID, "dataset_describe: dataset is NULL");
    found.format = dataset->format;
    found.split = dataset->split;
    found.summary = dataset->summary;
    found.splits = dataset->splits;
    found.count = dataset->count;
    found.min_width = dataset->min_width;
    found.max_width = dataset->max_width;
    found.min_height = dataset->min_height;
    found.max_height = dataset->max_height;
    found.label_levels = dataset->levels;
    found.skipped = dataset->bad;
    hr_record_fill(info, &found, sizeof found);
    return HIRL_OK;
}

int64_t hirl_dataset_count(const hirl_dataset *dataset)
{
    return dataset ? dataset->count : 0;
}

const char *hirl_dataset_name(const hirl_dataset *dataset, int64_t index)
{
    return dataset ? hr_dataset_name(dataset, index) : NULL;
}

int32_t hirl_dataset_label(const hirl_dataset *dataset, int64_t index, int32_t level)
{
    return dataset ? hr_dataset_label(dataset, index, level) : -1;
}

int32_t hirl_dataset_classes(const hirl_dataset *dataset, int32_t level)
{
    return dataset && level >= 0 && level < dataset->levels ? dataset->classes[level] : 0;
}

const char *hirl_dataset_class_name(const hirl_dataset *dataset, int32_t level, int32_t class_index)
{
    if (!dataset || level < 0 || level >= dataset->levels || class_index < 0 ||
        class_index >= dataset->classes[level] || !dataset->class_name[level])
        return NULL;
    return dataset->class_name[level][class_index];
}

hirl_status hirl_dataset_read(uint8_t **pixels, int64_t *height, int64_t *width,
                              const hirl_dataset *dataset, int64_t index)
{
    hr_pixels image = { 0 };
    hirl_status status;

    if (!pixels || !height || !width || !dataset)
        return hr_fail(HIRL_E_INVALID, "dataset_read: pixels, height, width or dataset is NULL");
    status = hr_dataset_read(&image, dataset, index);
    if (status < 0) {
        hr_pixels_done(&image);
        return status;
    }
    *pixels = image.data;
    *height = image.height;
    *width = image.width;
    return HIRL_OK;
}

hirl_status hirl_npy_read(float **data, int64_t *n, int64_t *d, const char *path)
{
    if (!data || !n || !d || !path)
        return hr_fail(HIRL_E_INVALID, "npy_read: data, n, d or path is NULL");
    return hr_npy_read(data, n, d, path, NULL);
}

hirl_status hirl_features_read(float **data, int64_t *n, int64_t *d, const char *path,
                               const hirl_options *options)
{
    hr_feature_config config;

    if (!data || !n || !d || !path)
        return hr_fail(HIRL_E_INVALID, "features_read: data, n, d or path is NULL");
    HR_TRY(hr_options_read(&config, &hr_feature_keys, options));
    return hr_npy_read(data, n, d, path, &config);
}

hirl_status hirl_npy_write(const char *path, const void *data, const char *dtype, int32_t rank,
                           const int64_t *dim)
{
    if (!path || !data || !dtype || !dim)
        return hr_fail(HIRL_E_INVALID, "npy_write: path, data, dtype or dim is NULL");
    return hr_npy_write(path, data, dtype, rank, dim);
}
