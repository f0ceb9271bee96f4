/* model.h - the public hirl_model: a network, its weights and preprocessing; immutable. */
#ifndef HR_MODEL_H
#define HR_MODEL_H

#include "context.h"
#include "nn/net.h"
#include "types.h"

/* Immutable once created, so several threads may use one model. */
struct hirl_model {
    hirl_context *context;
    hr_queue *queue; /* its device memory holds the weights */
    hr_model_config config;
    hr_net net;
    hr_weights weights;
    char network[16]; /* "online", "teacher" */
};

/* creates a model with zeroed weights */
hirl_status hr_model_alloc(hirl_model **model, hirl_context *context, const hr_model_config *config,
                           int32_t levels, const char *network);
void hr_model_destroy(hirl_model *model);

/* tensors with torchvision's (ResNet) or timm's (ViT) names; the configuration as metadata */
hirl_status hr_model_to_tensors(hr_tensors *out, const hirl_model *model);
/* Loads a model file, or the part of a checkpoint that `network` names. "auto": the file's network;
 * of a checkpoint, the network that its method evaluates. */
hirl_status hr_model_from_tensors(hirl_model **model, hirl_context *context, const hr_tensors *in,
                                  const char *network);

/* write and read the configuration as metadata "model.<key>" */
hirl_status hr_model_config_save(hr_tensors *out, const hr_model_config *config, int32_t levels);
hirl_status hr_model_config_load(hr_model_config *config, int32_t *levels, const hr_tensors *in);

/* Features f32 [n, dim] of preprocessed images [n, S, S, 3], host memory. Threads may share a
 * model. */
hirl_status hr_model_embed_input(float *features, const hirl_model *model, int32_t layer,
                                 const float *input, int64_t n);

#endif
