/* config_show.c - hirl config show: the settings that a run would use, as YAML with origins. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "events.h"
#include "keys.h"
#include "messages.h"
#include "preset.h"
#include "verbs.h"

static const cli_key keys[] = {
    { "all", "flag", "1", "", "", "0: prints only settings that differ from the defaults" },
    { 0 },
};

/* Words, numbers and lists are printed bare, other text in double quotes. */
static void put_scalar(const char *text)
{
    static const char bare[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./,+-";
    bool plain = *text && strspn(text, bare) == strlen(text) && *text != '-' && *text != ',';

    if (plain) {
        fputs(text, stdout);
        return;
    }
    putchar('"');
    for (const unsigned char *c = (const unsigned char *)text; *c; c++)
        if (*c == '"' || *c == '\\')
            printf("\\%c", *c);
        else if (*c < ' ')
            printf("\\x%02x", *c);
        else
            putchar(*c);
    putchar('"');
}

/* Compares numbers: "1" and "1.0" do not differ. */
static bool differs(const char *a, const char *b)
{
    double x = strtod(a, NULL), y = strtod(b, NULL);

    return fabs(x - y) > 1e-9 * fabs(y);
}

/* Prints how a run chooses a value, from the "auto: ..." part of the key's help. */
static void put_reason(const char *help)
{
    const char *reason = strstr(help, "auto: ");

    if (reason)
        printf("; %.*s", (int)strcspn(reason, ";"), reason);
}

/* Prints where the value comes from: "# preset", or "# auto (default)" if the library chose it. */
static void put_origin(const hirl_option_info *info, const hirl_options *options, const char *value)
{
    static const char *const origins[] = { "default", "preset", "file", "given" };
    const char *set = hirl_options_get(options, info->name);
    int32_t origin = hirl_options_origin(options, info->name);
    const char *source = origins[origin];

    if (!origin && strcmp(set, info->default_value))
        source = "method";
    if (!strcmp(value, "auto")) {
        printf("  # %s", source);
        put_reason(info->help);
    } else if (!strcmp(set, "auto")) {
        printf("  # auto (%s)", source);
    } else if (differs(set, value) && !strcmp(info->name, "lr")) {
        printf("  # base_lr x batch_size / 256");
    } else if (differs(set, value) && !strcmp(info->name, "base_lr")) {
        printf("  # lr x 256 / batch_size");
    } else {
        printf("  # %s", source);
    }
    putchar('\n');
}

static bool is_shown(const cli_session *session, const hirl_option_info *info)
{
    const char *set = hirl_options_get(session->options, info->name);

    return cli_own_flag(session, "all") || hirl_options_origin(session->options, info->name) > 0 ||
           strcmp(set, info->default_value) || !strcmp(info->name, "lr");
}

static void put_settings(const cli_session *session, const hirl_options *resolved)
{
    hirl_option_info info;
    const char *object = "";

    for (int32_t i = 0; cli_library_key(&info, i); i++) {
        const char *value;

        if (!is_shown(session, &info))
            continue;
        if (strcmp(object, info.object))
            printf("# %s\n", info.object);
        object = info.object;
        value = hirl_options_get(resolved, info.name);
        printf("%s: ", info.name);
        put_scalar(value);
        put_origin(&info, session->options, value);
    }
}

static void emit_settings(cli_session *session, hirl_options *resolved)
{
    hirl_options *given = session->options;
    json_t *settings;

    session->options = resolved;
    settings = cli_settings(session);
    session->options = given;
    json_object_del(settings, "all");
    cli_emit(session, json_pack("{s:s, s:o}", "event", "config", "settings", settings));
}

static int run(cli_session *session)
{
    hirl_options *resolved = NULL;
    hirl_status status;
    int code = cli_default_preset(session);

    if (!code) {
        status = hirl_options_resolve(&resolved, session->options, 0);
        code = cli_check(session, status);
    }
    if (!code && session->json)
        emit_settings(session, resolved);
    else if (!code)
        put_settings(session, resolved);
    hirl_options_destroy(resolved);
    return code;
}

const cli_verb cli_config_show = {
    .name = "config show",
    .help = "print the settings that a run with these arguments would use, as YAML",
    .example = "preset=hirl-mocov2-small",
    .preset = CLI_PRESET,
    .objects = "context data model view train cluster loss eval",
    .keys = keys,
    .run = run,
};
