/* encode.h - the passes of both networks over the views of a batch (task/encoding.h). */
#ifndef HR_ENCODE_H
#define HR_ENCODE_H

#include "task/pretrain_state.h"

/* Plans the passes of both networks, and declares their inputs. */
hirl_status hr_encodings_declare(hr_pretrain *pretrain);
/* Sends the images of a step, and draws what depends on them. */
hirl_status hr_encodings_fill(hr_pretrain *pretrain, const hr_step_input *input);

/* rows of one resolution of a micro-batch, as a tensor */
hr_tensor *hr_encode_images(const hr_pretrain *pretrain, const hr_resolution *part,
                            const hr_micro *micro);

/* The online network over every view that the method shows it. */
void hr_encode_online(hr_seen *seen, hr_pretrain *pretrain, const hr_micro *micro);
/* The teacher, without gradient. keys: z0 of the whole batch in shuffled order (hr_encode_keys), or absent. */
void hr_encode_teacher(hr_seen *seen, hr_pretrain *pretrain, const hr_micro *micro,
                       const hr_array *keys);

#endif
