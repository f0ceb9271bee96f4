/* lists.c - hirl methods: the presets with their main values; hirl models: the encoders. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "events.h"
#include "keys.h"
#include "messages.h"
#include "text.h"
#include "verbs.h"

/* the columns of hirl methods */
static const struct {
    const char *key;
    int width;
    bool hierarchical; /* a key of HIRL, without effect when hirl=0 */
} shown[] = {
    { "method", 9, false },     { "arch", 21, false },       { "image_size", 10, false },
    { "epochs", 10, false },    { "batch_size", 10, false }, { "lr", 10, false },
    { "prototypes", 18, true }, { "negatives", 10, true },
};
enum { SHOWN = sizeof shown / sizeof *shown };

/* The peak learning rate: lr, or base_lr batch_size / 256 when lr is 0. */
static double learning_rate(const hirl_options *options)
{
    double rate = strtod(hirl_options_get(options, "lr"), NULL);
    double base = strtod(hirl_options_get(options, "base_lr"), NULL);

    return rate > 0 ? rate : base * strtod(hirl_options_get(options, "batch_size"), NULL) / 256;
}

static int put_preset(cli_session *session, const char *name)
{
    json_t *row = json_pack("{s:s, s:s}", "event", "preset", "preset", name);
    hirl_options *options = NULL;
    hirl_status status = hirl_options_create(&options);

    if (status >= 0)
        status = hirl_options_preset(options, name);
    if (!session->json)
        printf("%-20s", name);
    for (int i = 0; status >= 0 && i < SHOWN; i++) {
        const char *value = hirl_options_get(options, shown[i].key);
        char rate[32];

        if (!strcmp(shown[i].key, "lr")) {
            snprintf(rate, sizeof rate, "%.6g", learning_rate(options));
            value = rate;
        }
        if (shown[i].hierarchical && !strcmp(hirl_options_get(options, "hirl"), "0"))
            value = "-";
        json_object_set_new(row, shown[i].key, json_string(value ? value : ""));
        if (!session->json)
            printf(" %-*s", shown[i].width, value ? value : "");
    }
    if (!session->json)
        putchar('\n');
    hirl_options_destroy(options);
    cli_emit(session, row);
    return cli_check(session, status);
}

static int run_methods(cli_session *session)
{
    int code = CLI_OK;

    if (!session->json) {
        printf("%-20s", "preset");
        for (int i = 0; i < SHOWN; i++)
            printf(" %-*s", shown[i].width, shown[i].key);
        putchar('\n');
    }
    for (int32_t i = 0; i < hirl_preset_count() && !code; i++)
        code = put_preset(session, hirl_preset_name(i));
    return code;
}

const cli_verb cli_methods = {
    .name = "methods",
    .help = "list the presets of the methods, with their main values",
    .example = "",
    .objects = "",
    .run = run_methods,
};

static int put_model(cli_session *session, const char *arch)
{
    hirl_model_info info = { .struct_size = sizeof info };
    hirl_status status = hirl_options_set(session->options, "arch", arch);
    char count[32];

    if (status >= 0)
        status = hirl_model_plan(&info, session->options);
    if (status >= 0 && !session->json)
        printf("%-22s %8lld columns %14s parameters with heads\n", arch,
               (long long)info.backbone_dim,
               cli_grouped(count, sizeof count, (double)info.parameters));
    if (status >= 0)
        cli_emit(session, json_pack("{s:s, s:s, s:I, s:I}", "event", "model", "arch", arch,
                                    "backbone_dim", (json_int_t)info.backbone_dim, "parameters",
                                    (json_int_t)info.parameters));
    return cli_check(session, status);
}

static int run_models(cli_session *session)
{
    hirl_option_info info;
    char names[512] = "", *rest = NULL;
    int code = CLI_OK;

    if (cli_find_library_key(&info, "arch"))
        snprintf(names, sizeof names, "%s", info.range);
    for (char *arch = strtok_r(names, " ", &rest); arch && !code; arch = strtok_r(NULL, " ", &rest))
        code = put_model(session, arch);
    return code;
}

const cli_verb cli_models = {
    .name = "models",
    .help = "list the encoders, with their feature columns and parameters",
    .example = "",
    .objects = "model",
    .run = run_models,
};
