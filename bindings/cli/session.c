/* session.c - the context of a verb: messages, signals, exit codes.
 *
 * SIGINT, SIGTERM and SIGHUP cancel the running call, which loses nothing. A second Ctrl-C leaves at once; the
 * others come twice by themselves, from a shell and from the kernel when a terminal is closed, from timeout(1).
 */
#include "cli.h"

#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

enum { CLI_TEXT = CLI_PATH + 1024 }; /* bytes of a message: a path, and what is wrong with it */

/* a handler runs on any thread, one of OpenBLAS as well, while the verb may be at its end */
static _Atomic(hirl_context *) running_context;
static atomic_int handling;
static atomic_int stops, interrupts; /* two signals may be handled by two threads at once */
static volatile sig_atomic_t limited;

static void cancel_running(void)
{
    handling++;
    hirl_cancel(running_context);
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
    sigaction(SIGHUP, NULL, &before); /* the terminal is closed; nohup has it ignored */
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

bool cli_session_limited(void)
{
    return limited != 0;
}

bool cli_session_interrupted(void)
{
    return stops > 0;
}

static bool colours(void)
{
    const char *none = getenv("NO_COLOR");

    return isatty(STDERR_FILENO) && (!none || !*none);
}

/* verbs that cluster tell what they do; the others only what is wrong */
static int32_t loudest(const cli_session *session)
{
    if (session->quiet)
        return HIRL_LOG_WARNING;
    if (session->verbose)
        return HIRL_LOG_DEBUG;
    return strstr(session->verb->objects, "cluster") ? HIRL_LOG_INFO : HIRL_LOG_WARNING;
}

static void on_log(int32_t level, const char *text, void *user)
{
    cli_session *session = user;

    if (level > loudest(session))
        return;
    cli_progress_clear(&session->progress);
    fputs(level <= HIRL_LOG_WARNING ? "warning: " : "", stderr);
    cli_put_line(stderr, text);
}

static int32_t on_progress(const char *phase, int64_t done, int64_t total, void *user)
{
    cli_session *session = user;

    cli_progress_phase(&session->progress, phase, done, total);
    return 0;
}

void cli_note(cli_session *session, const char *format, ...)
{
    char text[CLI_TEXT];
    va_list list;

    if (session->quiet)
        return;
    cli_progress_clear(&session->progress);
    va_start(list, format);
    vsnprintf(text, sizeof text, format, list);
    va_end(list);
    cli_put_line(stderr, text);
}

void cli_warn(cli_session *session, const char *format, ...)
{
    char text[CLI_TEXT];
    va_list list;

    va_start(list, format);
    vsnprintf(text, sizeof text, format, list);
    va_end(list);
    on_log(HIRL_LOG_WARNING, text, session);
}

static int tell(cli_session *session, int code, const char *status, const char *text)
{
    cli_progress_clear(&session->progress);
    fputs(colours() ? "\033[31mhirl: " : "hirl: ", stderr);
    cli_put_text(stderr, text);
    fputs(colours() ? "\033[0m\n" : "\n", stderr);
    cli_emit(session, json_pack("{s:s, s:s, s:o, s:i}", "event", "error", "status", status,
                                "message", cli_text(text), "exit", code));
    return code;
}

int cli_error(cli_session *session, int code, const char *format, ...)
{
    char text[CLI_TEXT];
    va_list list;

    va_start(list, format);
    vsnprintf(text, sizeof text, format, list);
    va_end(list);
    return tell(session, code, "", text);
}

static int exit_code(const cli_session *session, hirl_status status)
{
    switch (status) {
    case HIRL_E_INVALID:
        return session->running ? CLI_FAILED : CLI_USAGE;
    case HIRL_E_FORMAT:
    case HIRL_E_LIMIT:
    case HIRL_E_IO:
        return CLI_DATA;
    case HIRL_E_NOMEM:
    case HIRL_E_DEVICE_OOM:
        return CLI_MEMORY;
    case HIRL_E_BACKEND_UNAVAILABLE:
        return CLI_BACKEND;
    default:
        return CLI_FAILED;
    }
}

int cli_fail(cli_session *session, hirl_status status)
{
    if (status == HIRL_E_CANCELED) /* pretrain saves first, and says so */
        return tell(session, CLI_FAILED, hirl_status_name(status),
                    "stopped, nothing was written; the same command begins again");
    return tell(session, exit_code(session, status), hirl_status_name(status),
                hirl_error_message());
}

int cli_fail_settings(cli_session *session, hirl_status status)
{
    bool damaged = status == HIRL_E_FORMAT || status == HIRL_E_LIMIT;

    return tell(session, damaged ? CLI_USAGE : exit_code(session, status), hirl_status_name(status),
                hirl_error_message());
}

int cli_fail_data(cli_session *session, hirl_status status)
{
    return tell(session, status == HIRL_E_UNSUPPORTED ? CLI_DATA : exit_code(session, status),
                hirl_status_name(status), hirl_error_message());
}

int cli_fail_write(cli_session *session, hirl_status status)
{
    int code = exit_code(session, status);

    return tell(session, code == CLI_DATA ? CLI_FAILED : code, hirl_status_name(status),
                hirl_error_message());
}

/* a verb that computes nothing takes the CPU, whatever else is there */
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
    if (status < 0)
        return cli_fail(session, status);
    cli_progress_open(&session->progress, !session->quiet);
    hirl_context_set_log(session->context, on_log, session);
    hirl_context_set_progress(session->context, on_progress, session);
    running_context = session->context;
    catch_signals();
    return CLI_OK;
}

void cli_session_end(cli_session *session)
{
    cli_progress_clear(&session->progress);
    running_context = NULL;
    while (handling) /* by another thread, which may still hold the context */
        sched_yield();
    hirl_context_destroy(session->context);
    hirl_options_destroy(session->options);
    for (int i = 0; i < CLI_OWN_KEYS; i++)
        free(session->own[i]);
}
