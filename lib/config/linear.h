/* linear.h - settings of a linear probe, overridden by the caller's options. */
#ifndef HR_CONFIG_LINEAR_H
#define HR_CONFIG_LINEAR_H

#include "base/option.h"

extern const hr_setting_pair hr_linear_settings[]; /* a NULL key ends the list */

#endif
