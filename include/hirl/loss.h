/** @file loss.h - HIRL's path loss on plain arrays, for any training loop in any framework. */
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
 *     s(z, P) = prod_l (1 + cos(z_l, c_l)) / 2              c_l: prototype of path P on level l
 *     loss    = -spd_weight mean_n [ log(s(z_n, P+_n) + spd_eps)
 *                                    + mean_k log(1 - s(z_n, P-_nk) + spd_eps) ]
 *
 * Differences from the paper: spd_eps (1e-6 by default) inside the logarithms; 0 gives the paper's
 * formula. Differences from the authors' program: it halves the loss, draws negative paths from all
 * leaves, and divides their sum by their number + 1e-6; profile=reference does the same.
 *
 * @param[out] loss      [1] float64, caller-owned, written on success; in nats
 * @param[out] grad      [L, n, d] float32, caller-owned, written on success; d loss / d z, 0 for a
 *                       row of z that is zero; NULL: only the loss is wanted
 * @param[in]  context   [1] handle, caller-owned, used during the call; its backend computes
 * @param[in]  tree      [1] handle, caller-owned, read during the call; L levels, prototypes of d
 *                       columns
 * @param[in]  z         [L, n, d] float32, caller-owned, read during the call; the representation
 *                       h_l(z0) of each image on each level, the finest first; of any length, as
 *                       the cosine does not depend on it
 * @param[in]  n         images, from 1
 * @param[in]  leaf      [n] int32, caller-owned, read during the call; positive leaf of each image,
 *                       -1: the image has none and does not count
 * @param[in]  negative  [n, k] int32, caller-owned, read during the call; leaves of the negative
 *                       paths; one that is -1, or the image's positive leaf, does not count: the
 *                       mean is over the others; NULL: k are drawn per image
 * @param[in]  k         negative paths per image, from 1
 * @param[in]  seed      of the draw; the same seed draws the same paths
 * @param[in]  options   [1] handle, caller-owned, read during the call; keys spd_eps, spd_weight,
 *                       draw and profile; NULL: defaults. draw=others draws uniformly from the
 *                       M_1 - 1 other leaves; draw=all from all M_1, and the positive leaf does not
 *                       count; draw=auto is others, with profile=reference all. spd_weight=auto is
 *                       1, with profile=reference 0.5
 *
 * @retval HIRL_E_INVALID      a NULL, a size below 1 or too large, or a leaf outside the tree
 * @retval HIRL_E_NONFINITE    z is not finite, at the place in the message; or spd_eps=0 and a
 *                             logarithm of 0
 * @retval HIRL_E_UNSUPPORTED  the backend lacks operations, which the message names
 * @retval HIRL_E_NOMEM, HIRL_E_DEVICE
 *
 * Threads: safe. Since 0.1.
 */
HIRL_API HIRL_NODISCARD hirl_status hirl_spd_loss(double *loss, float *grad, hirl_context *context,
                                                  const hirl_tree *tree, const float *z, int64_t n,
                                                  const int32_t *leaf, const int32_t *negative,
                                                  int64_t k, uint64_t seed,
                                                  const hirl_options *options);

#ifdef __cplusplus
}
#endif

#endif
