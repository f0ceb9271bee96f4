/* overlay.h - what overlay_module.c counts; a test finds it in the opened file under this name. */
#ifndef HR_TEST_OVERLAY_H
#define HR_TEST_OVERLAY_H

#include <stdint.h>

typedef struct hr_test_overlay {
    int opened, closed;
    int entered, left;
    int64_t relu, gemm; /* calls of each slot */
    int64_t passed_on;  /* calls that went to the slots below */
} hr_test_overlay;

#define HR_TEST_OVERLAY_SYMBOL "hr_test_overlay_counts"
enum {
    HR_TEST_OVERLAY_ALPHA = -77
}; /* gemm refuses this factor: a failure that sticks in the queue */

#endif
