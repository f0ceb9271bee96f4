/* close.c - comparison of arrays of float or double. */
#include "support/close.h"

#include <math.h>
#include <stdio.h>

static char text[256];

static double at(const void *x, size_t size, int64_t i)
{
    return size == sizeof(float) ? (double)((const float *)x)[i] : ((const double *)x)[i];
}

int64_t hr_far(const void *got, size_t got_size, const void *want, size_t want_size, int64_t n,
               double absolute, double relative)
{
    int64_t far = 0, first = 0;

    for (int64_t i = 0; i < n; i++) {
        double a = at(got, got_size, i), b = at(want, want_size, i);

        if (fabs(a - b) <= absolute + relative * fabs(b) || a == b)
            continue;
        if (!far++)
            first = i;
    }
    if (far)
        snprintf(text, sizeof text, "%lld of %lld differ, first [%lld]: got %.9g, want %.9g",
                 (long long)far, (long long)n, (long long)first, at(got, got_size, first),
                 at(want, want_size, first));
    return far;
}

const char *hr_far_text(void)
{
    return text;
}

double hr_distance(const void *a, size_t a_size, const void *b, size_t b_size, int64_t n)
{
    double difference = 0, length = 0;

    for (int64_t i = 0; i < n; i++) {
        double x = at(a, a_size, i), y = at(b, b_size, i);

        difference += (x - y) * (x - y);
        length += y * y;
    }
    return sqrt(difference) / (length > 0 ? sqrt(length) : 1);
}
