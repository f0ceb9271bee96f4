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

#include <hirl/context.h>

enum {
    HR_MODULE_ABI = 4
}; /* raised when modules are found or opened otherwise; the build id has the tables */

typedef struct hr_host {
    uint32_t abi;
    const char *build_id; /* of the library: a module of another build is refused */
    hirl_status (*fail)(hirl_status status, const char *text); /* sets the thread's message */
    void *(*alloc)(size_t bytes);
    void (*free)(void *block);
    void (*log)(hirl_context *context, int32_t level, const char *text); /* HIRL_LOG_... */
} hr_host;

/* Fills the table for a device (-1: the best one). On failure the message says why. */
typedef hirl_status hr_module_open_fn(hr_backend *backend, const hr_host *host, uint32_t abi,
                                      const char *build_id, int32_t device);
#define HR_MODULE_SYMBOL "hr_module_open"

#endif
