/** @file dataset.h - hirl_dataset: a source of images, with their names and labels.
 *
 * Images come from files, from memory, or from a function of the application. They are decoded when
 * they are needed, to 8-bit RGB, as Pillow decodes them; grey images get three equal channels.
 */
#ifndef HIRL_DATASET_H
#define HIRL_DATASET_H

#include <stddef.h>
#include <stdint.h>

#include "handles.h"
#include "image.h"
#include "status.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Description of a data set. */
typedef struct hirl_dataset_info {
    /** bytes; set by the caller to sizeof(hirl_dataset_info) */
    size_t struct_size;
    /** [] char, library-owned, valid until the data set is destroyed: "generated", "folder",
     * "list", "cifar10", "cifar100", "stl10", "idx", "npy", "memory" or "callback" */
    const char *format;
    /** [] char, library-owned, valid until the data set is destroyed: "train", "test", ..., or ""
     * if the data has no splits */
    const char *split;
    /** [] char, library-owned, valid until the data set is destroyed: one line for people, with the
     * number of images, their sizes, classes and splits */
    const char *summary;
    /** number of images */
    int64_t count;
    /** pixels; in a folder, of up to 64 images whose headers were read; 0: unknown */
    int64_t min_width, max_width, min_height, max_height;
    /** 0: no labels; 1: classes; above 1: a hierarchy of classes, the finest level first */
    int32_t label_levels;
    /** images that have been found unreadable so far */
    int64_t skipped;
    /** [] char, library-owned, valid until the data set is destroyed: names of all splits of the
     * data, separated by one space, or "" */
    const char *splits;
} hirl_dataset_info;

/**
 * Opens a data set: a folder with images (subfolders are classes), a text file with a path, or a
 * path and a label, in each line, CIFAR-10, CIFAR-100 or STL-10 in binary, IDX (MNIST), a NumPy
 * file, or "generated", which draws images with a known hierarchy of classes.
 *
 * The key split chooses the part of the data: auto (train; or the only part; or all of data without
 * parts), all, or the name of a part; val also finds a part called valid or dev. For nearest
 * neighbours, bank is train, and queries is test, otherwise val, if these have labels where train
 * has some; in data without these parts queries is every tenth image, and bank is all others. A
 * warning in the log reports folders that may be splits or classes, and test images that are used.
 *
 * @param[out] dataset  [1] handle, new, released with hirl_dataset_destroy(); NULL on failure
 * @param[in]  context  [1] handle, caller-owned, used during the call
 * @param[in]  path     [] char, caller-owned, read during the call; a file, a folder or
 *                      "generated"; NULL: the value of the key data
 * @param[in]  options  [1] handle, caller-owned, read during the call; keys data, split,
 *                      max_images, exif, max_pixels, generated_kind,
 *                      generated_images, generated_test_images, generated_size,
 *                      generated_seed; NULL: defaults
 *
 * @retval HIRL_E_INVALID      the data has no such split, or too few images for queries
 * @retval HIRL_E_IO           a file cannot be read
 * @retval HIRL_E_FORMAT       not one of these formats, no image, or damaged; the message gives the
 *                             file and what was expected
 * @retval HIRL_E_UNSUPPORTED  a kind of NumPy array that the library does not read
 * @retval HIRL_E_LIMIT        more than 2^32 - 1 images or 2^20 classes, or a file above its limit
 * @retval HIRL_E_NOMEM
 *
 * Threads: safe. Since 0.1.
 */
HIRL_API HIRL_NODISCARD hirl_status hirl_dataset_open(hirl_dataset **dataset, hirl_context *context,
                                                      const char *path,
                                                      const hirl_options *options);

