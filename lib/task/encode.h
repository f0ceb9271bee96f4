/* encode.h - the passes of all networks over the views of a batch (encoding.h). */
#ifndef HR_ENCODE_H
#define HR_ENCODE_H

#include "task/pretrain_state.h"

/* Plans the passes of all networks, and declares their inputs. */
hirl_status hr_encodings_declare(hr_pretrain *pretrain);
/* Sends the images of a step, and draws the random numbers of its passes. */
hirl_status hr_encodings_fill(hr_pretrain *pretrain, const hr_step_input *input);

/* the images of one part of a micro-batch, as a tensor */
hr_tensor *hr_encode_images(const hr_pretrain *pretrain, const hr_resolution *part,
                            const hr_micro *micro);

/* Encodes the views that the method lists for the online network. */
void hr_encode_online(hr_seen *seen, hr_pretrain *pretrain, const hr_micro *micro);
/* Encodes the teacher's views, without gradient. keys: with shuffle BN, the output of
 * hr_encode_keys; else it is not used. */
void hr_encode_teacher(hr_seen *seen, hr_pretrain *pretrain, const hr_micro *micro,
                       const hr_array *keys);

#endif
