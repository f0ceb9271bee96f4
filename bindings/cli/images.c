/* images.c - data sets and models, opened from data= and model=. */
#include "images.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "events.h"
#include "files.h"
#include "keys.h"
#include "messages.h"
#include "text.h"

int cli_require_data(cli_session *session)
{
    if (hirl_options_origin(session->options, "data") > 0)
        return CLI_OK;
    return cli_error(session, CLI_USAGE, "data= is missing; see 'hirl %s --help'",
                     session->verb->name);
}

int cli_data_open(hirl_dataset **dataset, cli_session *session)
{
    hirl_status status = hirl_dataset_open(dataset, session->context, NULL, session->options);

    if (status < 0)
        return cli_check_data(session, status);
    if (!hirl_dataset_name(*dataset, 0)) /* creates all names: none can fail later */
        return cli_error(session, CLI_MEMORY,
                         "out of memory: cannot store the names of the images");
    return CLI_OK;
}

const char *cli_level_name(int32_t level, int32_t levels)
{
    static const char *const name[CLI_LABEL_LEVELS][CLI_LABEL_LEVELS] = {
        { "class" },
        { "fine", "coarse" },
        { "fine", "coarse", "top" },
        { "fine", "coarse", "upper", "top" }
    };

    return levels >= 1 && levels <= CLI_LABEL_LEVELS && level >= 0 && level < levels
               ? name[levels - 1][level]
               : "";
}

int cli_data_print(cli_session *session, const hirl_dataset *dataset)
{
    hirl_dataset_info info = { .struct_size = sizeof info };
    hirl_status status = hirl_dataset_describe(&info, dataset);
    json_t *classes;

    if (status < 0)
        return cli_check(session, status);
    cli_note(session, "%s", info.summary);
    classes = json_array();
    for (int32_t l = 0; l < info.label_levels; l++)
        json_array_append_new(classes, json_integer(hirl_dataset_classes(dataset, l)));
    cli_emit(session, json_pack("{s:s, s:s, s:o, s:o, s:I, s:[I,I], s:[I,I], s:o}", "event", "data",
                                "format", info.format, "split", cli_text(info.split), "summary",
                                cli_text(info.summary), "count", (json_int_t)info.count, "width",
                                (json_int_t)info.min_width, (json_int_t)info.max_width, "height",
                                (json_int_t)info.min_height, (json_int_t)info.max_height, "classes",
                                classes));
    return CLI_OK;
}

int32_t *cli_labels(const hirl_dataset *dataset, const int64_t *image, int64_t count, int32_t level)
{
    int32_t *label = calloc((size_t)count + 1, sizeof *label);

    for (int64_t r = 0; label && r < count; r++)
        label[r] = hirl_dataset_label(dataset, image ? image[r] : r, level);
    return label;
}

bool cli_model_is_random(const cli_session *session)
{
    const char *path = cli_own(session, "model");

    return !strcmp(path, "random") && !cli_exists(path, "");
}

static int refuse_useless(cli_session *session)
{
    return cli_model_is_random(session)
               ? cli_refuse_keys(session, "network", "model=random")
               : cli_refuse_object(session, "model", "network", "a model loaded from a file");
}

/* Photos are turned as those were that the model learned, unless exif was typed. `text` becomes the
 * setting, for the line about the model. */
static int follow_exif(char *text, size_t bytes, cli_session *session, const hirl_model_info *info)
{
    hirl_status status = HIRL_OK;

    text[0] = 0;
    if (info->exif < 0 || hirl_options_origin(session->options, "exif") > 0)
        return CLI_OK;
    status = hirl_options_set(session->options, "exif", info->exif ? "1" : "0");
    snprintf(text, bytes, ", exif=%d", (int)info->exif);
    return cli_check(session, status);
}

int cli_model_open(hirl_model **model, cli_session *session)
{
    hirl_model_info info = { .struct_size = sizeof info };
    const char *path = cli_own(session, "model");
    hirl_status status;
    char count[32], exif[16];
    int code;

    if (!*path)
        return cli_error(
            session, CLI_USAGE,
            "model= is missing: give a run directory, a checkpoint, a model file, or random");
    code = refuse_useless(session);
    if (code)
        return code;
    if (cli_model_is_random(session))
        status = hirl_model_create(model, session->context, session->options);
    else
        status = hirl_model_load(model, session->context, path, session->options);
    if (status >= 0)
        status = hirl_model_describe(&info, *model);
    if (status < 0)
        return cli_check(session, status);
    code = follow_exif(exif, sizeof exif, session, &info);
    cli_note(session, "%s: %s network of %s, %s, input %d pixels, %s parameters%s", path,
             info.network, info.method, info.arch, (int)info.image_size,
             cli_grouped(count, sizeof count, (double)info.parameters), exif);
    return code;
}

int cli_model_untrained(hirl_model **model, cli_session *session, const char *run)
{
    hirl_options *options = NULL;
    bool of_run = *run && cli_exists(run, "config.yaml");
    char path[CLI_PATH];
    hirl_status status;
    int code = of_run ? cli_join(path, session, run, "config.yaml") : CLI_OK;

    if (!code && *run && !of_run)
        code = cli_error(session, CLI_USAGE,
                         "features=random: '%s' is not a run: it holds no config.yaml", run);
    if (code)
        return code;
    status = hirl_options_create(&options);
    if (status >= 0 && of_run)
        status = hirl_options_load(options, path);
    if (status >= 0)
        status = hirl_model_create(model, session->context, of_run ? options : session->options);
    hirl_options_destroy(options);
    return cli_check(session, status);
}
