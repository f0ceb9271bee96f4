/* args.h - reads the command line of a verb into the session. */
#ifndef CLI_ARGS_H
#define CLI_ARGS_H

#include "cli.h"

int cli_args_read(cli_session *session, int count, char **word);

#endif
