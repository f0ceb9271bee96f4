/** @file model.h - hirl_model: an encoder with its heads. A model never changes after it was made,
 * unless the application calls hirl_model_set_weight(), so many threads may use one model at the
 * same time.
 *
 * A model has these layers, which functions take by name:
 *
 *     "backbone"    pooled features of the encoder: average over the feature map of a ResNet, class
 *                   token of a vision transformer
 *     "z0"          output of the method's head, before it is normalised
 *     "z1" .. "zL"  outputs of HIRL's heads h_l, one per level; a teacher has none
 */
#ifndef HIRL_MODEL_H
#define HIRL_MODEL_H

#include <stddef.h>
#include <stdint.h>

#include "handles.h"
#include "image.h"
#include "status.h"
#include "stream.h"

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Makes a model with random weights: encoder, head of the method, and the heads h_l.
 *
 * @param[out] model    [1] handle, new, released with hirl_model_destroy(); NULL on failure
 * @param[in]  context  [1] handle, caller-owned, used during the call
 * @param[in]  options  [1] handle, caller-owned, read during the call; keys of object "model", for
 *                      example method, arch, image_size, seed (of the weights); mean and std are
 *                      numbers, not auto; NULL: defaults
 *
 * @retval HIRL_E_INVALID      a NULL, or options that contradict each other
 * @retval HIRL_E_UNSUPPORTED  the backend lacks operations, which the message names
 * @retval HIRL_E_NOMEM
 *
 * Threads: safe. Since 0.1.
 */
HIRL_API HIRL_NODISCARD hirl_status hirl_model_create(hirl_model **model, hirl_context *context,
                                                      const hirl_options *options);

/**
 * Reads a model from a model file, a checkpoint, or the directory of a run.
 *
 * @param[out] model    [1] handle, new, released with hirl_model_destroy(); NULL on failure
 * @param[in]  context  [1] handle, caller-owned, used during the call
 * @param[in]  path     [] char, caller-owned, read during the call; a file, or the directory of a
 *                      run: its model.safetensors if network=auto and the run has finished,
 *                      otherwise its newest complete checkpoint. A warning is logged if another
 *                      program wrote the file again, or if a damaged file of the run was left out
 * @param[in]  options  [1] handle, caller-owned, read during the call; key network: online, teacher
 *                      or auto (the one that the method evaluates); NULL: auto
 *
 * @retval HIRL_E_INVALID  a NULL, or a network that the file does not have
 * @retval HIRL_E_STATE    the directory of a run has no complete checkpoint
 * @retval HIRL_E_IO       the file cannot be read
 * @retval HIRL_E_FORMAT   no model, or damaged; the message has what was expected
 * @retval HIRL_E_VERSION  written by a newer version
 * @retval HIRL_E_UNSUPPORTED, HIRL_E_LIMIT, HIRL_E_NOMEM
 *
 * Threads: safe. Since 0.1.
 */
HIRL_API HIRL_NODISCARD hirl_status hirl_model_load(hirl_model **model, hirl_context *context,
                                                    const char *path, const hirl_options *options);

/**
 * Reads a model from a block of memory that holds the bytes of a file.
 *
 * @param[out] model    [1] handle, new, released with hirl_model_destroy(); NULL on failure
 * @param[in]  context  [1] handle, caller-owned, used during the call
 * @param[in]  data     [bytes] bytes, caller-owned, read during the call
 * @param[in]  bytes    of data
 * @param[in]  options  [1] handle, caller-owned, read during the call; as in hirl_model_load();
 *                      NULL: auto
 *
 * Errors: as hirl_model_load(), without those of files.
 *
 * Threads: safe. Since 0.1.
 */
HIRL_API HIRL_NODISCARD hirl_status hirl_model_from_memory(hirl_model **model,
                                                           hirl_context *context, const void *data,
                                                           size_t bytes,
                                                           const hirl_options *options);

/**
 * Reads a model whose bytes a function of the application gives.
 *
 * @param[out] model    [1] handle, new, released with hirl_model_destroy(); NULL on failure
 * @param[in]  context  [1] handle, caller-owned, used during the call
 * @param[in]  read     [1] function, caller-owned, kept until the call returns
 * @param[in]  user     [any] bytes, caller-owned, kept until the call returns; passed to read
 * @param[in]  bytes    of the whole file
 * @param[in]  options  [1] handle, caller-owned, read during the call; as in hirl_model_load();
 *                      NULL: auto
 *
 * @retval HIRL_E_CALLBACK  read failed; hirl_error_callback_value() returns its result
 * @retval HIRL_E_CANCELED  read stopped the call
 *
 * Errors: as hirl_model_load(), without those of files.
 *
 * Threads: safe. Since 0.1.
 */
HIRL_API HIRL_NODISCARD hirl_status hirl_model_read(hirl_model **model, hirl_context *context,
                                                    hirl_read_fn *read, void *user, int64_t bytes,
                                                    const hirl_options *options);

