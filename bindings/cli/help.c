/* help.c - hirl --help and hirl VERB --help, made from the key tables. */
#include "help.h"

#include <stdio.h>
#include <string.h>

#include "events.h"
#include "keys.h"

static void put_key(const char *name, const char *standard, const char *range, const char *unit,
                    const char *help)
{
    char left[128], right[192];

    snprintf(left, sizeof left, "%s=%s", name, standard);
    snprintf(right, sizeof right, "%s%s%s", range, *range && *unit ? " " : "", unit);
    printf("  %-34s %s\n", left, help);
    if (*right)
        printf("  %-34s (%s)\n", "", right);
}

static void put_presets(void)
{
    int used = 0;

    printf("  %-34s (", "");
    for (int32_t i = 0; i < hirl_preset_count(); i++) {
        if (used > 60) {
            printf("\n  %-35s", "");
            used = 0;
        }
        used += printf("%s%s", used ? " " : "", hirl_preset_name(i));
    }
    puts(")");
}

/* The default of a library key: its value in a run of the verb, if the verb trains one. */
static const char *default_of(const hirl_options *run, const hirl_option_info *info)
{
    return run ? hirl_options_get(run, info->name) : info->default_value;
}

/* The settings of a run of the verb's task and preset; NULL: it has neither, or out of memory. */
static hirl_options *run_of(const cli_verb *verb)
{
    hirl_options *options = NULL;
    hirl_status status;

    if ((!verb->preset && !verb->task) || hirl_options_create(&options) < 0)
        return NULL;
    status = verb->task ? hirl_options_set(options, "task", verb->task) : HIRL_OK;
    if (status >= 0 && verb->preset)
        status = hirl_options_preset(options, verb->preset);
    if (status < 0) {
        hirl_options_destroy(options);
        options = NULL;
    }
    return options;
}

static void put_library_keys(const cli_session *session)
{
    hirl_options *run = run_of(session->verb);
    hirl_option_info info;
    const char *object = "";

    for (int32_t i = 0; cli_library_key(&info, i); i++) {
        if (!cli_accepts(session->verb, &info))
            continue;
        if (strcmp(object, info.object))
            printf("\nlibrary keys, %s:\n", info.object);
        object = info.object;
        put_key(info.name, default_of(run, &info), strcmp(info.type, "flag") ? info.range : "",
                info.unit, info.help);
        if (!strcmp(info.name, "preset"))
            put_presets();
    }
    hirl_options_destroy(run);
}

static json_t *describe(const char *name, const char *type, const char *standard, const char *range,
                        const char *unit, const char *help, const char *object)
{
    return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s}", "name", name, "type", type, "default",
                     standard, "range", range, "unit", unit, "help", help, "object", object);
}

static void emit_keys(cli_session *session)
{
    const cli_verb *verb = session->verb;
    hirl_options *run = run_of(verb);
    hirl_option_info info;
    json_t *keys = json_array();

    for (const cli_key *k = verb->keys; k && k->name; k++)
        json_array_append_new(
            keys, describe(k->name, k->type, k->standard, k->range, k->unit, k->help, "program"));
    for (int32_t i = 0; cli_library_key(&info, i); i++)
        if (cli_accepts(verb, &info))
            json_array_append_new(keys, describe(info.name, info.type, default_of(run, &info),
                                                 info.range, info.unit, info.help, info.object));
    cli_emit(session, json_pack("{s:s, s:s, s:s, s:o}", "event", "help", "verb", verb->name, "help",
                                verb->help, "keys", keys));
    hirl_options_destroy(run);
}

void cli_help_verb(cli_session *session)
{
    const cli_verb *verb = session->verb;

    if (session->json) {
        emit_keys(session);
        return;
    }
    printf("hirl %s - %s\n\nexample: hirl %s%s%s\n", verb->name, verb->help, verb->name,
           *verb->example ? " " : "", verb->example);
    if (verb->alias)
        printf("alias: hirl %s\n", verb->alias);
    if (verb->note)
        printf("\n%s\n", verb->note);
    if (verb->keys && verb->keys[0].name)
        printf("\nkeys of hirl %s:\n", verb->name);
    for (const cli_key *k = verb->keys; k && k->name; k++)
        put_key(k->name, k->standard, k->range, k->unit, k->help);
    put_library_keys(session);
    puts("\nswitches:\n"
         "  --json                             print one JSON object per line on stdout\n"
         "  --quiet, -q                        print results, warnings and errors only\n"
         "  --verbose, -v                      print all log messages\n"
         "  --help, -h                         print this help\n\n"
         "key=value, --key value and --key=value are equivalent. A config file (.yaml, .yml or\n"
         ".json) may be given as well; it sets library keys.");
}

void cli_help_family(const char *family, const cli_verb *const *verb, int count)
{
    size_t length = strlen(family);

    printf("usage: hirl %s VERB [key=value ...]\n\nverbs:\n", family);
    for (int i = 0; i < count; i++) {
        bool own = !strncmp(verb[i]->name, family, length) && verb[i]->name[length] == ' ';

        printf("  %-18s %s\n", own ? verb[i]->name : verb[i]->alias, verb[i]->help);
    }
    printf("\n'hirl %s VERB --help' prints the keys of a verb.\n", family);
}

void cli_help_program(const cli_verb *const *verb, int count)
{
    printf("hirl %s - learns hierarchical image representations without labels\n\n"
           "usage: hirl VERB [config.yaml] [key=value ...]\n\nverbs:\n",
           hirl_version());
    for (int i = 0; i < count; i++)
        printf("  %-18s %s\n", verb[i]->name, verb[i]->help);
    puts("\n'hirl VERB --help' prints the keys of a verb with their defaults, ranges and units;\n"
         "'hirl --version' prints the version. To start: hirl pretrain data=PHOTOS out=run");
}
