/* maker.h - makes a tree, one Lloyd iteration at each call.
 *
 * The state of a maker can be saved between any two iterations.
 */
#ifndef HR_MAKER_H
#define HR_MAKER_H

#include "array.h"
#include "base/tensors.h"
#include "hier/cluster_config.h"
#include "hier/tree.h"
#include "types.h"

typedef struct hr_tree_maker hr_tree_maker;
/* Clusters the usable ones of n rows; the others have no leaf. `features` is borrowed until
 * the maker is destroyed; the other arrays may be freed after hr_tree_maker_create. */
typedef struct hr_tree_input {
    hr_array features;         /* real [usable rows, d] on the device, of unit length if wanted */
    int64_t n;                 /* rows, unusable ones included */
    const uint8_t *usable;     /* host [n], 1 or 0; NULL: all rows are usable */
    const float *weight;       /* host [n]; NULL: all weights are 1 */
    const hirl_tree *previous; /* for a warm start; NULL: none */
} hr_tree_input;
hirl_status hr_tree_maker_create(hr_tree_maker **maker, hirl_context *context, hr_queue *queue,
                                 const hr_tree_input *in, const hr_cluster_config *config);
void hr_tree_maker_destroy(hr_tree_maker *maker);
hirl_status hr_tree_maker_step(bool *done, hr_tree_maker *maker);
/* the iterations of all levels, and how many of them have been made or skipped */
int64_t hr_tree_maker_total(const hr_tree_maker *maker);
int64_t hr_tree_maker_made(const hr_tree_maker *maker);
/* *tree <- a reference to the finished tree, dropped with hr_tree_drop */
hirl_status hr_tree_maker_finish(hirl_tree **tree, hr_tree_maker *maker);
hirl_status hr_tree_maker_save(hr_tensors *out, const hr_tree_maker *maker, const char *prefix);
hirl_status hr_tree_maker_load(hr_tree_maker *maker, const hr_tensors *in, const char *prefix);

#endif
