/* names.h - names of rows, from a text file, a data set or a tree. */
#ifndef CLI_NAMES_H
#define CLI_NAMES_H

#include "cli.h"

typedef struct cli_names {
    const char **name; /* [count] */
    int64_t count;
    char *text; /* the bytes of the names, or NULL: borrowed from data set or tree */
} cli_names;

int cli_names_read(cli_names *names, cli_session *session,
                   const char *path); /* one name per line */
int cli_names_in(cli_names *names, cli_session *session, const hirl_tree *tree);
int cli_names_of(cli_names *names, cli_session *session, const hirl_dataset *dataset);
void cli_names_free(cli_names *names);

#endif
