/** @file model.h - hirl_model: encoder and heads. A model is never changed after it was made. */
#ifndef HIRL_MODEL_H
#define HIRL_MODEL_H

#include <stddef.h>
#include <stdint.h>

#include "handles.h"
#include "status.h"

#ifdef __cplusplus
extern "C" {
#endif

/**
 * A fresh model: encoder, head of the method, h_l, by the options of object "model"; weights drawn
 * from `seed`.
 * @retval HIRL_E_INVALID  an option that cannot be
 * @retval HIRL_E_UNSUPPORTED  the backend lacks operations, named
 * @retval HIRL_E_NOMEM
 * Threads: safe per context. Since 0.1.
 */
HIRL_API HIRL_NODISCARD hirl_status hirl_model_create(hirl_model **model, hirl_context *context,
                                                      const hirl_options *options);

/**
 * Reads a model file, a run directory (network=auto: its model.safetensors when the run is finished,
 * else its newest whole checkpoint) or a checkpoint.
 * @param path     of the file or folder
 * @param options  key network (auto, online, teacher); NULL: auto
 * @retval HIRL_E_INVALID  another option, or a network that the file has not
 * @retval HIRL_E_STATE    a run directory without a whole checkpoint
 * @retval HIRL_E_IO, HIRL_E_FORMAT, HIRL_E_VERSION, HIRL_E_UNSUPPORTED, HIRL_E_LIMIT, HIRL_E_NOMEM
 * Threads: safe per context. Since 0.1.
 */
HIRL_API HIRL_NODISCARD hirl_status hirl_model_load(hirl_model **model, hirl_context *context,
                                                    const char *path, const hirl_options *options);

/**
 * Writes a model file at `path`: safetensors with torchvision's and timm's names, replaced atomically.
 * @retval HIRL_E_IO, HIRL_E_NOSPC, HIRL_E_DURABILITY, HIRL_E_NOMEM
 * Threads: safe. Since 0.1.
 */
HIRL_API HIRL_NODISCARD hirl_status hirl_model_save(const hirl_model *model, const char *path);

/** NULL is fine. Threads: not while another call uses it. Since 0.1. */
HIRL_API void hirl_model_destroy(hirl_model *model);

/** What the model is. Strings are borrowed until the model ends. */
typedef struct hirl_model_info {
    size_t struct_size;      /**< set by the caller */
    const char *arch;        /**< "resnet18" */
    const char *method;      /**< "mocov2" */
    const char *network;     /**< "online" or "teacher" */
    int32_t levels;          /**< L heads h_l, 0: none */
    int32_t image_size;      /**< side of the input, pixels */
    int64_t backbone_dim;    /**< columns of layer=backbone */
    int64_t z_dim;           /**< columns of z0..zL */
    int64_t parameters;      /**< numbers in encoder and heads */
} hirl_model_info;

/** What the model is; info->struct_size is set by the caller. @retval HIRL_E_INVALID Threads: safe. Since 0.1. */
HIRL_API HIRL_NODISCARD hirl_status hirl_model_describe(hirl_model_info *info, const hirl_model *model);

/**
 * What hirl_model_create would make of these options (NULL: defaults), without making it: no weights are drawn.
 * info->struct_size is set by the caller; the strings are static.
 * @retval HIRL_E_INVALID  an option that cannot be
 * @retval HIRL_E_NOMEM
 * Threads: safe. Since 0.1.
 */
HIRL_API HIRL_NODISCARD hirl_status hirl_model_plan(hirl_model_info *info, const hirl_options *options);

/** Columns of a layer ("backbone", "z0", "z1", ...; NULL: "backbone"), -1: no such layer. Threads: safe. Since 0.1. */
HIRL_API int64_t hirl_model_dim(const hirl_model *model, const char *layer);

/**
 * Features of images of any size: the stored preprocessing, then the encoder in evaluation mode.
 *
 * @param[out] features  [n, dim]  f32, dim = hirl_model_dim(model, layer)
 * @param model
 * @param layer          "backbone", "z0", "z1" .. "zL"; NULL: "backbone"
 * @param pixels         [n]       pointers to u8 [height, width, 3] RGB
 * @param height         [n]       pixels
 * @param width          [n]       pixels
 * @param n              images, >= 1
 *
 * @retval HIRL_E_INVALID, HIRL_E_NOMEM, HIRL_E_CANCELED
 * Threads: safe: many threads may embed with one model. Since 0.1.
 */
HIRL_API HIRL_NODISCARD hirl_status hirl_model_embed(float *features, const hirl_model *model,
                                                     const char *layer, const uint8_t *const *pixels,
                                                     const int64_t *height, const int64_t *width, int64_t n);

/**
 * The same features [n, dim] of a layer from input that the host has preprocessed:
 * [n, image_size, image_size, 3] f32, normalised with the model's mean and std. It is not looked at: where it is not
 * finite, features are not.
 * @retval HIRL_E_INVALID, HIRL_E_NOMEM, HIRL_E_CANCELED
 * Threads: safe. Since 0.1.
 */
HIRL_API HIRL_NODISCARD hirl_status hirl_model_embed_input(float *features, const hirl_model *model,
                                                           const char *layer, const float *input, int64_t n);

/**
 * Features of a whole data set, decoded by its loader threads.
 *
 * @param[out] features  [count, dim]; rows of unreadable images are 0
 * @param[out] readable  [count] 1 or 0, or NULL
 * @param layer          as in hirl_model_embed()
 * @param options        keys loader_threads, eval_batch, max_bad; NULL: defaults
 * @retval HIRL_E_INVALID   a layer that the model has not, or a data set of another context
 * @retval HIRL_E_CANCELED  stopped on request
 * @retval HIRL_E_FORMAT    more than max_bad unreadable
 * @retval HIRL_E_NOMEM
 * Threads: one call per context at a time. Since 0.1.
 */
HIRL_API HIRL_NODISCARD hirl_status hirl_model_embed_dataset(float *features, uint8_t *readable,
                                                             const hirl_model *model, const char *layer,
                                                             hirl_dataset *dataset,
                                                             const hirl_options *options);

#ifdef __cplusplus
}
#endif

#endif
