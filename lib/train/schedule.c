/* schedule.c - rates over epochs and steps, by integers.
 *
 *   rate(e) = last + (first - last) (1 + cos(pi e / E)) / 2        e: whole epochs (spec.md 1.3)
 */
#include "train/schedule.h"

#include <math.h>

double hr_cosine_by_epoch(double first, double last, int64_t epoch, int64_t epochs)
{
    return last + 0.5 * (1 + cos(3.14159265358979323846 * (double)epoch / (double)epochs)) *
                      (first - last);
}
