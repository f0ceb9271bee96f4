/* bench.h - for the programs that measure: clocks, and arguments of the form name=value. */
#ifndef HR_BENCH_H
#define HR_BENCH_H

#include <string.h>
#include <time.h>

/* seconds on this clock */
static inline double seconds_of(clockid_t clock)
{
    struct timespec t;

    clock_gettime(clock, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static inline double now(void)
{
    return seconds_of(CLOCK_MONOTONIC);
}

/* the value of the argument name=value, or `standard` if there is none */
static inline const char *argument(char **argv, int argc, const char *name, const char *standard)
{
    size_t length = strlen(name);

    for (int i = 1; i < argc; i++)
        if (!strncmp(argv[i], name, length) && argv[i][length] == '=')
            return argv[i] + length + 1;
    return standard;
}

#endif