/**
 * Makes a data set of images in memory, all of one size.
 *
 * @param[out] dataset   [1] handle, new, released with hirl_dataset_destroy(); NULL on failure
 * @param[in]  context   [1] handle, caller-owned, used during the call
 * @param[in]  pixels    [count, height, width, channels] uint8, caller-owned, kept until the data
 *                       set and its trainers are destroyed, which hirl_dataset_from_images() can
 *                       report; with copy=1 only read during the call
 * @param[in]  count     images, 1 to 2^32 - 1
 * @param[in]  height    pixels, 1 to 65536; height * width at most 2^30
 * @param[in]  width     pixels, 1 to 65536
 * @param[in]  channels  1 (grey) or 3 (RGB)
 * @param[in]  label     [count] int32, caller-owned, read during the call; class of each image, 0
 *                       to 2^20 - 1, or -1: none; NULL: no labels
 * @param[in]  copy      1: the library copies the pixels; 0: it reads the caller's
 * @param[in]  options   [1] handle, caller-owned, read during the call; keys split (auto, all,
 *                       bank, queries) and max_images; NULL: defaults
 *
 * @retval HIRL_E_INVALID  a size or a label outside its range, or no such split
 * @retval HIRL_E_LIMIT    an image, a number of images or of classes above its limit, or a product
 *                         of the sizes above 64 bits
 * @retval HIRL_E_NOMEM
 *
 * Threads: safe. Since 0.1.
 */
HIRL_API HIRL_NODISCARD hirl_status
hirl_dataset_from_memory(hirl_dataset **dataset, hirl_context *context, const uint8_t *pixels,
                         int64_t count, int64_t height, int64_t width, int32_t channels,
                         const int32_t *label, int32_t copy, const hirl_options *options);

/** Results of a hirl_image_fn. Every negative result stops the call, as HIRL_IMAGE_STOP does. */
enum { HIRL_IMAGE_STOP = -1, HIRL_IMAGE_GIVEN = 0, HIRL_IMAGE_AGAIN = 1, HIRL_IMAGE_NEVER = 2 };

/**
 * Supplies one image of the application. The library calls it for the same index as often as it
 * needs the image, and expects the same image each time. It runs on loader threads, several at a
 * time, or with loader_threads=0 on the calling thread; hirl_dataset_read(), mean=auto and std=auto
 * always read on the calling thread. It must return: no longjmp, no C++ exception.
 *
 * @param[in,out] image  [1] struct, library-owned, updated by the callback; struct_size is set
 *                       before, all other fields are 0
 * @param[in]     index  of the image, 0 to count - 1
 * @param[in]     user   [any] bytes, caller-owned, kept until the data set is destroyed
 * @return 0 (HIRL_IMAGE_GIVEN): image has the image. Otherwise its pixels are ignored and
 *         release is not called. HIRL_IMAGE_AGAIN: the image cannot be read now; the library calls
 *         again after 10 ms, 20 ms, and so on up to 1 s, at most 10 times in all (3.3 s), and then
 *         stops the call. HIRL_IMAGE_NEVER: the image is unreadable for good; a run takes another
 *         in its place, and counts it for max_bad. Below 0, or any other value: the running call
 *         stops with HIRL_E_CALLBACK, the image is not marked, and the next call reads it again
 */
typedef int32_t hirl_image_fn(hirl_image *image, int64_t index, void *user);

/**
 * Makes a data set of images that a function of the application supplies.
 *
 * @param[out] dataset  [1] handle, new, released with hirl_dataset_destroy(); NULL on failure
 * @param[in]  context  [1] handle, caller-owned, used during the call
 * @param[in]  read     [1] function, caller-owned, kept until the data set and its trainers are
 *                      destroyed
 * @param[in]  user     [any] bytes, caller-owned, kept until the same moment; passed to read
 * @param[in]  release  [1] function, caller-owned, kept until it was called with user; NULL: none
 * @param[in]  count    images, 1 to 2^32 - 1
 * @param[in]  label    [count] int32, caller-owned, read during the call; class of each image, 0 to
 *                      2^20 - 1, or -1: none; NULL: no labels
 * @param[in]  options  [1] handle, caller-owned, read during the call; keys split (auto, all, bank,
 *                      queries), max_images, exif and max_pixels; NULL: defaults
 *
 * @retval HIRL_E_INVALID  count is below 1, a label is below -1, or no such split
 * @retval HIRL_E_LIMIT    more than 2^32 - 1 images or 2^20 classes
 * @retval HIRL_E_NOMEM
 *
 * Threads: safe. Since 0.1.
 */
HIRL_API HIRL_NODISCARD hirl_status hirl_dataset_from_callback(
    hirl_dataset **dataset, hirl_context *context, hirl_image_fn *read, void *user,
    hirl_release_fn *release, int64_t count, const int32_t *label, const hirl_options *options);

