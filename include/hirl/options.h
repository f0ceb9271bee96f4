/** @file options.h - hirl_options: the values of named keys.
 *
 * All objects share one flat name space: the same options may be passed to the context, the data
 * set, the model and the trainer, and each reads its own keys. A value of the wrong type, or
 * outside the range of its key, is refused when it is set; values that contradict each other are
 * refused when an object is made of them.
 *
 * The value of a key comes from the strongest of these origins: set by the caller, read from a
 * file, preset, method (key method), default.
 *
 *     hirl_options_preset(options, "hirl-mocov2-small");
 *     hirl_options_set(options, "batch_size", "64");        overrides the preset
 */
#ifndef HIRL_OPTIONS_H
#define HIRL_OPTIONS_H

#include <stddef.h>
#include <stdint.h>

#include "handles.h"
#include "status.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Description of one key, for help texts and language bindings. */
typedef struct hirl_option_info {
    /** bytes; set by the caller to sizeof(hirl_option_info) */
    size_t struct_size;
    /** [] char, library-owned, valid until the process ends: "batch_size" */
    const char *name;
    /** [] char, library-owned, valid until the process ends: "int", "real", "text", "flag",
     * "choice" or "list" */
    const char *type;
    /** [] char, library-owned, valid until the process ends: the default as text */
    const char *default_value;
    /** [] char, library-owned, valid until the process ends: "1 to 65536", the words of a choice
     * ("auto online teacher"), or "" */
    const char *range;
    /** [] char, library-owned, valid until the process ends: "images", "epochs", or "" */
    const char *unit;
    /** [] char, library-owned, valid until the process ends: what the key does, in one line */
    const char *help;
    /** [] char, library-owned, valid until the process ends: the object that reads the key,
     * "context", "data", "model", "train", "cluster", "loss" or "eval" */
    const char *object;
} hirl_option_info;

/**
 * Makes an empty set of options, in which every key has its default.
 *
 * @param[out] options  [1] handle, new, released with hirl_options_destroy(); NULL on failure
 *
 * @retval HIRL_E_INVALID  options is NULL
 * @retval HIRL_E_NOMEM
 *
 * Threads: safe. Since 0.1.
 */
HIRL_API HIRL_NODISCARD hirl_status hirl_options_create(hirl_options **options);

/**
 * Releases options. Objects that were made with them keep their own copy.
 *
 * @param[in] options  [1] handle, caller-owned, released by the call; NULL: nothing happens
 *
 * Threads: exclusive. Since 0.1.
 */
HIRL_API void hirl_options_destroy(hirl_options *options);

/**
 * Sets a key from text.
 *
 * @param[in,out] options  [1] handle, caller-owned, updated during the call
 * @param[in]     key      [] char, caller-owned, read during the call; for example "batch_size"
 * @param[in]     value    [] char, caller-owned, read during the call; for example "32", "0.03",
 *                         "2e-6", "paper", "true", "800,200,50"; the locale has no influence
 *
 * @retval HIRL_E_INVALID  an unknown key, with the most similar known one; a value of the wrong
 *                         type or outside its range, with the expected values
 * @retval HIRL_E_NOMEM
 *
 * Threads: one call per options at a time. Since 0.1.
 */
HIRL_API HIRL_NODISCARD hirl_status hirl_options_set(hirl_options *options, const char *key,
                                                     const char *value);

/**
 * Sets a key from an integer, as hirl_options_set() does from text.
 *
 * @param[in,out] options  [1] handle, caller-owned, updated during the call
 * @param[in]     key      [] char, caller-owned, read during the call
 * @param[in]     value    the number
 *
 * Errors: as hirl_options_set().
 *
 * Threads: one call per options at a time. Since 0.1.
 */
HIRL_API HIRL_NODISCARD hirl_status hirl_options_set_int(hirl_options *options, const char *key,
                                                         int64_t value);

/**
 * Sets a key from a real number, as hirl_options_set() does from text.
 *
 * @param[in,out] options  [1] handle, caller-owned, updated during the call
 * @param[in]     key      [] char, caller-owned, read during the call
 * @param[in]     value    the number; it is kept exactly
 *
 * Errors: as hirl_options_set().
 *
 * Threads: one call per options at a time. Since 0.1.
 */
HIRL_API HIRL_NODISCARD hirl_status hirl_options_set_real(hirl_options *options, const char *key,
                                                          double value);

