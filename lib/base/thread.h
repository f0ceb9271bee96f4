/* thread.h - starts a thread of the library. */
#ifndef HR_THREAD_H
#define HR_THREAD_H

#include <pthread.h>
#include <stdbool.h>

/* Starts body(arg) on a new thread with a stack of 1 MiB. All its signals are blocked, so that
 * the application's signal handlers run on its own threads only. false: the system refused. */
bool hr_thread_start(pthread_t *thread, void *(*body)(void *arg), void *arg);

#endif
