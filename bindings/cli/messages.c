/* messages.c - notes, warnings and errors on stderr, and exit codes of failed library calls. */
#include "messages.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "events.h"
#include "text.h"

enum { CLI_TEXT = CLI_PATH + 1024 }; /* bytes of a message: a path and a sentence */

static bool is_coloured(void)
{
    const char *none = getenv("NO_COLOR");

    return isatty(STDERR_FILENO) && (!none || !*none);
}

/* Verbs that train or cluster log what they do; the others log warnings only. */
static int32_t log_level(const cli_session *session)
{
    if (session->quiet)
        return HIRL_LOG_WARNING;
    if (session->verbose)
        return HIRL_LOG_DEBUG;
    return session->verb->task || strstr(session->verb->objects, "cluster") ? HIRL_LOG_INFO
                                                                            : HIRL_LOG_WARNING;
}

void cli_log(int32_t level, const char *text, void *user)
{
    cli_session *session = user;

    if (level > log_level(session))
        return;
    cli_progress_clear(&session->progress);
    fputs(level <= HIRL_LOG_WARNING ? "warning: " : "", stderr);
    cli_put_line(stderr, text);
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
    cli_log(HIRL_LOG_WARNING, text, session);
}

static int print_error(cli_session *session, int code, const char *status, const char *text)
{
    cli_progress_clear(&session->progress);
    fputs(is_coloured() ? "\033[31mhirl: " : "hirl: ", stderr);
    cli_put_text(stderr, text);
    fputs(is_coloured() ? "\033[0m\n" : "\n", stderr);
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
    return print_error(session, code, "", text);
}

int cli_no_memory(cli_session *session)
{
    return cli_error(session, CLI_MEMORY, "out of memory");
}

static int exit_code(const cli_session *session, hirl_status status)
{
    if (status >= 0)
        return CLI_OK;
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

/* CLI_OK, or the message of the failed library call and the given exit code */
static int report(cli_session *session, int code, hirl_status status)
{
    if (status >= 0)
        return CLI_OK;
    return print_error(session, code, hirl_status_name(status), hirl_error_message());
}

int cli_check(cli_session *session, hirl_status status)
{
    if (status ==
        HIRL_E_CANCELED) /* a training run saves its state, and prints a message of its own */
        return print_error(session, CLI_FAILED, hirl_status_name(status),
                           "stopped, nothing was written; run the same command to start again");
    return report(session, exit_code(session, status), status);
}

int cli_check_settings(cli_session *session, hirl_status status)
{
    bool malformed = status == HIRL_E_FORMAT || status == HIRL_E_LIMIT;

    return report(session, malformed ? CLI_USAGE : exit_code(session, status), status);
}

int cli_check_data(cli_session *session, hirl_status status)
{
    bool unfit = status == HIRL_E_INVALID && session->running;

    return report(session,
                  unfit || status == HIRL_E_UNSUPPORTED || status == HIRL_E_NONFINITE
                      ? CLI_DATA
                      : exit_code(session, status),
                  status);
}

int cli_check_join(cli_session *session, hirl_status status)
{
    return report(session, status == HIRL_E_INVALID ? CLI_DATA : exit_code(session, status),
                  status);
}

int cli_check_write(cli_session *session, hirl_status status)
{
    int code = exit_code(session, status);

    return report(session, code == CLI_DATA ? CLI_FAILED : code, status);
}
