/* health.c - label-free figures of a representation, and a sentence about them.
 *
 *   u_n = z_n / |z_n|,   std = sqrt(d) mean_c std_n(u_nc)          1/sqrt(d) each when spread evenly
 *   C = cov(u),          rank = tr(C)^2 / tr(C^2)                   participation ratio
 */
#include "train/health.h"

#include <math.h>
#include <string.h>

static const double COLLAPSED_STD = 0.1; /* below this share of the healthy spread */
static const double LOW_RANK = 3, FEW_RANK = 8;
enum {
    SETTLED = 50
}; /* steps: 0.9^50, half a per cent, of the first running statistics are left */

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
        return "too early to tell: the run has only begun";
    if (health->std < COLLAPSED_STD)
        return "collapse likely: all images are represented almost alike; try a lower lr";
    if (health->rank < LOW_RANK && d > 8)
        return "the representation uses very few directions; watch it, and try a lower lr if it stays so";
    if (loss > chance + fmax(0.2 * chance, 0.2)) /* SimSiam's is 0 */
        return "the loss is above its chance level; normal in the first steps, else try a lower lr";
    if (health->rank < FEW_RANK && d > 2 * FEW_RANK)
        return "no collapse: images are spread, over few directions so far";
    return "healthy: images are spread over many directions";
}
