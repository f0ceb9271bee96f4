/** @file loss.h - losses on plain arrays, for any training loop. */
#ifndef HIRL_LOSS_H
#define HIRL_LOSS_H

#include <stddef.h>
#include <stdint.h>

#include "handles.h"
#include "status.h"

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Semantic path discrimination: loss and gradient (HIRL sec. 4.2, eqs. 2 and 3).
 *
 *     s(z, P) = prod_l (1 + cos(z_l, c_l)) / 2
 *     loss    = -spd_weight mean_n [ log(s(z_n, P+_n) + eps) + mean_k log(1 - s(z_n, P-_nk) + eps) ]
 *
 * @param[out] loss  [1]        in nats
 * @param[out] grad  [L, n, d]  d loss / d z; NULL: not wanted
 * @param context               where it is computed; the arrays are in host memory
 * @param tree                  L levels, prototypes of d columns
 * @param z          [L, n, d]  representations h_l(z_0), of any length; the gradient of a zero row is 0
 * @param n                     images, >= 1
 * @param leaf       [n]        positive leaf of each image; -1: the image has none and does not count
 * @param negative   [n, k]     leaves of the negative paths; NULL: k are drawn. A leaf that is the
 *                              image's own, or -1, does not count: the mean is over the others
 * @param k                     negative paths an image, >= 1
 * @param seed                  of the draw; the same seed draws the same paths
 * @param options               keys spd_eps, spd_weight, draw, profile; NULL: profile paper.
 *                              draw=others: uniformly from the M_1 - 1 other leaves; all: from all
 *                              M_1, the positive masked; auto: others, in profile reference all,
 *                              with weight 0.5
 *
 * @retval HIRL_E_INVALID    a size below 1, or a leaf outside the tree
 * @retval HIRL_E_NONFINITE  a row of z that is not finite, or spd_eps=0 and the logarithm of 0
 * @retval HIRL_E_UNSUPPORTED  the backend lacks operations, named
 * @retval HIRL_E_NOMEM, HIRL_E_DEVICE
 *
 * On failure loss and grad are left as they were. Threads: one call per context at a time.
 * Differs from the authors' program, which halves the loss (profile reference does as well).
 * Since 0.1.
 */
HIRL_API HIRL_NODISCARD hirl_status hirl_spd_loss(float *loss, float *grad, hirl_context *context,
                                                  const hirl_tree *tree, const float *z, int64_t n,
                                                  const int32_t *leaf, const int32_t *negative,
                                                  int64_t k, uint64_t seed,
                                                  const hirl_options *options);

#ifdef __cplusplus
}
#endif

#endif
