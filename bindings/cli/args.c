/* args.c - the command line: key=value, --key value, --key=value, config files, flags.
 *
 * A key belongs to the verb's own table or to a library object that the verb uses; values of the
 * library's keys go straight into hirl_options, which checks them.
 */
#include "cli.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int own_index(const cli_verb *verb, const char *key)
{
    for (int i = 0; verb->keys && verb->keys[i].name; i++)
        if (!strcmp(verb->keys[i].name, key))
            return i;
    return -1;
}

static bool is_word_of(const char *words, const char *word)
{
    size_t length = strlen(word);

    for (const char *at = words; length && (at = strstr(at, word)); at += length)
        if ((at == words || at[-1] == ' ') && (at[length] == ' ' || !at[length]))
            return true;
    return false;
}

/* Levenshtein's distance; words longer than 31 bytes are far from everything */
static int distance(const char *a, const char *b)
{
    size_t rows = strlen(a), cols = strlen(b);
    int cost[32];

    if (rows > 31 || cols > 31)
        return 32;
    for (size_t j = 0; j <= cols; j++)
        cost[j] = (int)j;
    for (size_t i = 1; i <= rows; i++) {
        int corner = cost[0];

        cost[0] = (int)i;
        for (size_t j = 1; j <= cols; j++) {
            int swap = corner + (a[i - 1] != b[j - 1]);
            int move = (cost[j] < cost[j - 1] ? cost[j] : cost[j - 1]) + 1;

            corner = cost[j];
            cost[j] = swap < move ? swap : move;
        }
    }
    return cost[cols];
}

const char *cli_nearest(const char *word, const char *const *name, int count)
{
    const char *best = NULL;
    int least = (int)strlen(word) / 2 + 1;

    for (int i = 0; i < count; i++) {
        int d = distance(word, name[i]);

        if (d < least) {
            least = d;
            best = name[i];
        }
    }
    return best;
}

bool cli_takes(const cli_verb *verb, const hirl_option_info *info)
{
    if (own_index(verb, info->name) >= 0 ||
        (verb->without && is_word_of(verb->without, info->name)))
        return false;
    return is_word_of(verb->objects, info->object) ||
           (verb->also && is_word_of(verb->also, info->name));
}

static bool find_key(hirl_option_info *info, const char *key)
{
    *info = (hirl_option_info){ .struct_size = sizeof *info };
    for (int32_t i = 0; i < hirl_options_count(); i++)
        if (hirl_options_describe(info, i) == HIRL_OK && !strcmp(info->name, key))
            return true;
    return false;
}

static int refuse_key(cli_session *session, const char *key)
{
    enum { MOST = 256 };
    const char *name[MOST], *near;
    hirl_option_info info = { .struct_size = sizeof info };
    int count = 0;

    for (int i = 0; session->verb->keys && session->verb->keys[i].name; i++)
        name[count++] = session->verb->keys[i].name;
    for (int32_t i = 0; i < hirl_options_count() && count < MOST; i++)
        if (hirl_options_describe(&info, i) == HIRL_OK && cli_takes(session->verb, &info))
            name[count++] = info.name;
    if (!*key)
        return cli_error(session, CLI_USAGE,
                         "'=' without a key: settings are key=value, without spaces");
    near = cli_nearest(key, name, count);
    if (near)
        return cli_error(session, CLI_USAGE, "unknown key '%s'; did you mean '%s'?", key, near);
    return cli_error(session, CLI_USAGE, "unknown key '%s'; see hirl %s --help", key,
                     session->verb->name);
}

static bool is_flag_text(const char *text)
{
    return is_word_of("0 1 true false yes no", text);
}

static int check_int(cli_session *session, const cli_key *key, const char *text)
{
    double low, high;
    char *end;
    long long value;

    errno = 0;
    value = strtoll(text, &end, 10);
    if (end == text || *end || errno)
        return cli_error(session, CLI_USAGE, "%s: '%s' is no whole number", key->name, text);
    if (sscanf(key->range, "%lf to %lf", &low, &high) == 2 &&
        ((double)value < low || (double)value > high))
        return cli_error(session, CLI_USAGE, "%s: %s is outside %s", key->name, text, key->range);
    return CLI_OK;
}

static int set_own(cli_session *session, int index, const char *text)
{
    const cli_key *key = &session->verb->keys[index];
    int code = CLI_OK;

    if (!strcmp(key->type, "int"))
        code = check_int(session, key, text);
    else if (!strcmp(key->type, "choice") && !is_word_of(key->range, text))
        code =
            cli_error(session, CLI_USAGE, "%s: '%s' is none of: %s", key->name, text, key->range);
    else if (!strcmp(key->type, "flag") && !is_flag_text(text))
        code = cli_error(session, CLI_USAGE, "%s: '%s' is neither 0 nor 1", key->name, text);
    if (code)
        return code;
    free(session->own[index]);
    session->own[index] = strdup(text);
    return session->own[index] ? CLI_OK : cli_error(session, CLI_MEMORY, "out of memory");
}

static int set_key(cli_session *session, const char *key, const char *text)
{
    int index = own_index(session->verb, key);
    hirl_option_info info;
    hirl_status status;
    bool known;

    if (index >= 0)
        return set_own(session, index, text);
    known = find_key(&info, key);
    if (known && !cli_takes(session->verb, &info))
        return cli_error(session, CLI_USAGE, "key '%s' (%s) has no effect on %s", key, info.object,
                         session->verb->name);
    if (!known && !hirl_options_get(session->options, key))
        return refuse_key(session, key);
    status = hirl_options_set(session->options, key, text);
    return status < 0 ? cli_fail(session, status) : CLI_OK;
}

