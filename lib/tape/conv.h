/* conv.h - the parts of convolution that op_conv.c and op_conv_norm.c share. */
#ifndef HR_TAPE_CONV_H
#define HR_TAPE_CONV_H

#include "tape/ops.h"

/* Computes the shape of the result, [N,OH,OW,O]. Returns false, and the tape fails, if x, w and geo
 * do not fit together. */
bool hr_conv_shape(int64_t dim[4], hr_tape *t, const hr_tensor *x, const hr_tensor *w,
                   hr_geometry geo);
/* Adds to the gradients of x and w, given dy. node->geo is the geometry, node->more the map of x.
 */
void hr_conv_backward(hr_tape *t, const hr_node *node, hr_tensor *x, hr_tensor *w,
                      const hr_array *dy);

#endif
