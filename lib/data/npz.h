/* npz.h - NumPy's .npz archives: zip files of .npy files. */
#ifndef HR_NPZ_H
#define HR_NPZ_H

#include "data/npy.h"

/* whether a file is a zip archive; false when it is missing */
hirl_status hr_is_npz(bool *yes, const char *path);
/* Reads the array of this name into memory and opens it; "": the only one. INVALID names the arrays
 * when none or several fit; UNSUPPORTED in a build without libzip; FORMAT when it is damaged. */
hirl_status hr_npz_open(hr_npy *npy, const char *path, const char *array);

#endif
