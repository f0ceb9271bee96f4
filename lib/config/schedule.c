/* schedule.c - learning rates, decays, momenta and temperatures over a run, by integer time.
 *
 *   line(t)    = first + (base - first) t / n                                  n = W, or W - 1
 *   cosine(t)  = last + (base - last) (1 + cos(pi t / n)) / 2                  n = E - W
 *
 * Time t counts whole epochs or whole steps, never fractions of an epoch.
 */
#include "config/schedule.h"

#include <math.h>

/* from `a` at t = 0 to `b` at t = n */
static double line(double a, double b, int64_t t, int64_t n)
{
    return n > 0 ? a + (b - a) * (double)t / (double)n : a;
}

static double cosine(double a, double b, int64_t t, int64_t n)
{
    return t < n ? b + 0.5 * (1 + cos(3.14159265358979323846 * (double)t / (double)n)) * (a - b)
                 : b;
}

double hr_schedule_at(const hr_schedule *s, int64_t step)
{
    bool by_epoch = s->kind == HR_COSINE_EPOCH || s->kind == HR_LINSPACE_EPOCH;
    bool inclusive = s->kind == HR_COSINE_LINSPACE || s->kind == HR_LINSPACE_EPOCH;
    int64_t unit = by_epoch ? 1 : s->per_epoch, t = by_epoch ? step / s->per_epoch : step;
    int64_t warmup = s->warmup_epochs * unit, end = s->epochs * unit;

    if (s->kind == HR_CONSTANT)
        return s->base;
    if (t < warmup)
        return line(s->first, s->base, t, inclusive ? warmup - 1 : warmup);
    if (s->kind == HR_LINSPACE_EPOCH)
        return s->base;
    return cosine(s->base, s->last, t - warmup, end - warmup);
}
