/* encoding.h - encodings: which views a network encodes, in which passes, and the inputs of each
 * pass.
 *
 * Not joint (MoCo v2, SimSiam, MoCo v3): each view goes through backbone, head and predictor on its
 * own, so batch norms use statistics of single views. Joint (SwAV, DINO, iBOT): the backbone gets
 * all views of one size in one pass, the heads all views. Rows of a joint pass are ordered by
 * micro-batch, group, view and image. So a micro-batch is a slice of the batch, and a batch-norm
 * group is a contiguous part of a micro-batch with all views of some of its images:
 *
 *     n images of a micro-batch, V views, G groups: row (g, v, i) = (g V + v) n / G + i
 */
#ifndef HR_ENCODING_H
#define HR_ENCODING_H

#include "ssl/method.h"
#include "step/inputs.h"
#include "types.h"

/* a micro-batch of a step */
typedef struct hr_micro {
    int64_t index, count; /* number of this micro-batch; micro-batches of the step */
    int64_t n, first;     /* number of images; index of the first one in the batch */
    bool update;          /* running statistics are updated from it, at commit */
} hr_micro;

/* a part of an encoding: views of one size that go through the backbone together */
typedef struct hr_resolution {
    int64_t size;
    int32_t view[HR_METHOD_VIEWS], views;
    hr_array image;       /* activations [.., S,S,3]; may be those of another encoding */
    bool owner;           /* this part sends the images */
    int64_t stride;       /* rows of `image` in a micro-batch */
    int64_t offset;       /* first row of these views in a micro-batch */
    hr_cell keep;         /* real [micros branches, rows]: stochastic depth (nn/vit.h) */
    hr_cell kept, masked; /* real [micros rows P] (iBOT) */
    hr_cell positions;    /* real: weights of the positions if the size is not the learned one */
} hr_resolution;

/* the views that one network encodes in a step */
typedef struct hr_encoding {
    bool joint;
    int32_t view[HR_METHOD_VIEWS], views;
    int64_t groups; /* G in the order of rows; 1 if no batch norm depends on this order */
    hr_resolution part[HR_METHOD_VIEWS];
    int32_t parts;
    /* i32 [rows of a micro-batch]: gathers the concatenated parts into the order (g, v, i); absent:
     * they are in order */
    hr_cell order;
    /* i32 [n] for each view: its rows among those of a micro-batch; absent: a contiguous slice */
    hr_cell of_view[HR_METHOD_VIEWS];
} hr_encoding;

#endif
