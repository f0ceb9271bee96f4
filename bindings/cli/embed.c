/* embed.c - hirl embed: writes one feature row per image, with names, labels and skipped images. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "events.h"
#include "files.h"
#include "images.h"
#include "keys.h"
#include "messages.h"
#include "rows.h"
#include "session.h"
#include "text.h"
#include "verbs.h"

static const cli_key keys[] = {
    { "model", "text", "", "", "", CLI_MODEL_HELP },
    { "out", "text", "embeddings", "", "",
      "folder for the embeddings, names, labels and config.json" },
    { "layer", "text", "backbone", "", "", CLI_LAYER_HELP },
    { "format", "choice", "npy", "npy csv", "",
      "npy: embeddings.npy; csv: embeddings.csv (filenames,embedding_0,..,labels)" },
    CLI_KEY_OVERWRITE,
    { 0 },
};

static int write_names(cli_session *session, const cli_rows *rows, const hirl_dataset *dataset,
                       const char *folder)
{
    cli_file file;
    int code = cli_file_begin(&file, session, folder, "filenames.txt");

    if (code)
        return code;
    for (int64_t r = 0; r < rows->count; r++)
        cli_put_line(file.stream, hirl_dataset_name(dataset, rows->image[r]));
    return cli_file_end(&file, session);
}

static int write_labels(cli_session *session, const cli_rows *rows, const hirl_dataset *dataset,
                        const char *folder)
{
    int32_t *label;
    char path[CLI_PATH];
    hirl_status status;
    int code = cli_join(path, session, folder, "labels.npy");

    if (code)
        return code;
    label = cli_labels(dataset, rows->image, rows->count, 0);
    if (!label)
        return cli_no_memory(session);
    status = hirl_npy_write(path, label, "i4", 1, &rows->count);
    free(label);
    return cli_check_write(session, status);
}

static int write_csv(cli_session *session, const cli_rows *rows, const hirl_dataset *dataset,
                     const char *folder, bool labels)
{
    cli_file file;
    int code = cli_file_begin(&file, session, folder, "embeddings.csv");

    if (code)
        return code;
    fputs("filenames", file.stream);
    for (int64_t c = 0; c < rows->dim; c++)
        fprintf(file.stream, ",embedding_%lld", (long long)c);
    fputs(labels ? ",labels\n" : "\n", file.stream);
    for (int64_t r = 0; r < rows->count; r++) {
        cli_put_field(file.stream, hirl_dataset_name(dataset, rows->image[r]));
        for (int64_t c = 0; c < rows->dim; c++)
            fprintf(file.stream, ",%.9g", (double)rows->value[r * rows->dim + c]);
        if (labels)
            fprintf(file.stream, ",%d", (int)hirl_dataset_label(dataset, rows->image[r], 0));
        fputc('\n', file.stream);
    }
    return cli_file_end(&file, session);
}

static int write_rows(cli_session *session, const cli_rows *rows, const hirl_dataset *dataset,
                      const char *folder, bool labels)
{
    char path[CLI_PATH];
    hirl_status status;
    int code;

    if (!strcmp(cli_own(session, "format"), "csv"))
        return write_csv(session, rows, dataset, folder, labels);
    code = cli_join(path, session, folder, "embeddings.npy");
    if (code)
        return code;
    status = hirl_npy_write(path, rows->value, "f4", 2, (int64_t[]){ rows->count, rows->dim });
    return cli_check_write(session, status);
}

/* Removes files of an earlier result that this one lacks: labels, or the other format. */
static int remove_old(cli_session *session, const char *folder, bool labels)
{
    bool csv = !strcmp(cli_own(session, "format"), "csv");
    int code = cli_remove_old(session, folder, csv ? "embeddings.npy" : "embeddings.csv");

    return code || labels ? code : cli_remove_old(session, folder, "labels.npy");
}

static int write_all(cli_session *session, const cli_rows *rows, const hirl_dataset *dataset)
{
    const char *folder = cli_own(session, "out");
    hirl_dataset_info info = { .struct_size = sizeof info };
    bool labels = hirl_dataset_describe(&info, dataset) == HIRL_OK && info.label_levels > 0;
    int code = write_rows(session, rows, dataset, folder, labels);

    if (!code)
        code = write_names(session, rows, dataset, folder);
    if (!code && labels)
        code = write_labels(session, rows, dataset, folder);
    if (!code)
        code = cli_rows_write_skipped(session, rows, dataset, folder);
    if (!code)
        code = cli_write_json(session, folder, "config.json",
                              json_pack("{s:s, s:I, s:I, s:o}", "libhirl", hirl_version(), "rows",
                                        (json_int_t)rows->count, "columns", (json_int_t)rows->dim,
                                        "settings", cli_settings(session)));
    return code ? code : remove_old(session, folder, labels);
}

static int prepare(cli_session *session)
{
    static const char *const written[] = { "embeddings.npy",
                                           "embeddings.csv",
                                           "filenames.txt",
                                           "labels.npy",
                                           "skipped.txt",
                                           "config.json",
                                           NULL };

    return cli_begin_folder(session, cli_own(session, "out"), written);
}

static int run(cli_session *session)
{
    const char *folder = cli_own(session, "out");
    hirl_dataset *dataset = NULL;
    hirl_model *model = NULL;
    cli_rows rows = { 0 };
    double started;
    int code = cli_session_begin(session);

    if (!code)
        code = cli_require_data(session);
    if (!code && *cli_own(session, "model") && !cli_model_is_random(session))
        code = cli_refuse_keys(session, "preset", "a model loaded from a file");
    if (!code)
        code = cli_model_open(&model, session);
    if (!code)
        code = cli_data_open(&dataset, session);
    if (!code)
        code = cli_data_print(session, dataset);
    if (!code)
        code = prepare(session);
    started = cli_seconds();
    if (!code)
        code = cli_rows_embed(&rows, session, model, cli_own(session, "layer"), dataset);
    if (!code)
        code = write_all(session, &rows, dataset);
    if (!code && !session->json)
        printf("%s: wrote %lld rows of %lld columns (%s) in %.1f s\n", folder,
               (long long)rows.count, (long long)rows.dim, cli_own(session, "layer"),
               cli_seconds() - started);
    if (!code)
        cli_emit(session, json_pack("{s:s, s:s, s:o, s:I, s:I, s:I, s:f}", "event", "result",
                                    "verb", "embed", "out", cli_text(folder), "rows",
                                    (json_int_t)rows.count, "columns", (json_int_t)rows.dim,
                                    "skipped", (json_int_t)(rows.images - rows.count), "seconds",
                                    cli_seconds() - started));
    cli_rows_free(&rows);
    hirl_dataset_destroy(dataset);
    hirl_model_destroy(model);
    return code;
}

const cli_verb cli_embed = {
    .name = "embed",
    .help = "write one feature row per image (embeddings.npy, filenames.txt, labels.npy)",
    .example = "model=run data=PHOTOS out=embeddings",
    .objects = "context data",
    .also = "preset network loader_threads eval_batch max_bad",
    .keys = keys,
    .run = run,
};
