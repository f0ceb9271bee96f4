/* cli.h - the types that all parts of the program hirl share; it declares no function.
 *
 * A verb is a cli_verb; verbs.h lists them. Results go to stdout; notes, progress and errors go to
 * stderr. With --json, stdout carries one JSON object per line.
 */
#ifndef CLI_H
#define CLI_H

#include <stdbool.h>
#include <stdint.h>

#include <hirl/hirl.h>

#include "progress.h"

/* Exit codes. 75 is EX_TEMPFAIL of sysexits.h: a scheduler may start the same command again. */
enum {
    CLI_OK = 0,
    CLI_FAILED = 1,
    CLI_USAGE = 2,
    CLI_DATA = 3,
    CLI_MEMORY = 4,
    CLI_BACKEND = 5,
    CLI_AGAIN = 75,
    CLI_INTERRUPTED = 130
};

enum { CLI_PATH = 4096 }; /* bytes of a path with its terminating 0, the limit of Linux */

/* A key of the program itself. The library's keys come from hirl_options_describe(). */
typedef struct cli_key {
    const char *name;
    const char *type;     /* "text", "int", "flag" or "choice" */
    const char *standard; /* default value, "" when there is none */
    const char *range;    /* "1 to 8", or the choices separated by spaces, or "" */
    const char *unit;
    const char *help;
} cli_key;

typedef struct cli_session cli_session;

typedef struct cli_verb {
    const char *name;       /* "tree show" */
    const char *alias;      /* another name, or NULL */
    const char *help;       /* one line */
    const char *example;    /* arguments of a typical call */
    const char *note;       /* text that --help prints above the keys, or NULL */
    const char *preset;     /* used when none is given, --help shows its values; NULL: no preset */
    const char *task;       /* task whose defaults --help shows, if the verb trains; or NULL */
    const char *positional; /* the key that a bare argument sets, or NULL */
    const char *objects;    /* library objects whose keys it accepts: "context data model" */
    const char *also;       /* further library keys that it accepts, or NULL */
    const char *without;    /* keys of `objects` that it does not accept, or NULL */
    const cli_key *keys;    /* its own keys, ended by one without a name; or NULL */
    int (*run)(cli_session *session); /* returns the exit code */
} cli_verb;

enum { CLI_OWN_KEYS = 24 }; /* most keys of a verb's own */

/* One call of a verb: its arguments, and the context that it works with. */
struct cli_session {
    const cli_verb *verb;
    hirl_options *options;
    hirl_context *context; /* NULL until cli_session_begin() */
    hirl_stop *stop;       /* set by signals */
    bool json, quiet, verbose, help;
    const char *bare; /* the bare argument that set verb->positional, or NULL */
    bool running;     /* work has begun: HIRL_E_INVALID no longer means a wrong command line */
    bool lost;        /* an event could not be written as JSON */
    cli_progress progress;
    char *own[CLI_OWN_KEYS]; /* values of verb->keys, NULL: not given */
};

#endif
