/* tree_eval.c - hirl tree eval: purity, NMI and dendrogram purity at each label level. */
#include <stdio.h>
#include <stdlib.h>

#include "events.h"
#include "files.h"
#include "images.h"
#include "keys.h"
#include "messages.h"
#include "session.h"
#include "tree_file.h"
#include "verbs.h"

static const cli_key keys[] = {
    CLI_KEY_TREE,
    { "out", "text", "", "", "", "a .json file for the scores, in addition to the printed ones" },
    { 0 },
};

typedef struct scores {
    int32_t levels; /* label levels */
    int32_t classes[CLI_LABEL_LEVELS];
    hirl_tree_score level[CLI_LABEL_LEVELS];
} scores;

static int score_level(hirl_tree_score *score, cli_session *session, const hirl_tree *tree,
                       const hirl_dataset *dataset, int32_t level)
{
    int64_t rows = hirl_tree_rows(tree);
    int32_t *label = cli_labels(dataset, NULL, rows, level);
    hirl_status status;

    if (!label)
        return cli_no_memory(session);
    *score = (hirl_tree_score){ .struct_size = sizeof *score };
    status = hirl_tree_evaluate(score, tree, label, rows);
    free(label);
    return cli_check(session, status);
}

static int score(scores *result, cli_session *session, const hirl_tree *tree,
                 const hirl_dataset *dataset)
{
    hirl_dataset_info info = { .struct_size = sizeof info };
    hirl_status status = hirl_dataset_describe(&info, dataset);
    int code = CLI_OK;

    if (status < 0)
        return cli_check(session, status);
    if (info.label_levels < 1)
        return cli_error(session, CLI_DATA, "tree eval needs labels, but these images have none");
    session->running = true;
    result->levels = info.label_levels;
    for (int32_t l = 0; l < result->levels && !code; l++) {
        result->classes[l] = hirl_dataset_classes(dataset, l);
        code = score_level(&result->level[l], session, tree, dataset, l);
    }
    return code;
}

static void print(const scores *result, const hirl_tree *tree)
{
    printf("%-18s", "");
    for (int32_t l = 0; l < result->levels; l++)
        printf("  %6s (%d)%*s", cli_level_name(l, result->levels), (int)result->classes[l],
               result->classes[l] < 10    ? 6
               : result->classes[l] < 100 ? 5
                                          : 4,
               "");
    printf("\n%-18s", "level");
    for (int32_t l = 0; l < result->levels; l++)
        printf("  %8s %6s", "purity", "NMI");
    putchar('\n');
    for (int32_t t = 0; t < hirl_tree_levels(tree); t++) {
        printf("%d (%lld)%*s", (int)t + 1, (long long)hirl_tree_count(tree, t + 1),
               14 - snprintf(NULL, 0, "%lld", (long long)hirl_tree_count(tree, t + 1)), "");
        for (int32_t l = 0; l < result->levels; l++)
            printf("  %6.1f %% %6.3f", 100 * result->level[l].purity[t], result->level[l].nmi[t]);
        putchar('\n');
    }
    printf("%-18s", "dendrogram purity");
    for (int32_t l = 0; l < result->levels; l++)
        printf("  %6.1f %% %6s", 100 * result->level[l].dendrogram_purity, "");
    putchar('\n');
}

static json_t *to_json(const scores *result, const hirl_tree *tree)
{
    json_t *levels = json_array();

    for (int32_t l = 0; l < result->levels; l++) {
        json_t *purity = json_array(), *nmi = json_array();

        for (int32_t t = 0; t < hirl_tree_levels(tree); t++) {
            json_array_append_new(purity, json_real(result->level[l].purity[t]));
            json_array_append_new(nmi, json_real(result->level[l].nmi[t]));
        }
        json_array_append_new(levels,
                              json_pack("{s:s, s:i, s:o, s:o, s:f}", "labels",
                                        cli_level_name(l, result->levels), "classes",
                                        (int)result->classes[l], "purity", purity, "nmi", nmi,
                                        "dendrogram_purity", result->level[l].dendrogram_purity));
    }
    return json_pack("{s:s, s:s, s:I, s:o, s:o}", "event", "result", "verb", "tree eval", "rows",
                     (json_int_t)hirl_tree_rows(tree), "tree", cli_tree_sizes(tree), "levels",
                     levels);
}

static int run(cli_session *session)
{
    hirl_tree *tree = NULL;
    hirl_dataset *dataset = NULL;
    scores result = { 0 };
    json_t *json = NULL;
    int code = cli_session_begin(session);

    if (!code)
        code = cli_require_data(session);
    if (!code && *cli_own(session, "out"))
        code = cli_file_try(session, "", cli_own(session, "out"));
    if (!code)
        code = cli_tree_open(&tree, session);
    if (!code)
        code = cli_data_open(&dataset, session);
    if (!code)
        code = cli_data_print(session, dataset);
    if (!code)
        code = cli_check_join(session, hirl_tree_check_images(tree, dataset));
    if (!code)
        code = score(&result, session, tree, dataset);
    if (!code && !session->json)
        print(&result, tree);
    if (!code)
        json = to_json(&result, tree);
    if (!code && *cli_own(session, "out"))
        code = cli_write_json(session, "", cli_own(session, "out"), json_incref(json));
    if (!code)
        cli_emit(session, json_incref(json));
    json_decref(json);
    hirl_dataset_destroy(dataset);
    hirl_tree_destroy(tree);
    return code;
}

const cli_verb cli_tree_eval = {
    .name = "tree eval",
    .help = "score the tree against the labels of its images",
    .example = "clusters data=PHOTOS",
    .positional = "tree",
    .objects = "data",
    .keys = keys,
    .run = run,
};
