/* module.h - loads a backend from a file of its own. */
#ifndef HR_MODULE_H
#define HR_MODULE_H

#include "host.h"
#include "types.h"

/* Loads `file` from the folder in HIRL_BACKEND_PATH or, when that is not set, from the compiled-in
 * one, and lets it fill the table. */
hirl_status hr_module_load(hr_backend *backend, const char *file, const hr_host *host,
                           const hr_opening *opening);

#endif
