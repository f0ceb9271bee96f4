/* thread.c - starts a thread of the library. */
#include "base/thread.h"

#include <signal.h>

enum { STACK_BYTES = 1 << 20 };

bool hr_thread_start(pthread_t *thread, void *(*body)(void *arg), void *arg)
{
    pthread_attr_t attributes;
    sigset_t all, before;
    bool started;

    /* a new thread inherits the signal mask of its creator */
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, STACK_BYTES);
    started = !pthread_create(thread, &attributes, body, arg);
    pthread_attr_destroy(&attributes);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return started;
}
