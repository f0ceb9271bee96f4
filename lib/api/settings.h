/* settings.h - a YAML or JSON file as key, value, line. */
#ifndef HR_SETTINGS_H
#define HR_SETTINGS_H

#include "types.h"

/* value: as written; a list as "a,b,c". A failure ends the reading and gets "path:line: " before
 * its message. */
typedef hirl_status hr_settings_fn(const char *key, const char *value, void *arg);

/* A file whose name ends with .json is JSON, any other YAML: one flat mapping; a: {b: 1} is a.b.
 * FORMAT: no such mapping, or damaged; LIMIT: above 1 MiB; INVALID: a key without a value. */
hirl_status hr_settings_read(const char *path, hr_settings_fn *fn, void *arg);

#endif