/**
 * Sets the values of a preset, a named experiment. They are weaker than all values that the caller
 * has set or read from a file, whatever the order of the calls. A second preset replaces the first.
 *
 * @param[in,out] options  [1] handle, caller-owned, updated during the call
 * @param[in]     preset   [] char, caller-owned, read during the call; a result of
 *                         hirl_preset_name(), for example "hirl-mocov2-small"
 *
 * @retval HIRL_E_INVALID  an unknown preset, with the most similar one or the list of all
 * @retval HIRL_E_NOMEM
 *
 * Threads: one call per options at a time. Since 0.1.
 */
HIRL_API HIRL_NODISCARD hirl_status hirl_options_preset(hirl_options *options, const char *preset);

/**
 * Reads values from a file: one flat mapping of keys to values, JSON if the name ends with .json,
 * otherwise YAML. They are weaker than all values that the caller has set. On failure no value of
 * the file is taken.
 *
 * @param[in,out] options  [1] handle, caller-owned, updated during the call
 * @param[in]     path     [] char, caller-owned, read during the call
 *
 * @retval HIRL_E_IO       the file cannot be read
 * @retval HIRL_E_FORMAT   no such mapping, a key that is given twice, or damaged, with the line
 * @retval HIRL_E_INVALID  as hirl_options_set(), with the line
 * @retval HIRL_E_LIMIT    a file above 1 MiB, or a text above 1023 bytes
 * @retval HIRL_E_NOMEM
 *
 * Threads: one call per options at a time. Since 0.1.
 */
HIRL_API HIRL_NODISCARD hirl_status hirl_options_load(hirl_options *options, const char *path);

/**
 * Computes the values that a run with these options would use. Every key has a value then: keys
 * that follow from others (both learning rates, the views, the groups of batch norm) and those that
 * were auto are filled in. A run made of the result is the same run.
 *
 * @param[out] resolved  [1] handle, new, released with hirl_options_destroy(); unchanged on
 *                       failure; values keep their origins
 * @param[in]  options   [1] handle, caller-owned, read during the call
 * @param[in]  images    number of images in the data set, from 1; 0: unknown, and each auto that
 *                       depends on it stays auto
 *
 * @retval HIRL_E_INVALID  values that contradict each other, as in hirl_trainer_create()
 * @retval HIRL_E_NOMEM
 *
 * Threads: one call per options at a time. Since 0.1.
 */
HIRL_API HIRL_NODISCARD hirl_status hirl_options_resolve(hirl_options **resolved,
                                                         const hirl_options *options,
                                                         int64_t images);

/**
 * The value of a key, as text, from the strongest of its origins.
 *
 * @param[in] options  [1] handle, caller-owned, read during the call
 * @param[in] key      [] char, caller-owned, read during the call
 * @return [] char, library-owned, valid until the options are changed or destroyed; NULL: unknown
 *         key
 *
 * Threads: one call per options at a time. Since 0.1.
 */
HIRL_API const char *hirl_options_get(const hirl_options *options, const char *key);

/**
 * Where the value of a key comes from.
 *
 * @param[in] options  [1] handle, caller-owned, read during the call
 * @param[in] key      [] char, caller-owned, read during the call
 * @return 3: set by the caller; 2: read from a file; 1: of a preset; 0: of the method, or the
 *         default; -1: unknown key
 *
 * Threads: one call per options at a time. Since 0.1.
 */
HIRL_API int32_t hirl_options_origin(const hirl_options *options, const char *key);

/**
 * Number of keys that the library knows.
 *
 * @return the number
 *
 * Threads: safe. Since 0.1.
 */
HIRL_API int32_t hirl_options_count(void);

/**
 * Describes one key.
 *
 * @param[in,out] info   [1] struct, caller-owned, updated during the call; struct_size is set
 *                       before, the other fields are written on success
 * @param[in]     index  of the key, 0 to hirl_options_count() - 1
 *
 * @retval HIRL_E_INVALID  index outside, info is NULL, or struct_size is not set
 *
 * Threads: safe. Since 0.1.
 */
HIRL_API HIRL_NODISCARD hirl_status hirl_options_describe(hirl_option_info *info, int32_t index);

/**
 * Number of presets.
 *
 * @return the number
 *
 * Threads: safe. Since 0.1.
 */
HIRL_API int32_t hirl_preset_count(void);

/**
 * Name of a preset. "mocov2" is an experiment of the HIRL paper, "hirl-mocov2" the same with HIRL,
 * "mocov2-small" a version for images of 32 x 32 pixels on one machine without a GPU.
 *
 * @param[in] index  of the preset, 0 to hirl_preset_count() - 1
 * @return [] char, library-owned, valid until the process ends; NULL: index outside
 *
 * Threads: safe. Since 0.1.
 */
HIRL_API const char *hirl_preset_name(int32_t index);

#ifdef __cplusplus
}
#endif

#endif
