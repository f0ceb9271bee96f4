/* nodes.c - which rows lie below which node of a tree, and their most frequent class. */
#include "nodes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "messages.h"

static int larger_first(const void *a, const void *b)
{
    const cli_child *x = a, *y = b;

    return x->size != y->size ? (x->size < y->size ? 1 : -1) : (x->id > y->id) - (x->id < y->id);
}

cli_child *cli_children(const hirl_tree *tree, int32_t level, int32_t parent, int64_t *count)
{
    int64_t m = hirl_tree_count(tree, level);
    const int64_t *size = hirl_tree_sizes(tree, level);
    const int32_t *up = hirl_tree_parents(tree, level);
    cli_child *list = calloc((size_t)m + 1, sizeof *list);

    *count = 0;
    if (!list)
        return NULL;
    for (int64_t i = 0; i < m; i++)
        if (!up || parent < 0 || up[i] == parent)
            list[(*count)++] = (cli_child){ size[i], (int32_t)i };
    qsort(list, (size_t)*count, sizeof *list, larger_first);
    return list;
}

static int place_classes(cli_nodes *nodes, cli_session *session, const hirl_dataset *dataset)
{
    hirl_dataset_info info = { .struct_size = sizeof info };

    if (!dataset || hirl_dataset_describe(&info, dataset) < 0 || info.label_levels < 1)
        return CLI_OK;
    nodes->classes = hirl_dataset_classes(dataset, 0);
    nodes->seen = calloc((size_t)nodes->classes + 1, sizeof *nodes->seen);
    return nodes->seen ? CLI_OK : cli_no_memory(session);
}

int cli_nodes_place(cli_nodes *nodes, cli_session *session, const hirl_tree *tree,
                    const hirl_dataset *dataset)
{
    const int32_t *leaf = hirl_tree_leaves(tree);

    *nodes = (cli_nodes){ .rows = hirl_tree_rows(tree) };
    for (int32_t l = 0; l < hirl_tree_levels(tree); l++) {
        const int32_t *up = l ? hirl_tree_parents(tree, l) : NULL;
        int32_t *node = malloc((size_t)(nodes->rows + 1) * sizeof *node);

        nodes->node[l] = node;
        if (!node)
            return cli_no_memory(session);
        for (int64_t r = 0; r < nodes->rows; r++) {
            int32_t below = l ? nodes->node[l - 1][r] : leaf[r];

            node[r] = l && below >= 0 ? up[below] : below;
        }
    }
    return place_classes(nodes, session, dataset);
}

void cli_nodes_free(cli_nodes *nodes)
{
    for (int l = 0; l < 8; l++)
        free(nodes->node[l]);
    free(nodes->seen);
    *nodes = (cli_nodes){ 0 };
}

/* The first row after `row` that lies below a node; -1: no more rows. */
static int64_t next_row(const cli_nodes *nodes, int32_t level, int32_t id, int64_t row)
{
    const int32_t *node = nodes->node[level - 1];

    for (row++; row < nodes->rows; row++)
        if (node[row] == id)
            return row;
    return -1;
}

int64_t cli_spread_rows(int64_t *row, const cli_nodes *nodes, int32_t level, const cli_child *node,
                        int64_t most)
{
    int64_t wanted = node->size < most ? node->size : most, seen = 0, found = 0;

    for (int64_t r = -1; found < wanted; seen++) {
        r = next_row(nodes, level, node->id, r);
        if (r < 0)
            break;
        if (seen == (2 * found + 1) * node->size / (2 * wanted))
            row[found++] = r;
    }
    return found;
}

bool cli_majority(char *text, size_t bytes, const cli_nodes *nodes, const hirl_dataset *dataset,
                  int32_t level, int32_t id)
{
    int32_t best = 0, *seen = nodes->seen;
    const char *name;
    int64_t size = 0;

    if (!seen)
        return false;
    memset(seen, 0, (size_t)nodes->classes * sizeof *seen);
    for (int64_t r = -1; (r = next_row(nodes, level, id, r)) >= 0; size++) {
        int32_t label = hirl_dataset_label(dataset, r, 0);

        if (label >= 0 && ++seen[label] > seen[best])
            best = label;
    }
    if (!seen[best])
        return false;
    name = hirl_dataset_class_name(dataset, 0, best);
    snprintf(text, bytes, "%s %.0f %%", name ? name : "?", 100.0 * seen[best] / (double)size);
    return true;
}
