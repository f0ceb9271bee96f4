/* keys.c - the keys that a verb accepts, its own and the library's, and their values.
 *
 * Values of library keys are stored in hirl_options, which checks them.
 */
#include "keys.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "events.h"
#include "messages.h"
#include "words.h"

enum { TYPED = 3 }; /* hirl_options_origin() of a key on the command line */

bool cli_library_key(hirl_option_info *info, int32_t index)
{
    *info = (hirl_option_info){ .struct_size = sizeof *info };
    return index < hirl_options_count() && hirl_options_describe(info, index) == HIRL_OK;
}

bool cli_find_library_key(hirl_option_info *info, const char *key)
{
    for (int32_t i = 0; cli_library_key(info, i); i++)
        if (!strcmp(info->name, key))
            return true;
    return false;
}

static int own_index(const cli_verb *verb, const char *key)
{
    for (int i = 0; verb->keys && verb->keys[i].name; i++)
        if (!strcmp(verb->keys[i].name, key))
            return i;
    return -1;
}

bool cli_accepts(const cli_verb *verb, const hirl_option_info *info)
{
    if (own_index(verb, info->name) >= 0 ||
        (verb->without && cli_is_word_of(verb->without, info->name)))
        return false;
    return cli_is_word_of(verb->objects, info->object) ||
           (verb->also && cli_is_word_of(verb->also, info->name));
}

static int refuse_unknown(cli_session *session, const char *key)
{
    enum { MOST = 256 };
    const char *name[MOST], *near;
    hirl_option_info info;
    int count = 0;

    for (const cli_key *own = session->verb->keys; own && own->name; own++)
        name[count++] = own->name;
    for (int32_t i = 0; count < MOST && cli_library_key(&info, i); i++)
        if (cli_accepts(session->verb, &info))
            name[count++] = info.name;
    if (!*key)
        return cli_error(session, CLI_USAGE,
                         "'=' without a key: write settings as key=value, without spaces");
    near = cli_nearest(key, name, count);
    if (near)
        return cli_error(session, CLI_USAGE, "unknown key '%s'; did you mean '%s'?", key, near);
    return cli_error(session, CLI_USAGE, "unknown key '%s'; see 'hirl %s --help'", key,
                     session->verb->name);
}

static int check_int(cli_session *session, const cli_key *key, const char *text)
{
    double low, high;
    char *end;
    long long value;

    errno = 0;
    value = strtoll(text, &end, 10);
    if (end == text || *end || errno)
        return cli_error(session, CLI_USAGE, "%s: '%s' is not a whole number", key->name, text);
    if (sscanf(key->range, "%lf to %lf", &low, &high) == 2 &&
        ((double)value < low || (double)value > high))
        return cli_error(session, CLI_USAGE, "%s: %s is outside the range %s", key->name, text,
                         key->range);
    return CLI_OK;
}

static int set_own(cli_session *session, int index, const char *text)
{
    const cli_key *key = &session->verb->keys[index];
    int code = CLI_OK;

    if (!strcmp(key->type, "int"))
        code = check_int(session, key, text);
    else if (!strcmp(key->type, "choice") && !cli_is_word_of(key->range, text))
        code = cli_error(session, CLI_USAGE, "%s: '%s' is not one of: %s", key->name, text,
                         key->range);
    else if (!strcmp(key->type, "flag") && !cli_is_flag(text))
        code = cli_error(session, CLI_USAGE, "%s: '%s' is neither 0 nor 1", key->name, text);
    if (code)
        return code;
    free(session->own[index]);
    session->own[index] = strdup(text);
    return session->own[index] ? CLI_OK : cli_no_memory(session);
}

int cli_set_key(cli_session *session, const char *key, const char *text)
{
    int index = own_index(session->verb, key);
    hirl_option_info info;
    bool known;

    if (index >= 0)
        return set_own(session, index, text);
    known = cli_find_library_key(&info, key);
    if (known && !cli_accepts(session->verb, &info))
        return cli_error(session, CLI_USAGE, "key '%s' (%s) has no effect on hirl %s", key,
                         info.object, session->verb->name);
    if (!known && !hirl_options_get(session->options, key))
        return refuse_unknown(session, key);
    return cli_check(session, hirl_options_set(session->options, key, text));
}

bool cli_key_is_flag(const cli_session *session, const char *key)
{
    int index = own_index(session->verb, key);
    hirl_option_info info;

    if (index >= 0)
        return !strcmp(session->verb->keys[index].type, "flag");
    return cli_find_library_key(&info, key) && !strcmp(info.type, "flag");
}

const char *cli_own(const cli_session *session, const char *key)
{
    int index = own_index(session->verb, key);

    return session->own[index] ? session->own[index] : session->verb->keys[index].standard;
}

int64_t cli_own_int(const cli_session *session, const char *key)
{
    return strtoll(cli_own(session, key), NULL, 10);
}

bool cli_own_flag(const cli_session *session, const char *key)
{
    return cli_is_true(cli_own(session, key));
}

int cli_own_from_file(cli_session *session, const char *key)
{
    int index = own_index(session->verb, key);

    if (session->own[index] || hirl_options_origin(session->options, key) <= 0 ||
        !*hirl_options_get(session->options, key)) /* hirl config show prints `out: ""` */
        return CLI_OK;
    return set_own(session, index, hirl_options_get(session->options, key));
}

bool cli_library_flag(const cli_session *session, const char *key)
{
    const char *text = hirl_options_get(session->options, key);

    return text && cli_is_true(text);
}

int64_t cli_library_int(const cli_session *session, const char *key)
{
    const char *text = hirl_options_get(session->options, key);

    return text ? strtoll(text, NULL, 10) : 0;
}

bool cli_is_typed(const cli_session *session, const char *key)
{
    return hirl_options_origin(session->options, key) == TYPED;
}

json_t *cli_settings(const cli_session *session)
{
    hirl_option_info info;
    json_t *settings = json_object();

    for (const cli_key *key = session->verb->keys; key && key->name; key++)
        json_object_set_new(settings, key->name, cli_text(cli_own(session, key->name)));
    for (int32_t i = 0; cli_library_key(&info, i); i++)
        if (cli_accepts(session->verb, &info))
            json_object_set_new(settings, info.name,
                                cli_text(hirl_options_get(session->options, info.name)));
    return settings;
}

static int refuse_useless(cli_session *session, const char *key, const char *with)
{
    return cli_error(session, CLI_USAGE, "key '%s' has no effect on hirl %s with %s", key,
                     session->verb->name, with);
}

int cli_refuse_keys(cli_session *session, const char *keys, const char *with)
{
    hirl_option_info info;

    for (int i = 0; session->verb->keys && session->verb->keys[i].name; i++)
        if (session->own[i] && cli_is_word_of(keys, session->verb->keys[i].name))
            return refuse_useless(session, session->verb->keys[i].name, with);
    for (int32_t i = 0; cli_library_key(&info, i); i++)
        if (cli_is_word_of(keys, info.name) && cli_is_typed(session, info.name))
            return refuse_useless(session, info.name, with);
    return CLI_OK;
}

int cli_refuse_object(cli_session *session, const char *object, const char *but, const char *with)
{
    hirl_option_info info;

    for (int32_t i = 0; cli_library_key(&info, i); i++)
        if (!strcmp(info.object, object) && !cli_is_word_of(but, info.name) &&
            cli_is_typed(session, info.name))
            return refuse_useless(session, info.name, with);
    return CLI_OK;
}
