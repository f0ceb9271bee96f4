/* host.h - what a module may ask of the library, and how it is opened.
 *
 * A module links nothing of ours: a second copy of base/ would have a message of its own that no
 * caller reads. It exports one symbol, hr_module_open.
 */
#ifndef HR_HOST_H
#define HR_HOST_H

#include <stdarg.h>

#include "backend.h"
#include "types.h"

enum {
    HR_MODULE_ABI = 3
}; /* raised when modules are found or opened otherwise; the build id has the tables */

typedef struct hr_host {
    uint32_t abi;
    const char *build_id; /* of the library: a module of another build is refused */
    hirl_status (*fail)(hirl_status status, const char *text); /* sets the thread's message */
    void *(*alloc)(size_t bytes);
    void (*free)(void *block);
} hr_host;

/* Fills the table for a device (-1: the best one). On failure the message says why. */
typedef hirl_status hr_module_open_fn(hr_backend *backend, const hr_host *host, uint32_t abi,
                                      const char *build_id, int32_t device);
#define HR_MODULE_SYMBOL "hr_module_open"

/* loads `file` from the folder in HIRL_BACKEND_PATH; where it is not set, from the compiled-in one */
hirl_status hr_module_load(hr_backend *backend, const char *file, int32_t device);

/* names of the table's empty slots, "a, b, c and 12 more"; returns how many */
int hr_backend_missing(char *text, size_t bytes, const hr_backend *backend);
/* UNSUPPORTED naming the lines that a backend lacks */
hirl_status hr_backend_complete(const hr_backend *backend);

#endif
