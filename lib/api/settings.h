/* settings.h - reads a YAML or JSON file as pairs of key and value. */
#ifndef HR_SETTINGS_H
#define HR_SETTINGS_H

#include "types.h"

/* Receives one pair. value is the text in the file; a list is "a,b,c". A failure ends the reading,
 * and its message gets the prefix "path:line: ". */
typedef hirl_status hr_settings_fn(const char *key, const char *value, void *arg);

/* Calls fn for each pair of a file: JSON if its name ends with .json, otherwise YAML. The file is
 * one mapping. FORMAT: no such mapping, or damaged; LIMIT: above 1 MiB; INVALID: a key without a
 * value, or with another mapping as its value. */
hirl_status hr_settings_read(const char *path, hr_settings_fn *fn, void *arg);

#endif
