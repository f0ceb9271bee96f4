/* events.c - JSON lines on stdout. */
#include "events.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { JSON_LINE = JSON_COMPACT | JSON_REAL_PRECISION(9) };

void cli_emit(cli_session *session, json_t *event)
{
    if (session->json && event && json_dumpf(event, stdout, JSON_LINE) == 0) {
        putchar('\n');
        fflush(stdout);
    } else if (session->json && !ferror(stdout)) { /* main() reports write errors */
        session->lost = true;
    }
    json_decref(event);
}

/* the escapes that hirl_tree_export() uses for names */
static json_t *escaped(const char *text)
{
    char *shown = malloc(4 * strlen(text) + 1), *end = shown;
    json_t *string;

    if (!shown)
        return NULL;
    for (const unsigned char *c = (const unsigned char *)text; *c; c++) {
        bool odd = *c < ' ' || *c > '~' || *c == '"' || *c == '\\';

        end += sprintf(end, odd ? "\\x%02x" : "%c", *c);
    }
    *end = 0;
    string = json_string(shown);
    free(shown);
    return string;
}

json_t *cli_text(const char *text)
{
    json_t *string = json_string(text);

    return string ? string : escaped(text);
}
