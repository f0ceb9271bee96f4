/* resolved.h - the values that a run uses, as options. */
#ifndef HR_RESOLVED_H
#define HR_RESOLVED_H

#include "config/run_config.h"
#include "types.h"

/* `resolved` holds a copy of the options that the config was read from. Adds the value that each
 * key of a run has in it; origins stay. */
hirl_status hr_options_add_resolved(hirl_options *resolved, const hr_run_config *config,
                                    const hirl_options *options);

#endif
