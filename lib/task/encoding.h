/* encoding.h - which views a network encodes in which pass, and the images and draws of each pass.
 *
 * Alone (MoCo v2, SimSiam, MoCo v3): backbone, head and predictor see one view at a time, and so do their
 * batch norms. Joint (SwAV, DINO, iBOT): the backbone sees all views of one size at once, heads all views.
 * Rows of a joint pass are ordered micro-batch, group, view, image: a micro-batch is a slice, and batch norm
 * group g, a contiguous part of it, has all views of the images of part g.
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

#endif
