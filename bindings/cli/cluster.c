/* cluster.c - hirl cluster: hierarchical k-means over features, or over images and a model.
 *
 * data= is a features.npy, an archive features.npz, an output folder of hirl embed, or, with
 * model=, images.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "events.h"
#include "files.h"
#include "images.h"
#include "keys.h"
#include "messages.h"
#include "names.h"
#include "pixels.h"
#include "rows.h"
#include "session.h"
#include "text.h"
#include "tree_file.h"
#include "verbs.h"

static const cli_key keys[] = {
    { "model", "text", "", "", "",
      "for images: " CLI_MODEL_HELP "; pixels: the pixels themselves, a baseline" },
    { "layer", "text", "z0", "", "", "for images: " CLI_LAYER_HELP },
    { "names", "text", "", "", "",
      "for features: file with one row name per line; default: filenames.txt beside the features" },
    { "previous", "text", "", "", "",
      "tree to start from: a level with the same number of prototypes starts from them" },
    { "out", "text", "clusters", "", "", "folder for tree.hpt, clusters.csv and skipped.txt" },
    CLI_KEY_OVERWRITE,
    { 0 },
};

/* The rows to cluster, and their names. */
typedef struct source {
    hirl_model *model;
    hirl_dataset *dataset; /* NULL: the features come from a file */
    cli_rows rows;
    cli_names names; /* names of all images; count 0: no names */
} source;

/* features.npy or an archive features.npz */
static bool is_npy(const char *path)
{
    size_t length = strlen(path);

    return length > 4 && (!strcmp(path + length - 4, ".npy") || !strcmp(path + length - 4, ".npz"));
}

/* Reads names=, or else filenames.txt beside the features if it has one line per row. */
static int read_names(source *from, cli_session *session, const char *path)
{
    const char *given = cli_own(session, "names"), *slash = strrchr(path, '/');
    char folder[CLI_PATH], beside[CLI_PATH];
    int code;

    snprintf(folder, sizeof folder, "%.*s", slash ? (int)(slash - path) : 1, slash ? path : ".");
    if (!*given && !cli_exists(folder, "filenames.txt"))
        return CLI_OK;
    code = *given ? CLI_OK : cli_join(beside, session, folder, "filenames.txt");
    if (!code)
        code = cli_names_read(&from->names, session, *given ? given : beside);
    if (code || from->names.count == from->rows.count)
        return code;
    if (*given)
        return cli_error(session, CLI_DATA,
                         "names: '%s' has %lld lines, but the features have %lld rows", given,
                         (long long)from->names.count, (long long)from->rows.count);
    cli_names_free(&from->names);
    return CLI_OK;
}

/* Refuses the keys that control how images become features. */
static int refuse_image_keys(cli_session *session)
{
    int code = cli_refuse_keys(session, "model layer network loader_threads eval_batch max_bad",
                               "features from a file");

    return code ? code : cli_refuse_object(session, "data", "data", "features from a file");
}

static int from_features(source *from, cli_session *session, const char *path)
{
    hirl_status status;
    char count[32];
    int code = refuse_image_keys(session);

    if (code)
        return code;
    status = hirl_features_read(&from->rows.value, &from->rows.count, &from->rows.dim, path,
                                session->options);
    if (status < 0)
        return cli_check_data(session, status);
    from->rows.images = from->rows.count;
    from->rows.loaded = true;
    cli_note(session, "%s: %s rows of %lld columns", path,
             cli_grouped(count, sizeof count, (double)from->rows.count), (long long)from->rows.dim);
    return read_names(from, session, path);
}

/* model=pixels means the pixels, unless a file has this name. */
static bool is_of_pixels(const cli_session *session)
{
    const char *path = cli_own(session, "model");

    return !strcmp(path, "pixels") && !cli_exists(path, "");
}

/* Rows of pixels have no layers, and no model reads them. */
static int open_encoder(source *from, cli_session *session)
{
    if (!is_of_pixels(session))
        return cli_model_open(&from->model, session);
    return cli_refuse_keys(session, "preset layer network loader_threads eval_batch",
                           "model=pixels");
}

static int from_images(source *from, cli_session *session)
{
    int code = cli_refuse_keys(session, "names", "images");

    if (!code)
        code = cli_refuse_object(session, "features", "", "images");
    if (!code)
        code = open_encoder(from, session);
    if (!code)
        code = cli_data_open(&from->dataset, session);
    if (!code)
        code = cli_data_print(session, from->dataset);
    if (!code)
        code = cli_names_of(&from->names, session, from->dataset);
    if (code)
        return code;
    if (!from->model)
        return cli_rows_pixels(&from->rows, session, from->dataset);
    return cli_rows_embed(&from->rows, session, from->model, cli_own(session, "layer"),
                          from->dataset);
}

static int open_source(source *from, cli_session *session)
{
    const char *data = hirl_options_get(session->options, "data");
    char inside[CLI_PATH];
    int code = cli_require_data(session);

    if (!code)
        code = cli_join(inside, session, data, "embeddings.npy");
    if (code)
        return code;
    if (cli_exists(inside, ""))
        return from_features(from, session, inside);
    if (is_npy(data) && !*cli_own(session, "model"))
        return from_features(from, session, data);
    if (!*cli_own(session, "model"))
        return cli_error(
            session, CLI_USAGE,
            "clustering images needs model= to compute features; data=features.npy needs none");
    return from_images(from, session);
}

