/* hosts.h - methods as a host program would add them (method=own). */
#ifndef HOSTS_H
#define HOSTS_H

#include <hirl/method.h>

/* simclr: of examples/simclr.c; simsiam, mocov3: written here a second time. Fails for other names. */
hirl_method_calls host_calls(const char *method);

#endif
