/* op_position.c - resizes position embeddings to another grid of patches (DINO: Caron et al. 2021).
 *
 *   y_0 = x_0 (class token)      y_(r,c) = sum_(i,j) w_ri w_cj x_(i,j)      dx += w' dy
 *
 * w: bicubic interpolation with a = -0.75. Output sample r of `to` is taken at the input coordinate
 * (r + 1/2) from / (to + 0.1) - 1/2; beyond the border the input repeats its last value. The 0.1 is
 * in DINO's code, where it guards the output size against rounding; the results depend on it.
 * x [1, 1 + from^2, D], y [1, 1 + to^2, D]; if to = from, x itself is returned.
 */
#include <math.h>
#include <string.h>

#include "tape/ops.h"

static const double A = -0.75, WIDER = 0.1;

enum { TAPS = 4 };

/* the cubic convolution kernel (Keys 1981) at distance x */
static double cubic(double x)
{
    x = fabs(x);
    if (x <= 1)
        return ((A + 2) * x - (A + 3)) * x * x + 1;
    return x < 2 ? ((A * x - 5 * A) * x + 8 * A) * x - 4 * A : 0;
}

/* weights of the input samples at[] that make up output sample r */
static void taps_of(double weight[TAPS], int64_t at[TAPS], int64_t r, int64_t from, int64_t to)
{
    double x = ((double)r + 0.5) * (double)from / ((double)to + WIDER) - 0.5;
    double first = floor(x) - 1;

    for (int k = 0; k < TAPS; k++) {
        int64_t i = (int64_t)first + k;

        weight[k] = cubic(x - (first + k));
        at[k] = i < 0 ? 0 : i >= from ? from - 1 : i;
    }
}

void hr_position_weights(real *weight, int64_t from, int64_t to)
{
    int64_t cols = 1 + from * from;

    memset(weight, 0, (size_t)((1 + to * to) * cols) * sizeof *weight);
    weight[0] = 1; /* the class token keeps its position */
    for (int64_t r = 0; r < to * to; r++) {
        double down[TAPS], across[TAPS], sum[TAPS * TAPS];
        int64_t i[TAPS], j[TAPS], at[TAPS * TAPS];

        taps_of(down, i, r / to, from, to);
        taps_of(across, j, r % to, from, to);
        /* samples that were clamped to the same place add up their weights */
        for (int k = 0; k < TAPS * TAPS; k++) {
            int first = 0;

            at[k] = (1 + r) * cols + 1 + i[k / TAPS] * from + j[k % TAPS];
            while (at[first] != at[k])
                first++;
            sum[k] = 0;
            sum[first] += down[k / TAPS] * across[k % TAPS];
            weight[at[k]] = (real)sum[first];
        }
    }
}

static void backward(hr_tape *t, const hr_node *s)
{
    double beta;
    const hr_array *dx = hr_grad(t, s->in[0], &beta);

    if (dx)
        t->q->be->gemm(t->q, dx, &s->saved[0], &s->out->g, HR_T, HR_N, 1, beta);
}

hr_tensor *hr_resize_positions(hr_tape *t, hr_tensor *x, int64_t to, const hr_array *weight)
{
    static const hr_op op = { "resize_positions", backward };
    int64_t cols = hr_cols(&x->x), patches = hr_rows_of(&x->x) - 1;
    int64_t from = (int64_t)floor(sqrt((double)(patches > 0 ? patches : 0)) + 0.5);
    char found[HR_SHAPE];
    hr_node *s;

    if (from < 1 || to < 1 || from * from != patches)
        return hr_tape_fail(
            t, HIRL_E_INVALID,
            "resize_positions: positions are %s, new side %lld; wanted [1,1+n n,D], 1 or more",
            hr_shape(found, &x->x), (long long)to);
    if (from == to)
        return x;
    if (!weight || !weight->data || hr_count(weight) != (1 + to * to) * (1 + patches))
        return hr_tape_fail(t, HIRL_E_INTERNAL, "resize_positions: no weights from %lld to %lld",
                            (long long)from, (long long)to);
    s = hr_tape_push(t, &op, HR_REAL, 3, (int64_t[]){ 1, 1 + to * to, cols }, 1, &x);
    if (!s)
        return &t->dead;
    s->saved[0] = *weight;
    t->q->be->gemm(t->q, &s->out->x, &s->saved[0], &x->x, HR_N, HR_N, 1, 0);
    return s->out;
}
