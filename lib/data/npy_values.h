/* npy_values.h - numbers of a .npy file as f32. */
#ifndef HR_NPY_VALUES_H
#define HR_NPY_VALUES_H

#include "data/npy.h"

/* to <- n numbers of the array's type, f32; the first that is finite but beyond f32 stops the
 * conversion. Returns how many were converted; *beyond is the value of the one that stopped it. */
int64_t hr_npy_to_floats(float *to, double *beyond, const uint8_t *from, int64_t n,
                         const hr_npy *npy);
/* Converts labels; false when one is below -1 or does not fit in i32. */
bool hr_npy_to_labels(int32_t *to, const uint8_t *from, int64_t n, const hr_npy *npy);

#endif
