/* norm.h - the parts of a batch norm that a convolution in front of it shares (op_norm.c, op_conv_norm.c). */
#ifndef HR_TAPE_NORM_H
#define HR_TAPE_NORM_H

#include "tape/ops.h"

/* inputs and saved arrays of a node with a batch norm; Y: the norm's input, or the convolution's */
enum { HR_NORM_Y, HR_NORM_GAMMA, HR_NORM_BETA, HR_NORM_ADD, HR_NORM_INS };
enum { HR_NORM_MEAN, HR_NORM_RSTD, HR_NORM_SUMS };

/* Whether parameters and `add` fit y [N,..,C]; the tape fails otherwise. */
bool hr_norm_fits(hr_tape *t, const hr_array *y, const hr_norm *norm, const hr_tensor *add);
/* Takes the arrays of a pass in training over map->raw: its sums f64 [G,2,C] are to be filled next. */
bool hr_norm_open(hr_tape *t, hr_node *node, const hr_norm *norm, hr_map *map);
/* The sums are complete on this rank: scale and shift of the map. */
void hr_norm_close(hr_tape *t, hr_node *node, const hr_norm *norm, hr_map *map);
/* Scale and shift of the map from the running statistics. */
void hr_norm_frozen(hr_tape *t, const hr_norm *norm, hr_map *map);
/* Gradients of gamma, beta and add, and dy = keep dy + ... of the raw map; dy NULL: not wanted. */
void hr_norm_backward(hr_tape *t, const hr_node *node, const hr_array *dy, double keep);
void hr_norm_no_backward(hr_tape *t, const hr_node *node); /* in evaluation: the tape fails */

#endif
