/* images.c - what verbs do with images: open, say what was found, make rows of features.
 *
 * Unreadable images have no row; image[row] keeps the number of the image of each row.
 */
#include "cli.h"

#include <stdlib.h>
#include <string.h>

int cli_data_need(cli_session *session)
{
    if (hirl_options_origin(session->options, "data") > 0)
        return CLI_OK;
    return cli_error(session, CLI_USAGE, "data= is missing: see hirl %s --help",
                     session->verb->name);
}

int cli_data_open(hirl_dataset **dataset, cli_session *session, const char *path)
{
    hirl_status status = hirl_dataset_open(dataset, session->context, path, session->options);

    if (status < 0)
        return cli_fail_data(session, status);
    if (!hirl_dataset_name(*dataset, 0)) /* names are made once: all are there from now on */
        return cli_error(session, CLI_MEMORY, "out of memory for the names of the images");
    return CLI_OK;
}

const char *cli_level_name(int32_t level, int32_t levels)
{
    static const char *const name[4][4] = { { "class" },
                                            { "fine", "coarse" },
                                            { "fine", "coarse", "top" },
                                            { "fine", "coarse", "upper", "top" } };

    return levels >= 1 && levels <= 4 && level >= 0 && level < levels ? name[levels - 1][level]
                                                                      : "";
}

int cli_data_print(cli_session *session, const hirl_dataset *dataset)
{
    hirl_dataset_info info = { .struct_size = sizeof info };
    hirl_status status = hirl_dataset_describe(&info, dataset);
    json_t *classes;

    if (status < 0)
        return cli_fail(session, status);
    cli_note(session, "%s", info.summary);
    classes = json_array();
    for (int32_t l = 0; l < info.label_levels; l++)
        json_array_append_new(classes, json_integer(info.classes[l]));
    cli_emit(session, json_pack("{s:s, s:s, s:o, s:o, s:I, s:[I,I], s:[I,I], s:o}", "event", "data",
                                "format", info.format, "split", cli_text(info.split), "summary",
                                cli_text(info.summary), "count", (json_int_t)info.count, "width",
                                (json_int_t)info.min_width, (json_int_t)info.max_width, "height",
                                (json_int_t)info.min_height, (json_int_t)info.max_height, "classes",
                                classes));
    return CLI_OK;
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
               : cli_refuse_object(session, "model", "network", "a model that is read from a file");
}

int cli_model_open(hirl_model **model, cli_session *session)
{
    hirl_model_info info = { .struct_size = sizeof info };
    const char *path = cli_own(session, "model");
    hirl_status status;
    char count[32];
    int code;

    if (!*path)
        return cli_error(session, CLI_USAGE,
                         "model= is missing: a run directory, checkpoint or model file, or random");
    code = refuse_useless(session);
    if (code)
        return code;
    if (cli_model_is_random(session))
        status = hirl_model_create(model, session->context, session->options);
    else
        status = hirl_model_load(model, session->context, path, session->options);
    if (status < 0)
        return cli_fail(session, status);
    status = hirl_model_describe(&info, *model);
    if (status < 0)
        return cli_fail(session, status);
    cli_note(session, "%s: %s network of %s, %s, input %d pixels, %s parameters", path,
             info.network, info.method, info.arch, (int)info.image_size,
             cli_grouped(count, sizeof count, (double)info.parameters));
    return CLI_OK;
}

int cli_rows_take(cli_rows *rows, cli_session *session, int64_t images, int64_t dim)
{
    *rows = (cli_rows){ .images = images, .dim = dim };
    rows->value = dim > 0 ? calloc((size_t)images, (size_t)dim * sizeof(float)) : NULL;
    rows->image = calloc((size_t)images, sizeof *rows->image);
    if (!rows->value || !rows->image)
        return cli_error(session, CLI_MEMORY,
                         "out of memory: %lld rows of %lld columns need %.1f GB", (long long)images,
                         (long long)dim, 4e-9 * (double)images * (double)dim);
    return CLI_OK;
}

/* moves the readable rows together */
static void keep_readable(cli_rows *rows, const uint8_t *readable)
{
    for (int64_t i = 0; i < rows->images; i++) {
        if (!readable[i])
            continue;
        if (rows->count != i)
            memcpy(rows->value + rows->count * rows->dim, rows->value + i * rows->dim,
                   (size_t)rows->dim * sizeof(float));
        rows->image[rows->count++] = i;
    }
}

int cli_rows_embed(cli_rows *rows, cli_session *session, const hirl_model *model, const char *layer,
                   hirl_dataset *dataset)
{
    int64_t images = hirl_dataset_count(dataset), dim = hirl_model_dim(model, layer);
    hirl_model_info info = { .struct_size = sizeof info };
    hirl_status status;
    uint8_t *readable;
    int code;

    *rows = (cli_rows){ 0 };
    if (dim < 0 && hirl_model_describe(&info, model) == HIRL_OK && info.levels)
        return cli_error(session, CLI_USAGE,
                         "layer: the model has no '%s'; it has backbone and z0 to z%d", layer,
                         (int)info.levels);
    if (dim < 0)
        return cli_error(
            session, CLI_USAGE,
            "layer: the model has no '%s'; it has backbone and z0. Heads of levels are in the "
            "online network of a run under HIRL (network=online); of an untrained "
            "model, levels= says how many",
            layer);
    code = cli_rows_take(rows, session, images, dim);
    readable = calloc((size_t)images + 1, 1);
    if (!code && !readable)
        code = cli_error(session, CLI_MEMORY, "out of memory");
    if (!code) {
        session->running = true;
        status = hirl_model_embed_dataset(rows->value, readable, model, layer, dataset,
                                          session->options);
        code = status < 0 ? cli_fail(session, status) : CLI_OK;
        cli_progress_clear(&session->progress);
    }
    if (!code)
        keep_readable(rows, readable);
    free(readable);
    return code;
}

void cli_rows_done(cli_rows *rows)
{
    if (rows->loaded)
        hirl_free(rows->value);
    else
        free(rows->value);
    free(rows->image);
    *rows = (cli_rows){ 0 };
}

int cli_rows_write_skipped(cli_session *session, const cli_rows *rows, const hirl_dataset *dataset,
                           const char *folder)
{
    cli_file file;
    int code = cli_file_begin(&file, session, folder, "skipped.txt");
    int64_t row = 0;

    if (code)
        return code;
    for (int64_t i = 0; i < rows->images; i++) {
        uint8_t *pixels = NULL;
        int64_t height, width;

        if (row < rows->count && rows->image[row] == i) {
            row++;
            continue;
        }
        fprintf(file.stream, "%lld\t", (long long)i);
        cli_put_text(file.stream, hirl_dataset_name(dataset, i));
        fputc('\t', file.stream);
        if (hirl_dataset_read(&pixels, &height, &width, dataset, i) < 0)
            cli_put_line(file.stream, hirl_error_message());
        else
            cli_put_line(file.stream, "");
        hirl_free(pixels);
    }
    if (rows->count < rows->images)
        cli_note(session, "%lld of %lld images could not be read; %s/skipped.txt names them",
                 (long long)(rows->images - rows->count), (long long)rows->images, folder);
    return cli_file_end(&file, session);
}
