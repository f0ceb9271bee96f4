/* dot.c - dot product, squared distance, scaled sum and maximum of rows. The order of a sum depends
 * on n alone. */
#include "cpu/dot.h"

#include "cpu/clones.h"

enum { LANES = 16 };

HR_CLONES double hr_cpu_dot(const real *a, const real *b, int64_t n)
{
    double sum[LANES] = { 0 }, total = 0;
    int64_t k = 0;

    for (; k + LANES <= n; k += LANES)
        for (int l = 0; l < LANES; l++)
            sum[l] += (double)a[k + l] * (double)b[k + l];
    for (; k < n; k++)
        sum[0] += (double)a[k] * (double)b[k];
    for (int l = 0; l < LANES; l++)
        total += sum[l];
    return total;
}

HR_CLONES double hr_cpu_gap(const real *a, const real *b, int64_t n)
{
    double sum[LANES] = { 0 }, total = 0;
    int64_t k = 0;

    for (; k + LANES <= n; k += LANES)
        for (int l = 0; l < LANES; l++) {
            double gap = (double)a[k + l] - (double)b[k + l];

            sum[l] += gap * gap;
        }
    for (; k < n; k++) {
        double gap = (double)a[k] - (double)b[k];

        sum[0] += gap * gap;
    }
    for (int l = 0; l < LANES; l++)
        total += sum[l];
    return total;
}

HR_CLONES double hr_cpu_move(real *restrict y, const real *restrict x, const real *restrict m,
                             int64_t n)
{
    double sum[LANES] = { 0 }, total = 0;
    int64_t k = 0;

    for (; k + LANES <= n; k += LANES)
        for (int l = 0; l < LANES; l++) {
            real moved = x[k + l] - m[k + l];

            y[k + l] = moved;
            sum[l] += (double)moved * (double)moved;
        }
    for (; k < n; k++) {
        y[k] = x[k] - m[k];
        sum[0] += (double)y[k] * (double)y[k];
    }
    for (int l = 0; l < LANES; l++)
        total += sum[l];
    return total;
}

HR_CLONES void hr_cpu_add_scaled(double *y, double k, const real *x, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        y[i] += k * (double)x[i];
}

HR_CLONES real hr_cpu_largest(const real *x, int64_t n)
{
    real top[LANES];
    int64_t k = 0;

    for (int l = 0; l < LANES; l++)
        top[l] = x[0];
    for (; k + LANES <= n; k += LANES)
        for (int l = 0; l < LANES; l++)
            top[l] = x[k + l] > top[l] ? x[k + l] : top[l];
    for (; k < n; k++)
        top[0] = x[k] > top[0] ? x[k] : top[0];
    for (int l = 1; l < LANES; l++)
        top[0] = top[l] > top[0] ? top[l] : top[0];
    return top[0];
}
