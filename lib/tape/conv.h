/* conv.h - the parts of a convolution that one with a batch norm behind it shares (op_conv.c, op_conv_norm.c). */
#ifndef HR_TAPE_CONV_H
#define HR_TAPE_CONV_H

#include "tape/ops.h"

/* The shape [N,OH,OW,O] of the result; false, and the tape fails, where x and w do not fit. */
bool hr_conv_shape(int64_t dim[4], hr_tape *t, const hr_tensor *x, const hr_tensor *w,
                   hr_geometry geo);
/* Gradients of x and w from dy; the node holds the geometry and, in `more`, the map of x. */
void hr_conv_backward(hr_tape *t, const hr_node *node, hr_tensor *x, hr_tensor *w,
                      const hr_array *dy);

#endif
