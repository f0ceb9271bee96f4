/* events.h - JSON lines on stdout. */
#ifndef CLI_EVENTS_H
#define CLI_EVENTS_H

#include <jansson.h>

#include "cli.h"

/* Prints the event when --json was given. Takes over the reference to it in every case. */
void cli_emit(cli_session *session, json_t *event);
/* A string from any bytes. If they are not UTF-8, all but printable ASCII becomes \xNN. */
json_t *cli_text(const char *text);

#endif