/**
 * Writes a model file: safetensors, tensors named as in torchvision (ResNet) or timm (vision
 * transformer). An existing file is replaced atomically: after a failure it is as before.
 *
 * @param[in] model  [1] handle, caller-owned, read during the call
 * @param[in] path   [] char, caller-owned, read during the call
 *
 * @retval HIRL_E_INVALID  a NULL
 * @retval HIRL_E_IO, HIRL_E_NOSPC, HIRL_E_DURABILITY, HIRL_E_NOMEM
 *
 * Threads: safe. Since 0.1.
 */
HIRL_API HIRL_NODISCARD hirl_status hirl_model_save(const hirl_model *model, const char *path);

/**
 * Writes a model into a new block of memory: the bytes that hirl_model_save() writes to a file.
 *
 * @param[out] data   [bytes] bytes, new, released with hirl_free(); NULL on failure
 * @param[out] bytes  [1] size, caller-owned, written on success
 * @param[in]  model  [1] handle, caller-owned, read during the call
 *
 * Errors: as hirl_model_save(), without those of files.
 *
 * Threads: safe. Since 0.1.
 */
HIRL_API HIRL_NODISCARD hirl_status hirl_model_to_memory(void **data, size_t *bytes,
                                                         const hirl_model *model);

/**
 * Passes the bytes that hirl_model_save() writes to a file to a function of the application.
 *
 * @param[in] model  [1] handle, caller-owned, read during the call
 * @param[in] write  [1] function, caller-owned, kept until the call returns
 * @param[in] user   [any] bytes, caller-owned, kept until the call returns; passed to write
 *
 * @retval HIRL_E_CALLBACK  write failed; hirl_error_callback_value() returns its result
 * @retval HIRL_E_CANCELED  write stopped the call
 *
 * Errors: as hirl_model_save(), without those of files.
 *
 * Threads: safe. Since 0.1.
 */
HIRL_API HIRL_NODISCARD hirl_status hirl_model_write(const hirl_model *model, hirl_write_fn *write,
                                                     void *user);

/**
 * Releases a model.
 *
 * @param[in] model  [1] handle, caller-owned, released by the call; NULL: nothing happens
 *
 * Threads: exclusive. Since 0.1.
 */
HIRL_API void hirl_model_destroy(hirl_model *model);

/** HIRL_COLOURS: red, green and blue. */
enum { HIRL_COLOURS = 3 };

/** Description of a model. */
typedef struct hirl_model_info {
    /** bytes; set by the caller to sizeof(hirl_model_info) */
    size_t struct_size;
    /** [] char, library-owned, valid until the process ends: architecture, "resnet18" */
    const char *arch;
    /** [] char, library-owned, valid until the process ends: "mocov2" */
    const char *method;
    /** [] char, library-owned, valid until the model is destroyed: "online" or "teacher" */
    const char *network;
    /** L, number of heads h_l; 0: none */
    int32_t levels;
    /** side of the input, pixels */
    int32_t image_size;
    /** columns of layer "backbone" */
    int64_t backbone_dim;
    /** columns of layers "z0" to "zL" */
    int64_t z_dim;
    /** number of parameters in encoder and heads */
    int64_t parameters;
    /** 1: the training photos were turned as their Exif tag states, so images to embed need exif=1;
     * 0: they were used as stored; -1: the training images were no files */
    int32_t exif;
    /** the shorter side is resized to this many pixels, and a square of image_size is cut from the
     * centre; 0: the whole image is resized to image_size x image_size */
    int32_t resize;
    /** red, green and blue, divided by 255, are normalised by them: (x - mean) / std */
    double mean[HIRL_COLOURS], std[HIRL_COLOURS];
    /** [] char, library-owned, valid until the process ends: filter of the resize, antialiased as
     * in Pillow: "bicubic" */
    const char *filter;
} hirl_model_info;

/**
 * Describes a model.
 *
 * @param[in,out] info   [1] struct, caller-owned, updated during the call; struct_size is set
 *                       before, the other fields are written on success
 * @param[in]     model  [1] handle, caller-owned, read during the call
 *
 * @retval HIRL_E_INVALID  a NULL, or struct_size is not set
 *
 * Threads: safe. Since 0.1.
 */
HIRL_API HIRL_NODISCARD hirl_status hirl_model_describe(hirl_model_info *info,
                                                        const hirl_model *model);

/**
 * Describes the model that hirl_model_create() would make of these options, without making it: no
 * memory is taken for weights.
 *
 * @param[in,out] info     [1] struct, caller-owned, updated during the call; as in
 *                         hirl_model_describe(), but network is valid until the process ends
 * @param[in]     options  [1] handle, caller-owned, read during the call; NULL: defaults
 *
 * @retval HIRL_E_INVALID  a NULL, struct_size is not set, or options that contradict each other
 * @retval HIRL_E_NOMEM
 *
 * Threads: safe. Since 0.1.
 */
HIRL_API HIRL_NODISCARD hirl_status hirl_model_plan(hirl_model_info *info,
                                                    const hirl_options *options);