/* "--batch-size" and "batch_size" are one key */
static void copy_key(char *key, size_t bytes, const char *text, size_t length)
{
    if (length >= bytes)
        length = bytes - 1;
    for (size_t i = 0; i < length; i++)
        key[i] = text[i] == '-' ? '_' : text[i];
    key[length] = 0;
}

static bool key_is_flag(const cli_session *session, const char *key)
{
    int index = own_index(session->verb, key);
    hirl_option_info info;

    if (index >= 0)
        return !strcmp(session->verb->keys[index].type, "flag");
    return find_key(&info, key) && !strcmp(info.type, "flag");
}

static bool take_switch(cli_session *session, const char *word)
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

/* --key value, --key=value, --flag; *used counts the words taken */
static int take_long(cli_session *session, const char *word, const char *next, int *used)
{
    const char *equals = strchr(word, '=');
    char key[64];

    copy_key(key, sizeof key, word + 2, equals ? (size_t)(equals - word - 2) : strlen(word + 2));
    *used = 1;
    if (equals)
        return set_key(session, key, equals + 1);
    if (key_is_flag(session, key) && (!next || !is_flag_text(next)))
        return set_key(session, key, "1");
    if (!next)
        return cli_error(session, CLI_USAGE, "--%s: its value is missing", word + 2);
    *used = 2;
    return set_key(session, key, next);
}

static bool ends_with(const char *word, const char *end)
{
    size_t a = strlen(word), b = strlen(end);

    return a >= b && !strcmp(word + a - b, end);
}

static int take_bare(cli_session *session, const char *word)
{
    const char *key = session->verb->positional;

    if (ends_with(word, ".yaml") || ends_with(word, ".yml") || ends_with(word, ".json")) {
        hirl_status status = hirl_options_load(session->options, word);

        return status < 0 ? cli_fail_settings(session, status) : CLI_OK;
    }
    if (!key)
        return cli_error(session, CLI_USAGE, "'%s' is neither key=value nor a config.yaml", word);
    if (session->bare)
        return cli_error(session, CLI_USAGE, "'%s' and '%s': one %s; other settings are key=value",
                         session->bare, word, key);
    session->bare = word;
    return set_key(session, key, word);
}

static int take_word(cli_session *session, const char *word, const char *next, int *used)
{
    const char *equals = strchr(word, '=');
    char key[64];

    *used = 1;
    if (take_switch(session, word))
        return CLI_OK;
    if (!strncmp(word, "--", 2) && word[2])
        return take_long(session, word, next, used);
    if (word[0] == '-')
        return cli_error(session, CLI_USAGE, "unknown switch '%s'; see hirl %s --help", word,
                         session->verb->name);
    if (!equals)
        return take_bare(session, word);
    copy_key(key, sizeof key, word, (size_t)(equals - word));
    return set_key(session, key, equals + 1);
}

int cli_args_read(cli_session *session, int count, char **word)
{
    int used, code = CLI_OK;

    for (int i = 0; i < count; i++) /* the switches first: they say how errors are told */
        take_switch(session, word[i]);
    for (int i = 0; i < count && !code && !session->help; i += used)
        code = take_word(session, word[i], i + 1 < count ? word[i + 1] : NULL, &used);
    return code;
}

const char *cli_own(const cli_session *session, const char *key)
{
    int index = own_index(session->verb, key);

    return session->own[index] ? session->own[index] : session->verb->keys[index].standard;
}

bool cli_own_given(const cli_session *session, const char *key)
{
    return session->own[own_index(session->verb, key)] != NULL;
}

int cli_own_from_file(cli_session *session, const char *key)
{
    if (cli_own_given(session, key) || hirl_options_origin(session->options, key) <= 0 ||
        !*hirl_options_get(session->options, key)) /* as hirl config show prints it */
        return CLI_OK;
    return set_own(session, own_index(session->verb, key), hirl_options_get(session->options, key));
}

enum { TYPED = 3 }; /* origin of a key on the command line; a config file may hold any */

bool cli_is_typed(const cli_session *session, const char *key)
{
    return hirl_options_origin(session->options, key) == TYPED;
}

static int refuse_useless(cli_session *session, const char *key, const char *with)
{
    return cli_error(session, CLI_USAGE, "key '%s' has no effect on %s with %s", key,
                     session->verb->name, with);
}

int cli_refuse_keys(cli_session *session, const char *keys, const char *with)
{
    hirl_option_info info = { .struct_size = sizeof info };

    for (const cli_key *key = session->verb->keys; key && key->name; key++)
        if (is_word_of(keys, key->name) && cli_own_given(session, key->name))
            return refuse_useless(session, key->name, with);
    for (int32_t i = 0; i < hirl_options_count(); i++)
        if (hirl_options_describe(&info, i) == HIRL_OK && is_word_of(keys, info.name) &&
            cli_is_typed(session, info.name))
            return refuse_useless(session, info.name, with);
    return CLI_OK;
}

int cli_refuse_object(cli_session *session, const char *object, const char *but, const char *with)
{
    hirl_option_info info = { .struct_size = sizeof info };

    for (int32_t i = 0; i < hirl_options_count(); i++)
        if (hirl_options_describe(&info, i) == HIRL_OK && !strcmp(info.object, object) &&
            !is_word_of(but, info.name) && cli_is_typed(session, info.name))
            return refuse_useless(session, info.name, with);
    return CLI_OK;
}

int64_t cli_own_int(const cli_session *session, const char *key)
{
    return strtoll(cli_own(session, key), NULL, 10);
}

bool cli_flag(const cli_session *session, const char *key)
{
    const char *text = cli_own(session, key);

    return !strcmp(text, "1") || !strcmp(text, "true") || !strcmp(text, "yes");
}
