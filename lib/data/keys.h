/* keys.h - the options of a data set. */
#ifndef HR_DATA_KEYS_H
#define HR_DATA_KEYS_H

#include "base/option.h"

extern const hr_keys hr_data_keys;

#endif
