/* args.c - the command line: key=value, --key value, --key=value, config files, switches. */
#include "args.h"

#include <string.h>

#include "keys.h"
#include "messages.h"
#include "words.h"

/* "--batch-size" and "batch_size" are the same key */
static void copy_key(char *key, size_t bytes, const char *text, size_t length)
{
    if (length >= bytes)
        length = bytes - 1;
    for (size_t i = 0; i < length; i++)
        key[i] = text[i] == '-' ? '_' : text[i];
    key[length] = 0;
}

static bool read_switch(cli_session *session, const char *word)
{
    bool known = true;

    if (!strcmp(word, "--json"))
        session->json = true;
    else if (!strcmp(word, "--quiet") || !strcmp(word, "-q"))
        session->quiet = true;
    else if (!strcmp(word, "--verbose") || !strcmp(word, "-v"))
        session->verbose = true;
    else if (!strcmp(word, "--help") || !strcmp(word, "-h"))
        session->help = true;
    else
        known = false;
    return known;
}

/* --key value, --key=value, --flag; *used is the number of words consumed */
static int read_long(cli_session *session, const char *word, const char *next, int *used)
{
    const char *equals = strchr(word, '=');
    char key[64];

    copy_key(key, sizeof key, word + 2, equals ? (size_t)(equals - word - 2) : strlen(word + 2));
    *used = 1;
    if (equals)
        return cli_set_key(session, key, equals + 1);
    if (cli_key_is_flag(session, key) && (!next || !cli_is_flag(next)))
        return cli_set_key(session, key, "1");
    if (!next)
        return cli_error(session, CLI_USAGE, "--%s needs a value", word + 2);
    *used = 2;
    return cli_set_key(session, key, next);
}

static int read_bare(cli_session *session, const char *word)
{
    const char *key = session->verb->positional;

    if (cli_ends_with(word, ".yaml") || cli_ends_with(word, ".yml") || cli_ends_with(word, ".json"))
        return cli_check_settings(session, hirl_options_load(session->options, word));
    if (!key)
        return cli_error(session, CLI_USAGE,
                         "'%s' is neither key=value nor a config file (.yaml, .yml or .json)",
                         word);
    if (session->bare)
        return cli_error(session, CLI_USAGE,
                         "both '%s' and '%s' were given as %s; other settings are key=value",
                         session->bare, word, key);
    session->bare = word;
    return cli_set_key(session, key, word);
}

static int read_word(cli_session *session, const char *word, const char *next, int *used)
{
    const char *equals = strchr(word, '=');
    char key[64];

    *used = 1;
    if (read_switch(session, word))
        return CLI_OK;
    if (!strncmp(word, "--", 2) && word[2])
        return read_long(session, word, next, used);
    if (word[0] == '-')
        return cli_error(session, CLI_USAGE, "unknown switch '%s'; see 'hirl %s --help'", word,
                         session->verb->name);
    if (!equals)
        return read_bare(session, word);
    copy_key(key, sizeof key, word, (size_t)(equals - word));
    return cli_set_key(session, key, equals + 1);
}

int cli_args_read(cli_session *session, int count, char **word)
{
    int used, code = CLI_OK;

    for (int i = 0; i < count; i++) /* switches first: they control how errors are printed */
        read_switch(session, word[i]);
    for (int i = 0; i < count && !code && !session->help; i += used)
        code = read_word(session, word[i], i + 1 < count ? word[i + 1] : NULL, &used);
    return code;
}
