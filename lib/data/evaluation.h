/* evaluation.h - how images become network input outside training: resize, centre crop, normalise.
 *
 * The rule of the shorter side is in hr_view_evaluation() (data/augment.h). The filter depends on
 * the use of the features and is stated here.
 */
#ifndef HR_EVALUATION_H
#define HR_EVALUATION_H

#include "data/augment.h"
#include "types.h"

/* Filters of hr_view.filter. The authors' program extracts the features for clustering with
 * bilinear filter, and those for kNN and linear classification with bicubic. */
enum { HR_FILTER_CLUSTER = HR_BILINEAR, HR_FILTER_EMBED = HR_BICUBIC };

/* hr_view_evaluation() from the settings of a model */
void hr_evaluation_view(hr_view *view, int64_t size, int32_t filter, const double mean[3],
                        const double std[3]);

/* input [n, size, size, 3] float32, host <- n RGB images, pixels[i] [height[i], width[i], 3] uint8,
 * by an evaluation view. queue is one of the CPU. */
hirl_status hr_evaluation_input(float *input, hr_queue *queue, const hr_view *view,
                                const uint8_t *const *pixels, const int64_t *height,
                                const int64_t *width, int64_t n);

#endif
