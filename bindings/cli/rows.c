/* rows.c - rows of features, each with the number of its image; unreadable images have no row. */
#include "rows.h"

#include <stdlib.h>
#include <string.h>

#include "files.h"
#include "messages.h"
#include "text.h"

int cli_rows_alloc(cli_rows *rows, cli_session *session, int64_t images, int64_t dim)
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

/* Moves the rows of readable images together and counts them. */
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
                         "layer: the model has no '%s', only backbone and z0 to z%d", layer,
                         (int)info.levels);
    if (dim < 0)
        return cli_error(
            session, CLI_USAGE,
            "layer: the model has no '%s', only backbone and z0; the heads z1 to zL are in the "
            "online network of a HIRL run (network=online), or in an untrained model with "
            "levels=L",
            layer);
    code = cli_rows_alloc(rows, session, images, dim);
    readable = calloc((size_t)images + 1, 1);
    if (!code && !readable)
        code = cli_no_memory(session);
    if (!code) {
        session->running = true;
        status = hirl_model_embed_dataset(rows->value, readable, model, layer, dataset,
                                          session->options);
        code = cli_check(session, status);
        cli_progress_clear(&session->progress);
    }
    if (!code)
        keep_readable(rows, readable);
    free(readable);
    return code;
}

void cli_rows_free(cli_rows *rows)
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
        cli_note(session, "%lld of %lld images could not be read; see %s/skipped.txt",
                 (long long)(rows->images - rows->count), (long long)rows->images, folder);
    return cli_file_end(&file, session);
}
