/* eval_knn.c - hirl eval knn: weighted k-nearest-neighbour classification, at every label level.
 *
 * Queries are classified by a labelled bank. Both are splits of the data; without such
 * splits, every tenth image is a query. As in the paper, the best accuracy over all K is reported.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "events.h"
#include "files.h"
#include "images.h"
#include "keys.h"
#include "messages.h"
#include "pixels.h"
#include "rows.h"
#include "session.h"
#include "verbs.h"

static const cli_key keys[] = {
    { "model", "text", "", "", "",
      "run directory, checkpoint or model file; features=random: a run whose settings are used" },
    { "features", "choice", "model", "model pixels random", "",
      "model: of model=; pixels: normalised pixel values; random: of an untrained model" },
    { "layer", "text", "backbone", "", "", CLI_LAYER_HELP },
    { "bank_split", "text", "bank", "", "",
      "split that is the bank; bank: train, or without such splits all but every tenth image" },
    { "query_split", "text", "queries", "", "",
      "split that is classified; queries: test, validation or val, or else every tenth image" },
    { "out", "text", "", "", "", "a .json file for the result, in addition to the printed one" },
    { 0 },
};

typedef struct side {
    hirl_dataset *dataset;
    char split[64];
    cli_rows rows;
} side;

typedef struct comparison {
    cli_session *session;
    side bank, query;
    hirl_model *model;
    int32_t levels;
    int32_t classes[CLI_LABEL_LEVELS];
    hirl_knn_score report[CLI_LABEL_LEVELS];
    double seconds;
} comparison;

static int open_side(side *s, cli_session *session, const char *split)
{
    hirl_dataset_info info = { .struct_size = sizeof info };
    hirl_status status = hirl_options_set(session->options, "split", split);

    if (status >= 0)
        status = hirl_dataset_open(&s->dataset, session->context, NULL, session->options);
    if (status >= 0)
        status = hirl_dataset_describe(&info, s->dataset);
    if (status < 0)
        return cli_check_data(session, status);
    if (info.label_levels < 1)
        return cli_error(session, CLI_DATA, "kNN needs labels, but these images have none");
    snprintf(s->split, sizeof s->split, "%s", info.split);
    return cli_data_print(session, s->dataset);
}

static int open_data(comparison *c)
{
    hirl_dataset_info info = { .struct_size = sizeof info };
    hirl_status status;
    int code = open_side(&c->bank, c->session, cli_own(c->session, "bank_split"));

    if (!code)
        code = open_side(&c->query, c->session, cli_own(c->session, "query_split"));
    if (code)
        return code;
    status = hirl_options_set(c->session->options, "split", "auto");
    if (status >= 0)
        status = hirl_dataset_describe(&info, c->query.dataset);
    if (status < 0)
        return cli_check(c->session, status);
    c->levels = info.label_levels;
    for (int32_t l = 0; l < c->levels; l++)
        c->classes[l] = hirl_dataset_classes(c->query.dataset, l);
    return CLI_OK;
}

/* The run whose settings features=random uses; "": it uses the keys. */
static const char *run_of(const cli_session *session)
{
    return cli_model_is_random(session) ? "" : cli_own(session, "model");
}

/* Refuses keys without effect on the chosen kind of features. */
static int refuse_useless(cli_session *session)
{
    const char *features = cli_own(session, "features");
    int code = CLI_OK;

    if (!strcmp(features, "pixels")) {
        code = cli_refuse_keys(session, "model layer preset loader_threads eval_batch",
                               "features=pixels");
        if (!code)
            code = cli_refuse_object(session, "model", "mean std", "features=pixels");
    } else if (!strcmp(features, "random")) {
        code = cli_refuse_keys(session, "network", "features=random");
        if (!code && *run_of(session))
            code = cli_refuse_keys(session, "preset", "the settings of a run (model=)");
        if (!code && *run_of(session))
            code = cli_refuse_object(session, "model", "", "the settings of a run (model=)");
    } else if (!cli_model_is_random(session)) {
        code = cli_refuse_keys(session, "preset", "a model loaded from a file");
    }
    return code;
}

static int open_features(comparison *c)
{
    const char *features = cli_own(c->session, "features");

    if (!strcmp(features, "pixels"))
        return CLI_OK;
    if (!strcmp(features, "random"))
        return cli_model_untrained(&c->model, c->session, run_of(c->session));
    return cli_model_open(&c->model, c->session);
}

static int64_t skipped(const side *s)
{
    return s->rows.images - s->rows.count;
}

static int compute_rows(comparison *c, side *s)
{
    const char *layer = cli_own(c->session, "layer");
    int code = c->model ? cli_rows_embed(&s->rows, c->session, c->model, layer, s->dataset)
                        : cli_rows_pixels(&s->rows, c->session, s->dataset);

    if (!code && skipped(s))
        cli_note(c->session, "%lld of %lld images could not be read", (long long)skipped(s),
                 (long long)s->rows.images);
    return code;
}

static int32_t *labels(const side *s, int32_t level)
{
    return cli_labels(s->dataset, s->rows.image, s->rows.count, level);
}

static int compare(comparison *c, int32_t level)
{
    int32_t *bank_label = labels(&c->bank, level), *label = labels(&c->query, level);
    hirl_status status = HIRL_OK;
    bool allocated = bank_label && label;

    if (allocated) {
        c->report[level] = (hirl_knn_score){ .struct_size = sizeof(hirl_knn_score) };
        status = hirl_knn_evaluate(&c->report[level], c->session->context, c->bank.rows.value,
                                   bank_label, c->bank.rows.count, c->query.rows.value, label,
                                   c->query.rows.count, c->bank.rows.dim, c->session->options);
    }
    free(bank_label);
    free(label);
    cli_progress_clear(&c->session->progress);
    return allocated ? cli_check(c->session, status) : cli_no_memory(c->session);
}

