/* close.h - comparison of arrays of float or double: |got - want| <= absolute + relative |want|. */
#ifndef HR_TEST_CLOSE_H
#define HR_TEST_CLOSE_H

#include <check.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/error.h"

/* how many of n numbers are not close; hr_far_text describes the first; a NaN is never close */
int64_t hr_far(const void *got, size_t got_size, const void *want, size_t want_size, int64_t n,
               double absolute, double relative);
const char *hr_far_text(void);

/* |a - b| / |b| in the Euclidean norm over all n numbers; |a| if b is 0 */
double hr_distance(const void *a, size_t a_size, const void *b, size_t b_size, int64_t n);

#define HR_FLOAT_SIZE(x) _Generic((x), float : sizeof(float), double : sizeof(double))

/* got and want: pointers to float or double, which can differ */
#define hr_assert_close(got, want, n, absolute, relative)                                          \
    ck_assert_msg(!hr_far((got), HR_FLOAT_SIZE(*(got)), (want), HR_FLOAT_SIZE(*(want)), (n),       \
                          (absolute), (relative)),                                                 \
                  "%s: %s", #got, hr_far_text())

#define hr_assert_distance(got, want, n, limit)                                                    \
    do {                                                                                           \
        double hr_d =                                                                              \
            hr_distance((got), HR_FLOAT_SIZE(*(got)), (want), HR_FLOAT_SIZE(*(want)), (n));        \
                                                                                                   \
        ck_assert_msg(hr_d <= (limit), "%s: distance %g, allowed %g", #got, hr_d,                  \
                      (double)(limit));                                                            \
    } while (0)

/* for a call that must succeed; prints its status and message if it fails */
#define hr_assert_ok(call)                                                                         \
    do {                                                                                           \
        hirl_status hr_s = (call);                                                                 \
                                                                                                   \
        ck_assert_msg(hr_s >= 0, "%s: status %d: %s", #call, (int)hr_s, hr_error_text());          \
    } while (0)

/* for a call that must fail with this status and with `word` in its message */
#define hr_assert_fails(call, status, word)                                                        \
    do {                                                                                           \
        hirl_status hr_s = (call);                                                                 \
                                                                                                   \
        ck_assert_msg(hr_s == (status), "%s: status %d, wanted %d: %s", #call, (int)hr_s,          \
                      (int)(status), hr_error_text());                                             \
        ck_assert_msg(strstr(hr_error_text(), (word)) != NULL, "%s: no '%s' in '%s'", #call,       \
                      (word), hr_error_text());                                                    \
    } while (0)

#endif
