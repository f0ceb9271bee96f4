/* backends.h - the backends that a context can compute on, chosen by name. */
#ifndef HR_BACKENDS_H
#define HR_BACKENDS_H

#include "backend.h"
#include "host.h"
#include "types.h"

/* name: "auto", "cpu", "cuda", "cuda:N". auto logs (DEBUG) why CUDA was not taken. */
hirl_status hr_backends_open(const hr_backend **backend, const char *name, const hr_host *host,
                             hirl_context *context);

#endif