/**
 * Number of columns of a layer.
 *
 * @param[in] model  [1] handle, caller-owned, read during the call; NULL: the result is -1
 * @param[in] layer  [] char, caller-owned, read during the call; "backbone", "z0", "z1" .. "zL";
 *                   NULL: "backbone"
 * @return columns, from 1; -1: the model has no such layer
 *
 * Threads: safe. Since 0.1.
 */
HIRL_API int64_t hirl_model_dim(const hirl_model *model, const char *layer);

/**
 * Computes features of images of any size.
 *
 * Each image is preprocessed as for the authors' evaluations: a bicubic filter resizes its shorter
 * side to round(image_size * 256 / 224), and the centre is cropped; if image_size is below 96, the
 * image is resized to image_size x image_size without a crop. It is then normalised with the
 * model's mean and std, and encoded in evaluation mode.
 *
 * @param[out] features  [n, dim] float32, caller-owned, written during the call; dim is
 *                       hirl_model_dim(model, layer)
 * @param[in]  model     [1] handle, caller-owned, read during the call
 * @param[in]  layer     [] char, caller-owned, read during the call; "backbone", "z0", "z1" ..
 *                       "zL"; NULL: "backbone"
 * @param[in]  image     [n] struct, caller-owned, read during the call; encoded images are turned
 *                       as their Exif tag states if those of the training were
 *                       (hirl_model_info.exif)
 * @param[in]  n         images, from 1
 *
 * @retval HIRL_E_INVALID   a NULL, a description that contradicts itself, or no such layer
 * @retval HIRL_E_FORMAT    an encoded image is damaged, or a pixel is NaN; the message has its
 *                          number
 * @retval HIRL_E_LIMIT     an image above a limit
 * @retval HIRL_E_VERSION   a newer field is not zero (hirl.h, Structs)
 * @retval HIRL_E_CANCELED  stopped on request
 * @retval HIRL_E_UNSUPPORTED, HIRL_E_CALLBACK, HIRL_E_NOMEM
 *
 * Threads: safe. Since 0.1.
 */
HIRL_API HIRL_NODISCARD hirl_status hirl_model_embed(float *features, const hirl_model *model,
                                                     const char *layer, const hirl_image *image,
                                                     int64_t n);

/**
 * Computes features of images that the application has preprocessed.
 *
 * @param[out] features  [n, dim] float32, caller-owned, written during the call; dim is
 *                       hirl_model_dim(model, layer)
 * @param[in]  model     [1] handle, caller-owned, read during the call
 * @param[in]  layer     [] char, caller-owned, read during the call; "backbone", "z0", "z1" ..
 *                       "zL"; NULL: "backbone"
 * @param[in]  input     [n, image_size, image_size, 3] float32, caller-owned, read during the call;
 *                       RGB, normalised with the model's mean and std; where it is not finite, the
 *                       features are not finite either
 * @param[in]  n         images, from 1
 *
 * @retval HIRL_E_INVALID   a NULL, n below 1, or no such layer
 * @retval HIRL_E_CANCELED  stopped on request
 * @retval HIRL_E_UNSUPPORTED, HIRL_E_CALLBACK, HIRL_E_NOMEM
 *
 * Threads: safe. Since 0.1.
 */
HIRL_API HIRL_NODISCARD hirl_status hirl_model_embed_input(float *features, const hirl_model *model,
                                                           const char *layer, const float *input,
                                                           int64_t n);

/**
 * Computes features of all images of a data set. Its images are decoded by loader threads and
 * preprocessed as in hirl_model_embed().
 *
 * @param[out]    features  [count, dim] float32, caller-owned, written during the call; dim is
 *                          hirl_model_dim(model, layer); the row of an unreadable image is 0
 * @param[out]    readable  [count] uint8, caller-owned, written during the call; 1, or 0 for an
 *                          unreadable image; NULL: not wanted
 * @param[in]     model     [1] handle, caller-owned, read during the call
 * @param[in]     layer     [] char, caller-owned, read during the call; "backbone", "z0", "z1" ..
 *                          "zL"; NULL: "backbone"
 * @param[in,out] dataset   [1] handle, caller-owned, updated during the call; of the model's
 *                          context; unreadable images are marked
 * @param[in]     options   [1] handle, caller-owned, read during the call; keys loader_threads,
 *                          eval_batch (images at a time) and max_bad (share of unreadable images);
 *                          NULL: defaults
 *
 * @retval HIRL_E_INVALID   a NULL, no such layer, or a data set of another context
 * @retval HIRL_E_CANCELED  stopped on request
 * @retval HIRL_E_FORMAT    more than max_bad of the images are unreadable, or all
 * @retval HIRL_E_UNSUPPORTED, HIRL_E_CALLBACK, HIRL_E_NOMEM
 *
 * Threads: safe. Since 0.1.
 */
HIRL_API HIRL_NODISCARD hirl_status hirl_model_embed_dataset(float *features, uint8_t *readable,
                                                             const hirl_model *model,
                                                             const char *layer,
                                                             hirl_dataset *dataset,
                                                             const hirl_options *options);

#ifdef __cplusplus
}
#endif

#endif
