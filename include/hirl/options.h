/** @file options.h - key = value, one flat name space for every object; a value out of its range is refused when it is set, what does not fit others at create. */
#ifndef HIRL_OPTIONS_H
#define HIRL_OPTIONS_H

#include <stddef.h>
#include <stdint.h>

#include "handles.h"
#include "status.h"

#ifdef __cplusplus
extern "C" {
#endif

/** What one key is; strings are static. */
typedef struct hirl_option_info {
    size_t struct_size;        /**< set by the caller to sizeof(hirl_option_info) */
    const char *name;          /**< "batch_size" */
    const char *type;          /**< "int", "real", "text", "flag", "choice", "list" */
    const char *default_value; /**< as text */
    const char *range;         /**< "1 to 65536", "auto cpu cuda cuda:N", or "" */
    const char *unit;          /**< "images", "epochs", or "" */
    const char *help;          /**< one line */
    const char *object;        /**< "context", "data", "model", "train", "cluster", "loss", "eval" */
} hirl_option_info;

/** An empty set of options: every key has its default. @retval HIRL_E_NOMEM Threads: safe. Since 0.1. */
HIRL_API HIRL_NODISCARD hirl_status hirl_options_create(hirl_options **options);
/** NULL is fine. Threads: not while another call uses it. Since 0.1. */
HIRL_API void hirl_options_destroy(hirl_options *options);

/**
 * Sets a key from text ("32", "0.03", "2e-6", "1", "paper", "800,200,50").
 *
 * @retval HIRL_E_INVALID  an unknown key (the message names the nearest), a value of the wrong type or
 *                         out of its range
 * @retval HIRL_E_NOMEM
 * Threads: one call per options at a time. Since 0.1.
 */
HIRL_API HIRL_NODISCARD hirl_status hirl_options_set(hirl_options *options, const char *key,
                                                     const char *value);
/** As hirl_options_set(), from a number. Threads: one call per options at a time. Since 0.1. */
HIRL_API HIRL_NODISCARD hirl_status hirl_options_set_int(hirl_options *options, const char *key,
                                                         int64_t value);
/** As hirl_options_set(), from a number. Threads: one call per options at a time. Since 0.1. */
HIRL_API HIRL_NODISCARD hirl_status hirl_options_set_real(hirl_options *options, const char *key,
                                                          double value);

/**
 * Writes a preset's values under those already set by the caller ("hirl-mocov2-small").
 * @retval HIRL_E_INVALID  an unknown preset (the message lists them)
 * @retval HIRL_E_NOMEM
 * Threads: one call per options at a time. Since 0.1.
 */
HIRL_API HIRL_NODISCARD hirl_status hirl_options_preset(hirl_options *options, const char *preset);

/** Reads key = value from the YAML or JSON file at `path`, under the values already set.
 * @retval HIRL_E_IO, HIRL_E_FORMAT, HIRL_E_INVALID, HIRL_E_LIMIT, HIRL_E_NOMEM
 * Threads: one call per options at a time. Since 0.1. */
HIRL_API HIRL_NODISCARD hirl_status hirl_options_load(hirl_options *options, const char *path);

/**
 * What a run with these options would use: every key with its value, what follows from others (both rates,
 * the views, groups of the norms) and what `auto` stands for included. Making a run of them gives the same run.
 *
 * @param[out] resolved  a set of its own, with the origins of `options`; untouched on failure
 * @param images         in the data set; 0: not known, and every `auto` that follows from it stays
 * @retval HIRL_E_INVALID  values that cannot go together, as hirl_trainer_create() says
 * @retval HIRL_E_NOMEM
 * Threads: one call per options at a time. Since 0.1.
 */
HIRL_API HIRL_NODISCARD hirl_status hirl_options_resolve(hirl_options **resolved,
                                                         const hirl_options *options,
                                                         int64_t images);

/** The value in force: set, from the preset, the method's, or the default. Borrowed until the next set; NULL: unknown key.
 * Threads: one call per options at a time. Since 0.1. */
HIRL_API const char *hirl_options_get(const hirl_options *options, const char *key);
/** 3 set by the caller, 2 read from a file, 1 from a preset, 0 the method's or the default, -1 unknown key.
 * Threads: one call per options at a time. Since 0.1. */
HIRL_API int32_t hirl_options_origin(const hirl_options *options, const char *key);

/** Number of keys. Threads: safe. Since 0.1. */
HIRL_API int32_t hirl_options_count(void);
/** What the index-th key is; info->struct_size is set by the caller.
 * @retval HIRL_E_INVALID index out of range or struct_size too small. Threads: safe. Since 0.1. */
HIRL_API HIRL_NODISCARD hirl_status hirl_options_describe(hirl_option_info *info, int32_t index);

/** Number of presets, and the name of the index-th (NULL outside). Static. Threads: safe. Since 0.1. */
HIRL_API int32_t hirl_preset_count(void);
HIRL_API const char *hirl_preset_name(int32_t index);

#ifdef __cplusplus
}
#endif

#endif