/* Moves each row to the position of its image. Images without a row get zeros and weight 0. */
static int spread(float **weight, cli_session *session, const cli_rows *rows)
{
    size_t bytes = (size_t)rows->dim * sizeof *rows->value;

    *weight = calloc((size_t)rows->images, sizeof **weight);
    if (!*weight)
        return cli_no_memory(session);
    for (int64_t r = rows->count - 1; r >= 0; r--) {
        float *from = rows->value + r * rows->dim, *to = rows->value + rows->image[r] * rows->dim;

        (*weight)[rows->image[r]] = 1;
        if (from == to)
            continue;
        memcpy(to, from, bytes);
        memset(from, 0, bytes);
    }
    return CLI_OK;
}

static int build(hirl_tree **tree, cli_session *session, const source *from)
{
    const cli_rows *rows = &from->rows;
    const char *path = cli_own(session, "previous");
    hirl_tree *previous = NULL;
    hirl_status status = HIRL_OK;
    float *weight = NULL;
    int code = rows->count < rows->images ? spread(&weight, session, rows) : CLI_OK;

    if (code)
        return code;
    if (*path)
        status = hirl_tree_load(&previous, session->context, path);
    if (status >= 0)
        status = hirl_cluster(tree, session->context, rows->value, rows->images, rows->dim, weight,
                              previous, session->options);
    hirl_tree_destroy(previous);
    free(weight);
    if (status < 0)
        return cli_check(session, status);
    cli_progress_clear(&session->progress);
    return CLI_OK;
}

/* In a folder with embeddings, skipped.txt belongs to them and is kept. */
static bool writes_skipped(cli_session *session, const source *from)
{
    const char *folder = cli_own(session, "out");

    return from->dataset ||
           !(cli_exists(folder, "embeddings.npy") || cli_exists(folder, "embeddings.csv"));
}

static int write_skipped(cli_session *session, const source *from)
{
    const char *folder = cli_own(session, "out");

    if (from->dataset)
        return cli_rows_write_skipped(session, &from->rows, from->dataset, folder);
    return writes_skipped(session, from) ? cli_remove_old(session, folder, "skipped.txt") : CLI_OK;
}

static hirl_status name_rows(hirl_tree *tree, const source *from)
{
    if (from->dataset)
        return hirl_tree_set_images(tree, from->dataset);
    return from->names.count ? hirl_tree_set_names(tree, from->names.name, from->names.count)
                             : HIRL_OK;
}

static int write_all(cli_session *session, hirl_tree *tree, const source *from)
{
    const char *folder = cli_own(session, "out");
    char file[CLI_PATH], csv[CLI_PATH];
    hirl_status status;
    int code = cli_join(file, session, folder, "tree.hpt");

    if (!code)
        code = cli_join(csv, session, folder, "clusters.csv");
    if (code)
        return code;
    status = name_rows(tree, from);
    if (status >= 0)
        status = hirl_tree_save(tree, file);
    if (status >= 0)
        status = hirl_tree_export(tree, csv, "csv", from->names.count ? from->names.name : NULL);
    if (status < 0)
        return cli_check_write(session, status);
    return write_skipped(session, from);
}

static int report(cli_session *session, const hirl_tree *tree, const source *from, double seconds)
{
    const char *folder = cli_own(session, "out");

    cli_tree_print_sizes(session, tree);
    if (!session->json)
        printf("%s: wrote tree.hpt and clusters.csv in %.1f s\n", folder, seconds);
    cli_emit(session, json_pack("{s:s, s:s, s:o, s:I, s:I, s:I, s:f, s:o}", "event", "result",
                                "verb", "cluster", "out", cli_text(folder), "rows",
                                (json_int_t)from->rows.count, "columns", (json_int_t)from->rows.dim,
                                "skipped", (json_int_t)(from->rows.images - from->rows.count),
                                "seconds", seconds, "levels", cli_tree_sizes(tree)));
    return CLI_OK;
}

static int prepare(cli_session *session, const source *from)
{
    const char *const written[] = { "tree.hpt", "clusters.csv",
                                    writes_skipped(session, from) ? "skipped.txt" : NULL, NULL };

    return cli_begin_folder(session, cli_own(session, "out"), written);
}

static int run(cli_session *session)
{
    source from = { 0 };
    hirl_tree *tree = NULL;
    double started = 0;
    int code = cli_session_begin(session);

    if (!code)
        code = open_source(&from, session);
    if (!code)
        code = prepare(session, &from);
    started = cli_seconds();
    session->running = false; /* a wrong number of prototypes is still a usage error */
    if (!code)
        code = build(&tree, session, &from);
    if (!code)
        code = write_all(session, tree, &from);
    if (!code)
        code = report(session, tree, &from, cli_seconds() - started);
    hirl_tree_destroy(tree);
    cli_names_free(&from.names);
    cli_rows_free(&from.rows);
    hirl_dataset_destroy(from.dataset);
    hirl_model_destroy(from.model);
    return code;
}

const cli_verb cli_cluster = {
    .name = "cluster",
    .alias = "tree build",
    .help = "build a tree of prototypes from features or images (hierarchical k-means)",
    .example = "data=features.npy prototypes=800,200,50 out=clusters",
    .positional = "data",
    .objects = "context data features cluster",
    .also = "preset network loader_threads eval_batch max_bad",
    .keys = keys,
    .run = run,
};