/**
 * Makes a data set of images that the application holds, of any sizes, encoded or as pixels.
 *
 * @param[out] dataset  [1] handle, new, released with hirl_dataset_destroy(); NULL on failure
 * @param[in]  context  [1] handle, caller-owned, used during the call
 * @param[in]  image    [count] struct, caller-owned, read during the call; what each of them points
 *                      to is kept until its release is called, or, if release is NULL, until the
 *                      data set and its trainers are destroyed
 * @param[in]  count    images, 1 to 2^32 - 1
 * @param[in]  label    [count] int32, caller-owned, read during the call; class of each image, 0 to
 *                      2^20 - 1, or -1: none; NULL: no labels
 * @param[in]  options  [1] handle, caller-owned, read during the call; keys split (auto, all, bank,
 *                      queries), max_images, exif and max_pixels; NULL: defaults
 *
 * @retval HIRL_E_INVALID  a NULL, a description that contradicts itself, a label below -1, structs
 *                         of different sizes, or no such split
 * @retval HIRL_E_LIMIT    an image, a number of images or of classes above its limit
 * @retval HIRL_E_VERSION  a newer field is not zero (hirl.h, Structs)
 * @retval HIRL_E_NOMEM
 *
 * Threads: safe. Since 0.1.
 */
HIRL_API HIRL_NODISCARD hirl_status hirl_dataset_from_images(hirl_dataset **dataset,
                                                             hirl_context *context,
                                                             const hirl_image *image, int64_t count,
                                                             const int32_t *label,
                                                             const hirl_options *options);

/**
 * Names the images of a data set from memory, images or a callback. A run, a tree and
 * hirl_dataset_name() have these names in place of numbers, and a resumed run compares them.
 *
 * @param[in,out] dataset  [1] handle, caller-owned, updated during the call
 * @param[in]     name     [n] pointers to [] char, caller-owned, read during the call; not NULL
 * @param[in]     n        names; has to be hirl_dataset_count()
 *
 * @retval HIRL_E_INVALID  a NULL, or another n
 * @retval HIRL_E_STATE    the images are files, which have names, or a trainer uses the data set
 * @retval HIRL_E_NOMEM
 *
 * Threads: exclusive. Since 0.1.
 */
HIRL_API HIRL_NODISCARD hirl_status hirl_dataset_set_names(hirl_dataset *dataset,
                                                           const char *const *name, int64_t n);

/**
 * Describes the classes on one level of the labels of a data set from memory, images or a callback,
 * and places the level above. A data set with labels begins with level 0 alone; each call with
 * parents adds, or replaces, the next coarser level, up to 4 levels.
 *
 * @param[in,out] dataset  [1] handle, caller-owned, updated during the call; with labels
 * @param[in]     level    of the labels, 0 (the finest) to label_levels - 1
 * @param[in]     n        classes on this level; on level 0 at least one more than the largest
 *                         label, above exactly hirl_dataset_classes()
 * @param[in]     name     [n] pointers to [] char, caller-owned, read during the call; NULL:
 *                         classes are named by number
 * @param[in]     parent   [n] int32, caller-owned, read during the call; class of each class on the
 *                         next level, 0 to 2^20 - 1; NULL: this level becomes the last
 *
 * @retval HIRL_E_INVALID  a NULL, no labels, a level, a number of classes or a parent outside its
 *                         range, or a fifth level
 * @retval HIRL_E_STATE    the labels come from files, or a trainer uses the data set
 * @retval HIRL_E_NOMEM
 *
 * Threads: exclusive. Since 0.1.
 */
HIRL_API HIRL_NODISCARD hirl_status hirl_dataset_set_classes(hirl_dataset *dataset, int32_t level,
                                                             int32_t n, const char *const *name,
                                                             const int32_t *parent);

/**
 * Releases a data set. A trainer that was made with it keeps it alive.
 *
 * @param[in] dataset  [1] handle, caller-owned, released by the call; NULL: nothing happens
 *
 * Threads: exclusive. Since 0.1.
 */
HIRL_API void hirl_dataset_destroy(hirl_dataset *dataset);

