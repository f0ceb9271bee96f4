/* halt.h - requests to stop, and the one that the work of a thread obeys.
 *
 * A request only sets an atomic number, so a signal handler may make it. The thread that works
 * looks: pool.c before each task, long loops on the host through hr_halt_check. A pool worker obeys
 * what the caller of its job obeys.
 */
#ifndef HR_HALT_H
#define HR_HALT_H

#include <stdatomic.h>

#include "types.h"

#include <hirl/context.h>

/* a request that stays until it is cleared; the public hirl_stop */
struct hirl_stop {
    atomic_int requested;
};

typedef struct hr_halt {
    const atomic_uint *counter; /* a value other than `seen` stops; NULL: nothing counts */
    unsigned seen;
    const hirl_stop *stop; /* NULL: none */
} hr_halt;

/* Makes this thread obey `halt`, which has to live until the next call; NULL: its work is not
 * stopped. Returns what it obeyed before. */
const hr_halt *hr_halt_obey(const hr_halt *halt);
const hr_halt *hr_halt_obeyed(void);
bool hr_halted(const hr_halt *halt);
/* CANCELED if this thread is to stop. The request stays: each check of the call fails. */
hirl_status hr_halt_check(void);
hirl_status hr_halt_fail(void); /* sets the message of a stop; returns CANCELED */

/* The stop that calls of this thread use; NULL: none. */
void hr_stop_use(const hirl_stop *stop);
const hirl_stop *hr_stop_used(void);

#endif
