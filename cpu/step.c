/* step.c - small kernels at the start and the end of a training step: its leaves, its results.
 *
 *   positive_n  = chosen_n                                  where image n has a leaf
 *   negative_nk = drawn_nk + (drawn_nk >= positive_n)       drawn_nk: one of M_1 - 1 leaves, so the
 *                                                           result is any leaf but the positive
 *   negative_nk = drawn_nk, -1 where it is positive_n       drawn from all M_1 leaves
 *   sum        += x
 *   count      += [ argmax_c z_nc = label_n ]               the first of equal numbers
 */
#include "cpu/cpu.h"

static int32_t leaf_of(int32_t drawn, int32_t positive, bool all)
{
    if (drawn < 0 || positive < 0)
        return -1;
    if (all)
        return drawn == positive ? -1 : drawn;
    return drawn + (drawn >= positive);
}

void hr_cpu_path_leaves(hr_queue *q, const hr_array *positive, const hr_array *negative,
                        const hr_array *chosen, const hr_array *drawn, int32_t all)
{
    int32_t *to = positive->data, *leaf = negative->data;
    const int32_t *from = chosen ? chosen->data : NULL, *draw = drawn->data;
    int64_t n = hr_count(positive), k = hr_cols(negative);

    if (!hr_cpu_ok(q))
        return;
    for (int64_t i = 0; i < n; i++) {
        if (from && to[i] >= 0)
            to[i] = from[i];
        for (int64_t j = 0; j < k; j++)
            leaf[i * k + j] = leaf_of(draw[i * k + j], to[i], all != 0);
    }
}

void hr_cpu_tally(hr_queue *q, const hr_array *sum, const hr_array *x)
{
    const real *value = hr_cpu_in(q, x);

    if (hr_cpu_ok(q))
        *(double *)sum->data += (double)*value;
    hr_cpu_end(q);
}

void hr_cpu_hits(hr_queue *q, const hr_array *count, const hr_array *z, const hr_array *label)
{
    const real *row = hr_cpu_in(q, z);
    const int32_t *wanted = label->data;
    int64_t n = hr_rows_of(z), classes = hr_cols(z), hits = 0;

    if (hr_cpu_ok(q)) {
        for (int64_t i = 0; i < n; i++, row += classes) {
            int64_t best = 0;

            for (int64_t c = 1; c < classes; c++)
                best = row[c] > row[best] ? c : best;
            hits += best == wanted[i];
        }
        *(double *)count->data += (double)hits;
    }
    hr_cpu_end(q);
}