/**
 * Describes a data set.
 *
 * @param[in,out] info     [1] struct, caller-owned, updated during the call; struct_size is set
 *                         before, the other fields are written on success
 * @param[in]     dataset  [1] handle, caller-owned, read during the call
 *
 * @retval HIRL_E_INVALID  info or dataset is NULL, or struct_size is not set
 *
 * Threads: safe. Since 0.1.
 */
HIRL_API HIRL_NODISCARD hirl_status hirl_dataset_describe(hirl_dataset_info *info,
                                                          const hirl_dataset *dataset);

/**
 * Number of images in a data set, unreadable ones included.
 *
 * @param[in] dataset  [1] handle, caller-owned, read during the call; NULL: the result is 0
 * @return images
 *
 * Threads: safe. Since 0.1.
 */
HIRL_API int64_t hirl_dataset_count(const hirl_dataset *dataset);

/**
 * Name of an image: its path relative to the folder, or its number where images have no names.
 *
 * @param[in] dataset  [1] handle, caller-owned, read during the call; NULL: the result is NULL
 * @param[in] index    of the image, 0 to hirl_dataset_count() - 1
 * @return [] char, library-owned, valid until the data set is destroyed; NULL: index outside, or
 *         out of memory at the first name that is a number
 *
 * Threads: safe. Since 0.1.
 */
HIRL_API const char *hirl_dataset_name(const hirl_dataset *dataset, int64_t index);

/**
 * Label of an image.
 *
 * @param[in] dataset  [1] handle, caller-owned, read during the call; NULL: the result is -1
 * @param[in] index    of the image, 0 to hirl_dataset_count() - 1
 * @param[in] level    of the labels, 0 (the finest) to label_levels - 1
 * @return number of the class on this level, from 0; -1: none, or an argument outside
 *
 * Threads: safe. Since 0.1.
 */
HIRL_API int32_t hirl_dataset_label(const hirl_dataset *dataset, int64_t index, int32_t level);

/**
 * Number of classes on one level of the labels.
 *
 * @param[in] dataset  [1] handle, caller-owned, read during the call; NULL: the result is 0
 * @param[in] level    of the labels, 0 (the finest) to label_levels - 1
 * @return classes, 1 to 2^20; 0: level outside
 *
 * Threads: safe. Since 0.1.
 */
HIRL_API int32_t hirl_dataset_classes(const hirl_dataset *dataset, int32_t level);

/**
 * Name of a class.
 *
 * @param[in] dataset      [1] handle, caller-owned, read during the call; NULL: the result is NULL
 * @param[in] level        of the labels, 0 (the finest) to label_levels - 1
 * @param[in] class_index  of the class, 0 to hirl_dataset_classes() - 1
 * @return [] char, library-owned, valid until the data set is destroyed; NULL: the class has no
 *         name, or an argument outside
 *
 * Threads: safe. Since 0.1.
 */
HIRL_API const char *hirl_dataset_class_name(const hirl_dataset *dataset, int32_t level,
                                             int32_t class_index);

/**
 * Decodes one image.
 *
 * @param[out] pixels   [height, width, 3] uint8, new, released with hirl_free(); RGB
 * @param[out] height   [1] int64, caller-owned, written on success; pixels
 * @param[out] width    [1] int64, caller-owned, written on success; pixels
 * @param[in]  dataset  [1] handle, caller-owned, read during the call
 * @param[in]  index    of the image, 0 to hirl_dataset_count() - 1
 *
 * @retval HIRL_E_INVALID      a NULL, or index outside
 * @retval HIRL_E_FORMAT       the image is damaged, or neither JPEG nor PNG
 * @retval HIRL_E_IO           its file cannot be read, or the application's function returned
 *                             HIRL_IMAGE_NEVER
 * @retval HIRL_E_LIMIT        a side above 32768 pixels, more than 2^26 pixels, or a file above 64
 *                             MiB
 * @retval HIRL_E_UNSUPPORTED  a kind of JPEG or PNG that the library does not decode
 * @retval HIRL_E_CALLBACK     the application's function stopped the call, or asked too often for
 *                             another try
 * @retval HIRL_E_CANCELED     the call was stopped
 * @retval HIRL_E_NOMEM
 *
 * Threads: safe. Since 0.1.
 */
