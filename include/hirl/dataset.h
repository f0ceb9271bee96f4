/** @file dataset.h - hirl_dataset: where images come from. */
#ifndef HIRL_DATASET_H
#define HIRL_DATASET_H

#include <stddef.h>
#include <stdint.h>

#include "handles.h"
#include "status.h"

#ifdef __cplusplus
extern "C" {
#endif

/** What was found. Strings are borrowed until the data set ends. */
typedef struct hirl_dataset_info {
    size_t struct_size;   /**< set by the caller */
    const char *format;   /**< "generated", "folder", "cifar10", "cifar100", "idx", "npy", "memory", "callback" */
    const char *split;    /**< "train", "test", ..., or "" when there are none */
    const char *summary;  /**< one line for people: count, sizes, classes, splits */
    int64_t count;        /**< images */
    int64_t min_width, max_width, min_height, max_height; /**< pixels; folders: of up to 64 images that were looked at; 0: not known */
    int32_t label_levels; /**< 0: no labels; 1: classes; more: a hierarchy, fine first */
    int32_t classes[4];   /**< of each level, fine first */
    int64_t skipped;      /**< images found unreadable so far */
    const char *splits;   /**< names of the splits that the data has, separated by one space, or "" */
} hirl_dataset_info;

/**
 * Opens data at `path`: a folder or tree of images, CIFAR binary, IDX, .npy, or "generated".
 *
 * `split` is auto (train, or the only one, or all of data without splits), all, the name of a split,
 * or for nearest neighbours bank (train) and queries (test, else validation, else val): without such
 * splits all but every tenth image, and every tenth.
 *
 * @param path     file or folder, "generated", or NULL: the key data
 * @param options  keys data (used when path is NULL), split, max_images, exif, generated_images,
 *                 generated_test_images, generated_size, generated_seed; NULL: defaults
 * @retval HIRL_E_INVALID      a split that the data has not, too few images to hold some out
 * @retval HIRL_E_IO           cannot be read
 * @retval HIRL_E_FORMAT       none of these, no images, or damaged (which file, what was expected)
 * @retval HIRL_E_UNSUPPORTED  a kind of array that is not read
 * @retval HIRL_E_LIMIT        larger than a limit
 * @retval HIRL_E_NOMEM
 * Threads: safe per context. Since 0.1.
 */
HIRL_API HIRL_NODISCARD hirl_status hirl_dataset_open(hirl_dataset **dataset, hirl_context *context,
                                                      const char *path, const hirl_options *options);

/**
 * Images in memory: pixels u8 [count, height, width, channels], channels 1 or 3; copied when copy is not 0,
 * else they must outlive the data set. label [count] (copied; -1: none) or NULL.
 * @retval HIRL_E_INVALID  sizes or labels that cannot be
 * @retval HIRL_E_LIMIT    a side above 32768 or more than 2^26 pixels, more than 2^32 - 1 images or 2^20
 *                         classes, larger than 64 bits can count
 * @retval HIRL_E_NOMEM
 * Threads: safe per context. Since 0.1.
 */
HIRL_API HIRL_NODISCARD hirl_status hirl_dataset_from_memory(hirl_dataset **dataset, hirl_context *context,
                                                             const uint8_t *pixels, int64_t count,
                                                             int64_t height, int64_t width,
                                                             int32_t channels, const int32_t *label,
                                                             int32_t copy, const hirl_options *options);

/** What a data callback hands over: encoded bytes (JPEG, PNG) or pixels. */
typedef struct hirl_image {
    size_t struct_size;
    const uint8_t *encoded; /**< JPEG or PNG bytes, or NULL */
    size_t encoded_bytes;
    const uint8_t *pixels;  /**< u8 [height, width, channels], when encoded is NULL */
    int64_t height, width;
    int32_t channels;       /**< 1 or 3 */
    void (*release)(void *token); /**< called when the bytes are no longer needed, or NULL */
    void *token;
} hirl_image;

/**
 * The host's own images. Called for index in [0, count), from loader threads (several at a time) or,
 * with loader_threads=0, from the calling thread; hirl_dataset_read(), mean=auto and std=auto read on the
 * calling thread whatever loader_threads is. Return 0, or a negative value: the image is bad.
 */
typedef int32_t hirl_image_fn(hirl_image *image, int64_t index, void *user);

/** A data set of `count` images that `read`, called with `user`, hands over. label [count] (copied) or NULL.
 * @retval HIRL_E_LIMIT  more than 2^32 - 1 images or 2^20 classes
 * @retval HIRL_E_INVALID, HIRL_E_NOMEM
 * Threads: safe per context. Since 0.1. */
HIRL_API HIRL_NODISCARD hirl_status hirl_dataset_from_callback(hirl_dataset **dataset, hirl_context *context,
                                                               hirl_image_fn *read, void *user,
                                                               int64_t count, const int32_t *label,
                                                               const hirl_options *options);

/** NULL is fine. Threads: not while another call uses it. Since 0.1. */
HIRL_API void hirl_dataset_destroy(hirl_dataset *dataset);

/** What was found; info->struct_size is set by the caller. @retval HIRL_E_INVALID Threads: safe. Since 0.1. */
HIRL_API HIRL_NODISCARD hirl_status hirl_dataset_describe(hirl_dataset_info *info, const hirl_dataset *dataset);
/** Images of the set; 0 for NULL. Threads: safe. Since 0.1. */
HIRL_API int64_t hirl_dataset_count(const hirl_dataset *dataset);

/** Name of image i (path relative to the root, or its number); borrowed until the data set ends; NULL outside,
 * or, for the first name that is a number, out of memory.
 * Threads: safe. Since 0.1. */
HIRL_API const char *hirl_dataset_name(const hirl_dataset *dataset, int64_t index);
/** Label of image i at a level (0: fine); -1: none. Threads: safe. Since 0.1. */
HIRL_API int32_t hirl_dataset_label(const hirl_dataset *dataset, int64_t index, int32_t level);
/** Name of a class; borrowed; NULL outside. Threads: safe. Since 0.1. */
HIRL_API const char *hirl_dataset_class_name(const hirl_dataset *dataset, int32_t level, int32_t class_index);

/**
 * Decodes the image `index` to u8 RGB [height, width, 3]; *pixels is freed with hirl_free().
 * @retval HIRL_E_FORMAT, HIRL_E_IO, HIRL_E_LIMIT, HIRL_E_UNSUPPORTED, HIRL_E_CALLBACK  it cannot be read, with the reason
 * @retval HIRL_E_INVALID  a NULL, or an index outside the set
 * @retval HIRL_E_NOMEM
 * Threads: safe. Since 0.1.
 */
HIRL_API HIRL_NODISCARD hirl_status hirl_dataset_read(uint8_t **pixels, int64_t *height, int64_t *width,
                                                      const hirl_dataset *dataset, int64_t index);

/**
 * Reads features from a NumPy file: [n, d] of f2, f4 or f8, little-endian, C order.
 *
 * @param[out] data  [n, d]  f32, freed with hirl_free()
 * @param[out] n     rows
 * @param[out] d     columns
 * @param path       of the file
 * @retval HIRL_E_IO, HIRL_E_FORMAT, HIRL_E_UNSUPPORTED, HIRL_E_LIMIT, HIRL_E_NOMEM  with what was expected
 * Threads: safe. Since 0.1.
 */
HIRL_API HIRL_NODISCARD hirl_status hirl_npy_read(float **data, int64_t *n, int64_t *d, const char *path);
/**
 * Writes a NumPy file, replaced atomically.
 *
 * @param path   of the file
 * @param data   C order
 * @param dtype  of data: "f4", "i4", "i8" or "u1"
 * @param rank   1 to 8
 * @param dim    [rank]
 * @retval HIRL_E_INVALID, HIRL_E_IO, HIRL_E_NOSPC, HIRL_E_DURABILITY, HIRL_E_NOMEM
 * Threads: safe. Since 0.1.
 */
HIRL_API HIRL_NODISCARD hirl_status hirl_npy_write(const char *path, const void *data, const char *dtype,
                                                   int32_t rank, const int64_t *dim);

#ifdef __cplusplus
}
#endif

#endif
