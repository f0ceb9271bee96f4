/* tree_show.c - hirl tree show: prints the tree as text, largest nodes first. */
#include <stdio.h>
#include <stdlib.h>

#include "events.h"
#include "keys.h"
#include "messages.h"
#include "nodes.h"
#include "session.h"
#include "text.h"
#include "tree_file.h"
#include "verbs.h"

static const cli_key keys[] = {
    CLI_KEY_TREE,
    { "depth", "int", "2", "1 to 8", "levels", "levels to show, from the top" },
    { "width", "int", "8", "1 to 100000", "nodes", "children to show per node" },
    { "examples", "int", "2", "0 to 100", "images", "images to name per node" },
    { "names", "text", "", "", "",
      "file with one row name per line; default: the names of data=, "
      "or else those in the tree" },
    { "ascii", "flag", "0", "", "", "1: draws with ASCII, without box-drawing characters" },
    { 0 },
};

typedef struct display {
    cli_session *session;
    hirl_tree *tree;
    hirl_dataset *dataset; /* NULL: not given */
    cli_names names;
    cli_nodes nodes;
    int64_t depth, width, examples;
    const char *tee, *corner, *bar, *gap;
} display;

static void put_majority(const display *v, int32_t level, int32_t id)
{
    char text[96];

    if (!v->dataset || !cli_majority(text, sizeof text, &v->nodes, v->dataset, level, id))
        return;
    fputs("  ", stdout);
    cli_put_text(stdout, text);
}

static void put_examples(const display *v, int32_t level, const cli_child *node)
{
    int64_t row[CLI_EXAMPLES];
    int64_t n = v->names.count ? cli_spread_rows(row, &v->nodes, level, node, v->examples) : 0;

    for (int64_t i = 0; i < n; i++) {
        fputs("  ", stdout);
        cli_put_text(stdout, v->names.name[row[i]]);
    }
}

/* Prints the children of a node. False: out of memory, the output is incomplete. */
static bool put_level(const display *v, int32_t level, int32_t parent, const char *prefix)
{
    int64_t count, hidden = 0;
    cli_child *list = cli_children(v->tree, level, parent, &count);
    int32_t lowest = hirl_tree_levels(v->tree) - (int32_t)v->depth + 1;
    char deeper[256], number[32];
    bool complete = list != NULL;

    for (int64_t i = 0; complete && i < count && i < v->width; i++) {
        bool last = i + 1 == count;

        printf("%s%s%d.%d  %s", prefix, last ? v->corner : v->tee, (int)level, (int)list[i].id,
               cli_grouped(number, sizeof number, (double)list[i].size));
        put_majority(v, level, list[i].id);
        put_examples(v, level, &list[i]);
        putchar('\n');
        snprintf(deeper, sizeof deeper, "%s%s", prefix, last ? v->gap : v->bar);
        if (level > lowest && level > 1)
            complete = put_level(v, level - 1, list[i].id, deeper);
    }
    for (int64_t i = v->width; complete && i < count; i++)
        hidden += list[i].size;
    if (complete && count > v->width)
        printf("%s%s... %lld more (%s)\n", prefix, v->corner, (long long)(count - v->width),
               cli_grouped(number, sizeof number, (double)hidden));
    free(list);
    return complete;
}

static int show(display *v)
{
    cli_session *session = v->session;
    bool plain = cli_own_flag(session, "ascii");
    char rows[32];

    v->depth = cli_own_int(session, "depth");
    v->width = cli_own_int(session, "width");
    v->examples = cli_own_int(session, "examples");
    v->tee = plain ? "|- " : "\u251c\u2500 ";
    v->corner = plain ? "`- " : "\u2514\u2500 ";
    v->bar = plain ? "|  " : "\u2502  ";
    v->gap = "   ";
    printf("%s rows, prototypes of %lld columns\n",
           cli_grouped(rows, sizeof rows, (double)hirl_tree_rows(v->tree)),
           (long long)hirl_tree_dim(v->tree));
    cli_tree_print_sizes(session, v->tree);
    if (!put_level(v, hirl_tree_levels(v->tree), -1, ""))
        return cli_no_memory(session);
    return CLI_OK;
}

static int run(cli_session *session)
{
    display v = { .session = session };
    int code = cli_session_begin(session);

    if (!code)
        code = cli_tree_open(&v.tree, session);
    if (!code)
        code = cli_tree_names(&v.names, &v.dataset, session, v.tree);
    if (!code)
        code = cli_nodes_place(&v.nodes, session, v.tree, v.dataset);
    if (!code && session->json)
        cli_emit(session,
                 json_pack("{s:s, s:s, s:I, s:I, s:o}", "event", "result", "verb", "tree show",
                           "rows", (json_int_t)hirl_tree_rows(v.tree), "columns",
                           (json_int_t)hirl_tree_dim(v.tree), "levels", cli_tree_sizes(v.tree)));
    else if (!code)
        code = show(&v);
    cli_nodes_free(&v.nodes);
    cli_names_free(&v.names);
    hirl_dataset_destroy(v.dataset);
    hirl_tree_destroy(v.tree);
    return code;
}

const cli_verb cli_tree_show = {
    .name = "tree show",
    .help = "print the tree with node sizes, classes and example names",
    .example = "clusters data=PHOTOS depth=2",
    .positional = "tree",
    .objects = "data",
    .keys = keys,
    .run = run,
};
