/* session.c - the context of a verb, and the signals that cancel its work.
 *
 * SIGINT, SIGTERM and SIGHUP cancel the running library call, which loses no work. A second Ctrl-C
 * exits at once. The other signals may arrive twice for one reason and do not: a closed terminal
 * sends SIGHUP from the shell and from the kernel, and timeout(1) signals twice.
 */
#include "session.h"

#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

#include "messages.h"

/* Signal handlers may run on any thread, even one of OpenBLAS, while the session ends. */
static _Atomic(hirl_stop *) running_stop;
static atomic_int handling;
static atomic_int stops, interrupts; /* atomic: two threads may handle two signals at once */
static volatile sig_atomic_t limited;

static void cancel_running(void)
{
    handling++;
    hirl_stop_request(running_stop);
    handling--;
}

static void on_interrupt(int number)
{
    stops++;
    if (number == SIGINT && ++interrupts > 1)
        _exit(CLI_INTERRUPTED);
    cancel_running();
}

static void on_limit(int number)
{
    (void)number;
    limited = 1;
    cancel_running();
}

static void catch_signals(void)
{
    struct sigaction action = { .sa_handler = on_interrupt, .sa_flags = SA_RESTART }, before;

    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGHUP, NULL, &before); /* stays ignored under nohup */
    if (before.sa_handler != SIG_IGN)
        sigaction(SIGHUP, &action, NULL);
    action.sa_handler = on_limit;
    sigaction(SIGALRM, &action, NULL);
}

void cli_session_limit(double seconds)
{
    struct itimerval timer = { .it_value = { .tv_sec = (time_t)seconds } };

    setitimer(ITIMER_REAL, &timer, NULL);
}

void cli_session_finish(void)
{
    hirl_stop_use(NULL);
}

bool cli_session_limited(void)
{
    return limited != 0;
}

bool cli_session_interrupted(void)
{
    return stops > 0;
}

static int32_t on_progress(const char *phase, int64_t done, int64_t total, void *user)
{
    cli_session *session = user;

    cli_progress_phase(&session->progress, phase, done, total);
    return 0;
}

/* Verbs without heavy computation have no backend= key and use the CPU. */
static hirl_status choose_backend(cli_session *session)
{
    if (strstr(session->verb->objects, "context"))
        return HIRL_OK;
    return hirl_options_set(session->options, "backend", "cpu");
}

int cli_session_begin(cli_session *session)
{
    hirl_status status = choose_backend(session);

    if (status >= 0)
        status = hirl_context_create(&session->context, session->options);
    if (status >= 0)
        status = hirl_stop_create(&session->stop);
    if (status < 0)
        return cli_check(session, status);
    cli_progress_open(&session->progress, !session->quiet);
    hirl_context_set_log(session->context, HIRL_LOG_DEBUG, cli_log, session, NULL);
    hirl_context_set_progress(session->context, on_progress, session, NULL);
    hirl_stop_use(session->stop);
    running_stop = session->stop;
    catch_signals();
    return CLI_OK;
}

void cli_session_end(cli_session *session)
{
    cli_progress_clear(&session->progress);
    running_stop = NULL;
    while (handling) /* a handler on another thread may still use the stop */
        sched_yield();
    hirl_stop_destroy(session->stop);
    hirl_context_destroy(session->context);
    hirl_options_destroy(session->options);
    for (int i = 0; i < CLI_OWN_KEYS; i++)
        free(session->own[i]);
}
