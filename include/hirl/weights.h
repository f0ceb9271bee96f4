/** @file weights.h - the weights of a model by name, to look at, to copy, and to replace.
 *
 * Names and shapes are those of the model file: torchvision's (ResNet) or timm's (vision
 * transformer) for the encoder, then "head.*" of the method and "h.1.*" .. "h.L.*" of HIRL. A
 * linear layer is [out, in], a convolution [out, in, k, k].
 */
#ifndef HIRL_WEIGHTS_H
#define HIRL_WEIGHTS_H

#include <stddef.h>
#include <stdint.h>

#include "handles.h"
#include "status.h"

#ifdef __cplusplus
extern "C" {
#endif

/** HIRL_WEIGHT_RANK: the most dimensions that a weight has. */
enum { HIRL_WEIGHT_RANK = 4 };

/** Description of a weight. */
typedef struct hirl_weight_info {
    /** bytes; set by the caller to sizeof(hirl_weight_info) */
    size_t struct_size;
    /** [] char, library-owned, valid until the model is destroyed: "layer1.0.conv1.weight" */
    const char *name;
    /** number of dimensions, 1 to 4 */
    int32_t rank;
    /** 1: a running statistic of a batch norm, which is not trained; 0: a parameter */
    int32_t running;
    /** size of each dimension; 0 from rank on */
    int64_t dim[HIRL_WEIGHT_RANK];
    /** product of the sizes */
    int64_t count;
} hirl_weight_info;

/**
 * Number of weights of a model: parameters and running statistics.
 *
 * @param[in] model  [1] handle, caller-owned, read during the call; NULL: the result is 0
 * @return weights
 *
 * Threads: safe. Since 0.1.
 */
HIRL_API int32_t hirl_model_weight_count(const hirl_model *model);

/**
 * Describes a weight.
 *
 * @param[in,out] info   [1] struct, caller-owned, updated during the call; struct_size is set
 *                       before, the other fields are written on success
 * @param[in]     model  [1] handle, caller-owned, read during the call
 * @param[in]     index  of the weight, 0 to hirl_model_weight_count() - 1
 *
 * @retval HIRL_E_INVALID  a NULL, struct_size is not set, or index outside
 *
 * Threads: safe. Since 0.1.
 */
HIRL_API HIRL_NODISCARD hirl_status hirl_model_describe_weight(hirl_weight_info *info,
                                                               const hirl_model *model,
                                                               int32_t index);

/**
 * Copies a weight.
 *
 * @param[out] data   [n] float32, caller-owned, written on success; in C order
 * @param[in]  model  [1] handle, caller-owned, read during the call
 * @param[in]  name   [] char, caller-owned, read during the call
 * @param[in]  n      numbers; has to be the count of hirl_weight_info
 *
 * @retval HIRL_E_INVALID  a NULL, no such weight, or another n
 * @retval HIRL_E_NOMEM, HIRL_E_DEVICE
 *
 * Threads: safe. Since 0.1.
 */
HIRL_API HIRL_NODISCARD hirl_status hirl_model_weight(float *data, const hirl_model *model,
                                                      const char *name, int64_t n);

/**
 * Replaces a weight. Models that were copied from this one, and trainers that began with it, keep
 * their values. A model that is never written to never changes.
 *
 * @param[in,out] model  [1] handle, caller-owned, updated during the call
 * @param[in]     name   [] char, caller-owned, read during the call
 * @param[in]     data   [n] float32, caller-owned, read during the call; in C order
 * @param[in]     n      numbers; has to be the count of hirl_weight_info
 *
 * @retval HIRL_E_INVALID    a NULL, no such weight, or another n
 * @retval HIRL_E_NONFINITE  a number is not finite; nothing is changed
 * @retval HIRL_E_NOMEM, HIRL_E_DEVICE
 *
 * Threads: exclusive. Since 0.1.
 */
HIRL_API HIRL_NODISCARD hirl_status hirl_model_set_weight(hirl_model *model, const char *name,
                                                          const float *data, int64_t n);

#ifdef __cplusplus
}
#endif

#endif
