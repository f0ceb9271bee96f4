/* backends.h - the backends that a context can compute on: a list of modules, chosen by name. */
#ifndef HR_BACKENDS_H
#define HR_BACKENDS_H

#include "backend.h"
#include "host.h"
#include "types.h"

/* the tables of one context */
typedef struct hr_backends {
    hr_backend cpu;           /* always open */
    hr_backend module;        /* name NULL: none */
    const hr_backend *chosen; /* one of the two */
    const hr_backend
        *on_cpu; /* prepares data: `chosen` when it lies over the CPU's table, else cpu */
} hr_backends;

/* name: "auto", "cpu", or that of a module (backends.c), "cuda:N" with its device. auto logs
 * (DEBUG) why a module was not taken. To be closed after a failure too. */
hirl_status hr_backends_open(hr_backends *all, const char *name, const hr_host *host,
                             hirl_context *context);
void hr_backends_close(hr_backends *all);
/* A public call starts or stops computing: calls `enter` or `leave` of each table that has it. */
void hr_backends_enter(const hr_backends *all);
void hr_backends_leave(const hr_backends *all);

#endif
