/* messages.h - notes, warnings and errors on stderr, and exit codes of failed library calls. */
#ifndef CLI_MESSAGES_H
#define CLI_MESSAGES_H

#include "cli.h"

/* The log callback of the context; user is the session. */
void cli_log(int32_t level, const char *text, void *user);
void cli_note(cli_session *session, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Like cli_note(), but printed under --quiet too. */
void cli_warn(cli_session *session, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Prints an error that the program itself found, and returns the given exit code. */
int cli_error(cli_session *session, int code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
int cli_no_memory(cli_session *session);

/* CLI_OK for a successful library call; otherwise prints its message and returns an exit code. */
int cli_check(cli_session *session, hirl_status status);
/* For a call that read a config file: a malformed file is a usage error, not a data error. */
int cli_check_settings(cli_session *session, hirl_status status);
/* For a call that joins a tree and its images: other images are a data error. */
int cli_check_join(cli_session *session, hirl_status status);
/* For a call that opened data: an unsupported kind of data is a data error. So are data that a run
 * finds unfit after its settings were checked. */
int cli_check_data(cli_session *session, hirl_status status);
/* For a call that wrote a result: an input/output failure is not a data error. */
int cli_check_write(cli_session *session, hirl_status status);

#endif
