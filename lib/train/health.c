/* health.c - figures of a representation that need no labels, and a verdict on them.
 *
 *   u_n = z_n / |z_n|,   std = sqrt(d) mean_c std_n(u_nc)          1 if rows are spread evenly
 *   C = cov(u),          rank = tr(C)^2 / tr(C^2)                  participation ratio
 */
#include "train/health.h"

#include <math.h>
#include <string.h>

static const double COLLAPSED_STD = 0.1; /* std below this, where 1 is healthy, means collapse */
static const double LOW_RANK = 3, FEW_RANK = 8;
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

const char *hr_health_judge(const hr_health *health, int64_t d, double loss, double chance,
                            int64_t steps)
{
    if (steps < SETTLED)
        return "too early to judge: the run has just started";
    if (health->std < COLLAPSED_STD)
        return "collapse likely: all images are represented almost alike; try a lower lr";
    if (health->rank < LOW_RANK && d > 8)
        return "the representation uses very few directions; if this persists, try a lower lr";
    if (loss > chance + fmax(0.2 * chance, 0.2)) /* the chance level of SimSiam is 0 */
        return "the loss is above its chance level; normal at first, later try a lower lr";
    if (health->rank < FEW_RANK && d > 2 * FEW_RANK)
        return "no collapse: images are spread, but over few directions so far";
    return "healthy: images are spread over many directions";
}