HIRL_API HIRL_NODISCARD hirl_status hirl_dataset_read(uint8_t **pixels, int64_t *height,
                                                      int64_t *width, const hirl_dataset *dataset,
                                                      int64_t index);

/**
 * Reads features as hirl_features_read() does with its defaults, but returns numbers that are not
 * finite as they are.
 *
 * @param[out] data  [n, d] float32, new, released with hirl_free()
 * @param[out] n     [1] int64, caller-owned, written on success; rows
 * @param[out] d     [1] int64, caller-owned, written on success; columns
 * @param[in]  path  [] char, caller-owned, read during the call
 *
 * @retval HIRL_E_INVALID      a NULL, or an archive of several arrays
 * @retval HIRL_E_IO           the file cannot be read
 * @retval HIRL_E_FORMAT       no NumPy file, damaged, empty, not two dimensions of numbers, or a
 *                             number beyond the range of float32
 * @retval HIRL_E_UNSUPPORTED  complex numbers, records, or an archive in a build without libzip
 * @retval HIRL_E_LIMIT        a header above 64 KiB, or a dimension above its limit
 * @retval HIRL_E_NOMEM
 *
 * Threads: safe. Since 0.1.
 */
HIRL_API HIRL_NODISCARD hirl_status hirl_npy_read(float **data, int64_t *n, int64_t *d,
                                                  const char *path);

/**
 * Reads features from a NumPy file (.npy) or archive (.npz): integers, or floats of 2, 4 or 8
 * bytes, in either byte order, in C or Fortran order.
 *
 * @param[out] data     [n, d] float32, new, released with hirl_free(); all are finite
 * @param[out] n        [1] int64, caller-owned, written on success; rows
 * @param[out] d        [1] int64, caller-owned, written on success; columns
 * @param[in]  path     [] char, caller-owned, read during the call
 * @param[in]  options  [1] handle, caller-owned, read during the call; keys features_array (name of
 *                      the array of an archive; empty: the only one) and features_bf16 (1: uint16
 *                      holds bfloat16); NULL: defaults
 *
 * @retval HIRL_E_INVALID      a NULL, or the archive has no such array, or several
 * @retval HIRL_E_IO           the file cannot be read
 * @retval HIRL_E_FORMAT       no NumPy file, damaged, empty, not two dimensions of numbers, or a
 *                             number beyond the range of float32
 * @retval HIRL_E_NONFINITE    a number is NaN or infinite; the message has its row and column
 * @retval HIRL_E_UNSUPPORTED  complex numbers, records, or an archive in a build without libzip
 * @retval HIRL_E_LIMIT        a header above 64 KiB, or a dimension above its limit
 * @retval HIRL_E_NOMEM
 *
 * Threads: safe. Since 0.1.
 */
HIRL_API HIRL_NODISCARD hirl_status hirl_features_read(float **data, int64_t *n, int64_t *d,
                                                       const char *path,
                                                       const hirl_options *options);

/**
 * Writes an array to a NumPy file. An existing file is replaced atomically: after a failure it is
 * as before.
 *
 * @param[in] path   [] char, caller-owned, read during the call
 * @param[in] data   [dim] bytes, caller-owned, read during the call; in C order
 * @param[in] dtype  [] char, caller-owned, read during the call; type of the numbers in data: "f4"
 *                   (float32), "i4" (int32), "i8" (int64) or "u1" (uint8)
 * @param[in] rank   number of dimensions, 1 to 8
 * @param[in] dim    [rank] int64, caller-owned, read during the call; size of each dimension, from
 *                   0
 *
 * @retval HIRL_E_INVALID  a NULL, another dtype, or a rank or a size outside its range
 * @retval HIRL_E_IO, HIRL_E_NOSPC, HIRL_E_DURABILITY, HIRL_E_NOMEM
 *
 * Threads: safe. Since 0.1.
 */
HIRL_API HIRL_NODISCARD hirl_status hirl_npy_write(const char *path, const void *data,
                                                   const char *dtype, int32_t rank,
                                                   const int64_t *dim);

#ifdef __cplusplus
}
#endif

#endif
