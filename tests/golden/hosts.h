/* hosts.h - methods as an application would add them (method=own). */
#ifndef HOSTS_H
#define HOSTS_H

#include <hirl/method.h>

/* `simclr` is the one of examples/simclr.c; `simsiam` and `mocov3` are written independently of the
 * library's. Other names fail the test. */
hirl_method_calls host_calls(const char *method);

#endif
