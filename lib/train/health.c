/* health.c - figures of a representation that need no labels, and a verdict on them.
 *
 *   u_n = z_n / |z_n|,   std = sqrt(d) mean_c std_n(u_nc)          1 if rows are spread evenly
 *   C = cov(u),          rank = tr(C)^2 / tr(C^2)                  participation ratio
 */
#include "train/health.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* Between the figures of runs that collapsed and those of runs that did not: tests/bench/README.md
 * lists them, and tests/unit/config/test_health.c tests against them. */
static const double COLLAPSED_STD = 0.03, COLLAPSED_RANK = 1.05;
/* steps, after which 0.9^50 = 0.5 % of the first running statistics is left */
enum { SETTLED = 50 };

static int64_t accumulate(double *mean, double *square, const float *z, int64_t n, int64_t d)
{
    int64_t counted = 0;

    for (int64_t i = 0; i < n; i++) {
        double length = 0;

        for (int64_t c = 0; c < d; c++)
            length += (double)z[i * d + c] * z[i * d + c];
        if (length <= 0)
            continue;
        counted++;
        length = 1 / sqrt(length);
        for (int64_t a = 0; a < d; a++) {
            double ua = z[i * d + a] * length;

            mean[a] += ua;
            for (int64_t b = 0; b <= a; b++)
                square[a * d + b] += ua * z[i * d + b] * length;
        }
    }
    return counted;
}

void hr_health_measure(hr_health *health, const float *z, int64_t n, int64_t d, double *work)
{
    double *square = work, *mean = work + d * d;
    double trace = 0, frobenius = 0, spread = 0;
    int64_t counted;

    memset(work, 0, (size_t)(d * d + d) * sizeof *work);
    counted = accumulate(mean, square, z, n, d);
    *health = (hr_health){ 0 };
    if (counted < 2)
        return;
    for (int64_t a = 0; a < d; a++)
        for (int64_t b = 0; b <= a; b++) {
            double c = square[a * d + b] / counted - mean[a] / counted * (mean[b] / counted);

            if (a == b) {
                trace += c;
                spread += sqrt(fmax(c, 0));
            }
            frobenius += (a == b ? 1 : 2) * c * c;
        }
    health->std = spread / sqrt((double)d);
    health->rank = frobenius > 0 ? trace * trace / frobenius : 0;
}

void hr_health_judge(char text[HR_HEALTH_TEXT], const hr_health *health, double loss, double chance,
                     int64_t steps)
{
    double most = chance + fmax(0.2 * chance, 0.2); /* the chance level of SimSiam is 0 */

    if (steps < SETTLED)
        snprintf(text, HR_HEALTH_TEXT, "too early to judge: step %lld, below %d", (long long)steps,
                 (int)SETTLED);
    else if (health->std < COLLAPSED_STD)
        snprintf(text, HR_HEALTH_TEXT,
                 "collapse likely: all images are represented almost alike (std %.4f, below %g); "
                 "try a lower lr",
                 health->std, COLLAPSED_STD);
    else if (health->rank < COLLAPSED_RANK)
        snprintf(text, HR_HEALTH_TEXT,
                 "collapse likely: images differ in one direction only (rank %.3f, below %g); try "
                 "a lower lr",
                 health->rank, COLLAPSED_RANK);
    else if (loss > most)
        snprintf(text, HR_HEALTH_TEXT,
                 "the loss is far above its chance level (%.3f, above %.3f); normal at first, "
                 "later try a lower lr",
                 loss, most);
    else
        snprintf(text, HR_HEALTH_TEXT, "no collapse: std %.3f, at least %g; rank %.2f, at least %g",
                 health->std, COLLAPSED_STD, health->rank, COLLAPSED_RANK);
}
