/* model.h - a network with its weights and preprocessing recipe, never changed after it was made. */
#ifndef HR_MODEL_H
#define HR_MODEL_H

#include "context.h"
#include "nn/net.h"
#include "types.h"

/* the public hirl_model */
struct hirl_model {
    hirl_context *context;
    hr_queue *queue; /* whose memory the weights are */
    hr_model_config config;
    hr_net net;
    hr_weights weights;
    char network[16]; /* "online", "teacher" */
};

/* zeroed weights of the right shapes */
hirl_status hr_model_alloc(hirl_model **model, hirl_context *context, const hr_model_config *config,
                           int32_t levels, const char *network);
void hr_model_destroy(hirl_model *model);

/* tensors with torchvision's names and the recipe as metadata */
hirl_status hr_model_to_tensors(hr_tensors *out, const hirl_model *model);
/* from a model file, or from the part of a checkpoint named by network ("auto": what the method evaluates) */
hirl_status hr_model_from_tensors(hirl_model **model, hirl_context *context, const hr_tensors *in,
                                  const char *network);

/* the options of a model as metadata "model.<key>", and back */
hirl_status hr_model_config_save(hr_tensors *out, const hr_model_config *config, int32_t levels);
hirl_status hr_model_config_load(hr_model_config *config, int32_t *levels, const hr_tensors *in);

/* features f32 [n, dim] of preprocessed images [n, S, S, 3]; many threads may call it with one model */
hirl_status hr_model_embed_input(float *features, const hirl_model *model, int32_t layer,
                                 const float *input, int64_t n);

#endif
