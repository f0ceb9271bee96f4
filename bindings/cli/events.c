/* events.c - JSON lines on stdout. */
#include "cli.h"

#include <stdlib.h>
#include <string.h>

enum { JSON_LINE = JSON_COMPACT | JSON_REAL_PRECISION(9) };

void cli_emit(cli_session *session, json_t *event)
{
    if (session->json && event && json_dumpf(event, stdout, JSON_LINE) == 0) {
        putchar('\n');
        fflush(stdout);
    } else if (session->json && !ferror(stdout)) { /* main() tells of an output that is full */
        session->lost = true;
    }
    json_decref(event);
}

/* as an exported tree shows names */
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

json_t *cli_settings(const cli_session *session)
{
    hirl_option_info info = { .struct_size = sizeof info };
    json_t *settings = json_object();

    for (const cli_key *key = session->verb->keys; key && key->name; key++)
        json_object_set_new(settings, key->name, cli_text(cli_own(session, key->name)));
    for (int32_t i = 0; i < hirl_options_count(); i++)
        if (hirl_options_describe(&info, i) == HIRL_OK && cli_takes(session->verb, &info))
            json_object_set_new(settings, info.name,
                                cli_text(hirl_options_get(session->options, info.name)));
    return settings;
}
