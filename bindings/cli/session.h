/* session.h - the context of a verb, and the signals that cancel its work. */
#ifndef CLI_SESSION_H
#define CLI_SESSION_H

#include "cli.h"

int cli_session_begin(cli_session *session);
void cli_session_end(cli_session *session);
/* Cancels the running library call after so many seconds; 0: never. */
void cli_session_limit(double seconds);
/* Calls from now on are short and are not stopped: they save what the stopped call has made. */
void cli_session_finish(void);
bool cli_session_limited(void);     /* the time limit was reached */
bool cli_session_interrupted(void); /* a signal asked the program to stop */

#endif
