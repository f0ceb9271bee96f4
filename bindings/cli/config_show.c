/* config_show.c - hirl config show: every key as it would be in force, as YAML with its origin. */
#include "cli.h"

#include <stdlib.h>
#include <string.h>

static const cli_key keys[] = {
    { "all", "flag", "1", "", "", "0: only what differs from the defaults" },
    { 0 },
};

/* words, numbers and lists stand bare; anything else in double quotes */
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

/* both rates agree, so that what is shown can be read back: the one that is not given follows */
static bool put_rate(const cli_session *session, const char *name)
{
    bool by_base = strtod(hirl_options_get(session->options, "lr"), NULL) <= 0;
    double batch = strtod(hirl_options_get(session->options, "batch_size"), NULL);

    if (!strcmp(name, "lr") && by_base)
        printf("%.10g  # base_lr x batch_size / 256\n", cli_rate(session->options));
    else if (!strcmp(name, "base_lr") && !by_base)
        printf("%.10g  # lr x 256 / batch_size\n", cli_rate(session->options) * 256 / batch);
    else
        return false;
    return true;
}

static int run(cli_session *session)
{
    static const char *const origins[] = { "default", "preset", "file", "given" };
    hirl_option_info info = { .struct_size = sizeof info };
    bool all = cli_flag(session, "all");
    const char *object = "";
    int code = cli_take_preset(session);

    for (int32_t i = 0; !code && !session->json && i < hirl_options_count(); i++) {
        const char *value;
        int32_t origin;
        bool of_method;

        if (hirl_options_describe(&info, i) < 0)
            continue;
        origin = hirl_options_origin(session->options, info.name);
        value = hirl_options_get(session->options, info.name);
        of_method = !origin && strcmp(value, info.default_value);
        of_method |= !strcmp(info.name, "lr");
        if (origin < 0 || origin > 3 || (!origin && !of_method && !all))
            continue;
        if (strcmp(object, info.object))
            printf("# %s\n", info.object);
        object = info.object;
        printf("%s: ", info.name);
        if (put_rate(session, info.name))
            continue;
        put_scalar(value);
        printf("  # %s\n", origin ? origins[origin] : of_method ? "method" : "default");
    }
    if (!code && session->json) {
        json_t *settings = cli_settings(session);

        json_object_del(settings, "all");
        cli_emit(session, json_pack("{s:s, s:o}", "event", "config", "settings", settings));
    }
    return code;
}

const cli_verb cli_config_show = {
    .name = "config show",
    .help = "prints the settings that a run with these arguments would have, as YAML",
    .example = "preset=hirl-mocov2-small",
    .objects = "context data model view train cluster loss eval",
    .keys = keys,
    .run = run,
};
