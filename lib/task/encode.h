/* encode.h - which views a network encodes in which pass, and the images and draws of each pass.
 *
 * Alone (MoCo v2, SimSiam, MoCo v3): backbone, head and predictor see one view at a time, and so do their
 * batch norms. Joint (SwAV, DINO, iBOT): the backbone sees all views of one size at once, heads all views.
 * Rows of a joint pass are ordered micro-batch, group, view, image: a micro-batch is a slice, and batch norm
 * group g, a contiguous part of it, has all views of the images of part g.
 *
 *     n images of a micro-batch, V views, G groups: row (g, v, i) = (g V + v) n / G + i
 */
#ifndef HR_ENCODE_H
#define HR_ENCODE_H

#include "nn/net.h"
#include "ssl/method.h"
#include "step/learner.h"
#include "types.h"

typedef struct hr_pretrain hr_pretrain;

/* a micro-batch of a step */
typedef struct hr_micro {
    int64_t index, count; /* which of how many */
    int64_t n, first;     /* images; number of the first */
    bool update;          /* running statistics learn from it, at commit */
} hr_micro;

/* views of one size that go through the backbone together */
typedef struct hr_resolution {
    int64_t size;
    int32_t view[HR_METHOD_VIEWS], views;
    hr_array image; /* activations [.., S,S,3]: its own, or another resolution's */
    bool owner;     /* of the images: it sends them */
    int64_t stride,
        offset;   /* rows of `image` of one micro-batch; where these views begin among them */
    hr_cell keep; /* real [micros branches, rows]: stochastic depth (nn/vit.h) */
    hr_cell kept, masked; /* real [micros rows P] (iBOT) */
    hr_cell positions;    /* real: where the size differs from the learned one */
} hr_resolution;

/* what one network encodes in a step */
typedef struct hr_encoding {
    bool joint;
    int32_t view[HR_METHOD_VIEWS], views;
    int64_t groups; /* of the order of rows: 1 where no norm depends on it */
    hr_resolution part[HR_METHOD_VIEWS];
    int32_t parts;
    hr_cell
        order; /* i32 [rows] of a micro-batch: from resolutions to rows (g, v, i); absent: in order */
    hr_cell of_view
        [HR_METHOD_VIEWS]; /* i32 [n]: rows of a view among all; absent: a contiguous slice */
} hr_encoding;

hr_micro hr_micro_of(const hr_pretrain *pretrain, int64_t index, int64_t count, bool update);

/* Plans the passes of both networks, and declares their inputs. */
hirl_status hr_encodings_declare(hr_pretrain *pretrain);
/* Sends the images of a step, and draws what depends on them. */
hirl_status hr_encodings_fill(hr_pretrain *pretrain, const hr_step_input *input);

/* rows of one resolution of a micro-batch, as a tensor */
hr_tensor *hr_encode_images(const hr_pretrain *pretrain, const hr_resolution *part,
                            const hr_micro *micro);
hr_pass hr_pass_of(hr_pretrain *pretrain, const hr_weights *weights, const hr_micro *micro);

/* The online network over every view that the method shows it. */
void hr_encode_online(hr_seen *seen, hr_pretrain *pretrain, const hr_micro *micro);
/* The teacher, without gradient. keys: z0 of the whole batch in shuffled order (hr_encode_keys), or absent. */
void hr_encode_teacher(hr_seen *seen, hr_pretrain *pretrain, const hr_micro *micro,
                       const hr_array *keys);

/* ---- shuffle.c ---- */

/* Draws the permutation of a step. */
hirl_status hr_shuffle_fill(hr_pretrain *pretrain, const hr_step_input *input);
/* z0 [batch,d] of the teacher's view, images permuted over all ranks; kept for the step */
hr_array hr_encode_keys(hr_pretrain *pretrain, bool update);
/* The keys of a micro-batch, each again at its image. */
void hr_keys_of_micro(hr_seen *seen, hr_pretrain *pretrain, const hr_micro *micro,
                      const hr_array *keys);

#endif