static int compare_levels(comparison *c)
{
    double started = cli_seconds();
    int code = compute_rows(c, &c->bank);

    if (!code)
        code = compute_rows(c, &c->query);
    if (!code && c->bank.rows.dim != c->query.rows.dim)
        code =
            cli_error(c->session, CLI_DATA,
                      "features=pixels needs images of one size, but the bank has %lld values per "
                      "image and the queries have %lld",
                      (long long)c->bank.rows.dim, (long long)c->query.rows.dim);
    for (int32_t l = 0; l < c->levels && !code; l++)
        code = compare(c, l);
    c->seconds = cli_seconds() - started;
    return code;
}

static void print(const comparison *c)
{
    const hirl_knn_score *first = &c->report[0];

    printf("%lld queries, bank of %lld images, %lld columns, %.1f s; accuracy in per cent\n%-12s",
           (long long)first->queries, (long long)first->bank, (long long)c->bank.rows.dim,
           c->seconds, "");
    for (int32_t i = 0; i < first->ks; i++)
        printf("  K=%-5d", (int)first->k[i]);
    printf("  best\n");
    for (int32_t l = 0; l < c->levels; l++) {
        const hirl_knn_score *r = &c->report[l];

        printf("%-6s %-5d", cli_level_name(l, c->levels), (int)c->classes[l]);
        for (int32_t i = 0; i < r->ks; i++)
            printf("  %7.2f", 100 * r->top1[i]);
        printf("  %.2f (K=%d)\n", 100 * r->best_top1, (int)r->best_k);
    }
}

static json_t *level_json(const comparison *c, int32_t level)
{
    const hirl_knn_score *r = &c->report[level];
    json_t *one =
        json_pack("{s:s, s:i, s:f, s:i}", "labels", cli_level_name(level, c->levels), "classes",
                  (int)c->classes[level], "knn_top1", r->best_top1, "best_k", (int)r->best_k);
    char name[32];

    for (int32_t i = 0; i < r->ks; i++) {
        snprintf(name, sizeof name, "knn_top1_k%d", (int)r->k[i]);
        json_object_set_new(one, name, json_real(r->top1[i]));
        snprintf(name, sizeof name, "knn_top5_k%d", (int)r->k[i]);
        json_object_set_new(one, name, json_real(r->top5[i]));
    }
    return one;
}

/* Describes the model: with features=random it may have the settings of a run, not of the keys. */
static json_t *model_json(const comparison *c)
{
    hirl_model_info info = { .struct_size = sizeof info };

    if (!c->model || hirl_model_describe(&info, c->model) < 0)
        return json_null();
    return json_pack("{s:s, s:s, s:s, s:i, s:I, s:I}", "arch", info.arch, "method", info.method,
                     "network", info.network, "image_size", (int)info.image_size, "backbone_dim",
                     (json_int_t)info.backbone_dim, "parameters", (json_int_t)info.parameters);
}

static int report(comparison *c)
{
    cli_session *session = c->session;
    json_t *levels = json_array(), *result;
    int code = CLI_OK;

    for (int32_t l = 0; l < c->levels; l++)
        json_array_append_new(levels, level_json(c, l));
    result = json_pack("{s:s, s:s, s:o, s:o, s:I, s:I, s:I, s:I, s:f, s:o, s:o, s:o}", "event",
                       "result", "verb", "eval knn", "bank_split", cli_text(c->bank.split),
                       "query_split", cli_text(c->query.split), "bank",
                       (json_int_t)c->report[0].bank, "queries", (json_int_t)c->report[0].queries,
                       "columns", (json_int_t)c->bank.rows.dim, "skipped",
                       (json_int_t)(skipped(&c->bank) + skipped(&c->query)), "seconds", c->seconds,
                       "levels", levels, "model", model_json(c), "settings", cli_settings(session));
    if (!session->json)
        print(c);
    if (*cli_own(session, "out"))
        code = cli_write_json(session, "", cli_own(session, "out"), json_incref(result));
    cli_emit(session, result);
    return code;
}

static int run(cli_session *session)
{
    comparison c = { .session = session };
    int code = cli_session_begin(session);

    if (!code)
        code = cli_require_data(session);
    if (!code && *cli_own(session, "out"))
        code = cli_file_try(session, "", cli_own(session, "out"));
    if (!code)
        code = refuse_useless(session);
    if (!code)
        code = open_features(&c);
    if (!code)
        code = open_data(&c);
    if (!code)
        code = compare_levels(&c);
    if (!code)
        code = report(&c);
    cli_rows_free(&c.bank.rows);
    cli_rows_free(&c.query.rows);
    hirl_dataset_destroy(c.bank.dataset);
    hirl_dataset_destroy(c.query.dataset);
    hirl_model_destroy(c.model);
    return code;
}

const cli_verb cli_eval_knn = {
    .name = "eval knn",
    .help = "classify by weighted nearest neighbours, at every label level",
    .example = "model=run data=PHOTOS",
    .objects = "context data model eval",
    .also = "preset loader_threads eval_batch max_bad",
    .without = "split",
    .keys = keys,
    .run = run,
};
