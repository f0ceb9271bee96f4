/* halt.c - requests to stop, and the one that the work of a thread obeys. */
#include "base/halt.h"

#include <stddef.h>

#include "base/error.h"

static _Thread_local const hr_halt *obeyed;
static _Thread_local const hirl_stop *used;

const hr_halt *hr_halt_obey(const hr_halt *halt)
{
    const hr_halt *before = obeyed;

    obeyed = halt;
    return before;
}

const hr_halt *hr_halt_obeyed(void)
{
    return obeyed;
}

bool hr_halted(const hr_halt *halt)
{
    if (!halt)
        return false;
    return (halt->counter &&
            atomic_load_explicit(halt->counter, memory_order_relaxed) != halt->seen) ||
           (halt->stop && atomic_load_explicit(&halt->stop->requested, memory_order_relaxed));
}

hirl_status hr_halt_fail(void)
{
    return hr_fail(HIRL_E_CANCELED, "stopped on request; nothing is lost, call again to go on");
}

hirl_status hr_halt_check(void)
{
    return hr_halted(obeyed) ? hr_halt_fail() : HIRL_OK;
}

void hr_stop_use(const hirl_stop *stop)
{
    used = stop;
}

const hirl_stop *hr_stop_used(void)
{
    return used;
}
