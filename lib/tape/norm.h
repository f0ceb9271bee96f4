/* norm.h - the parts of batch norm that op_norm.c and op_conv_norm.c share. */
#ifndef HR_TAPE_NORM_H
#define HR_TAPE_NORM_H

#include "tape/ops.h"

/* Inputs and saved arrays of a batch norm's node. HR_NORM_Y is the input of the norm, or in
 * op_conv_norm.c that of the convolution. The output of the node is pending. */
enum { HR_NORM_Y, HR_NORM_GAMMA, HR_NORM_BETA, HR_NORM_ADD, HR_NORM_INS };
enum { HR_NORM_MEAN, HR_NORM_RSTD, HR_NORM_SUMS };

/* Checks parameters, groups and add against y [N,..,C]. Returns false if the tape has failed. */
bool hr_norm_fits(hr_tape *t, const hr_array *y, const hr_norm *norm, const hr_tensor *add);
/* Training: allocates the statistics of map->raw. The caller then stores the sums of raw and raw^2,
 * f64 [G,2,C], in node->saved[HR_NORM_SUMS]. Returns false if the tape has failed. */
bool hr_norm_open(hr_tape *t, hr_node *node, const hr_norm *norm, hr_map *map);
/* Training: computes scale and shift of the map from these sums. */
void hr_norm_close(hr_tape *t, hr_node *node, const hr_norm *norm, hr_map *map);
/* Evaluation: computes scale and shift of the map from the running statistics. */
void hr_norm_frozen(hr_tape *t, const hr_norm *norm, hr_map *map);
/* Adds to the gradient of add. Call it before hr_grad of any other input: add may be the same. */
void hr_norm_add_backward(hr_tape *t, const hr_node *node);
/* Adds to the gradients of gamma and beta; dy = keep dy + the gradient of the raw feature map. dy
 * NULL: not wanted. */
void hr_norm_backward(hr_tape *t, const hr_node *node, const hr_array *dy, double keep);
/* The backward function in evaluation: the tape fails. */
void hr_norm_no_backward(hr_tape *t, const hr_node *node);

#endif
