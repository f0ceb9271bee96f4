/* npy_read.h - features and labels in NumPy files. */
#ifndef HR_NPY_READ_H
#define HR_NPY_READ_H

#include "base/option.h"
#include "data/npy.h"

/* keys of features */
typedef struct hr_feature_config {
    int64_t features_bf16; /* 1: u2 holds bfloat16 */
    char features_array[HR_KEY_TEXT_BYTES];
} hr_feature_config;
extern const hr_keys hr_feature_keys;

/* Opens features [n, d] of numbers, with n and d at least 1, in a .npy file or a .npz archive;
 * FORMAT if there are none. config NULL: defaults. */
hirl_status hr_npy_open_features(hr_npy *npy, const char *path, const hr_feature_config *config);
/* to [rows, d] <- rows first to first + rows - 1 of such an array, f32. FORMAT names a number
 * beyond the range of f32. */
hirl_status hr_npy_read_rows(float *to, const hr_npy *npy, int64_t first, int64_t rows,
                             const char *path);

/* Reads features [n, d] as f32. *data is freed with hr_free. With a config, NONFINITE names a
 * number that is not finite; NULL: defaults, and such numbers are returned. */
hirl_status hr_npy_read(float **data, int64_t *n, int64_t *d, const char *path,
                        const hr_feature_config *config);
/* Reads labels [n], integers of any size, as i32. *label is freed with hr_free. */
hirl_status hr_npy_read_labels(int32_t **label, int64_t *n, const char *path);

#endif
