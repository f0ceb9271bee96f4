/* help.h - the help texts of the program and of a verb. */
#ifndef CLI_HELP_H
#define CLI_HELP_H

#include "cli.h"

void cli_help_program(const cli_verb *const *verb, int count);
/* the verbs that begin with one word, such as tree */
void cli_help_family(const char *family, const cli_verb *const *verb, int count);
void cli_help_verb(cli_session *session);

#endif
