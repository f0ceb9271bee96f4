/* nodes.h - which rows lie below which node of a tree. */
#ifndef CLI_NODES_H
#define CLI_NODES_H

#include "cli.h"

typedef struct cli_child {
    int64_t size;
    int32_t id;
} cli_child;

enum { CLI_EXAMPLES = 100 }; /* most examples of a node */

typedef struct cli_nodes {
    int64_t rows;
    int32_t *node[8]; /* node[l][row]: the node of the row at level l + 1, -1: none */
    int32_t classes;  /* classes of the finest labels, 0: no labels */
    int32_t *seen;    /* [classes] workspace for counting */
} cli_nodes;

/* The nodes of a level below `parent` (all nodes when parent < 0), largest first. NULL: out of
 * memory. Freed with free(). */
cli_child *cli_children(const hirl_tree *tree, int32_t level, int32_t parent, int64_t *count);
/* dataset NULL: no labels */
int cli_nodes_place(cli_nodes *nodes, cli_session *session, const hirl_tree *tree,
                    const hirl_dataset *dataset);
void cli_nodes_free(cli_nodes *nodes);
/* Picks at most `most` rows below a node and returns their number: the middles of equal parts
 * of the node's rows, in order. When rows are sorted by class, each class appears in proportion. */
int64_t cli_spread_rows(int64_t *row, const cli_nodes *nodes, int32_t level, const cli_child *node,
                        int64_t most);
/* "shirt 43 %": the most frequent class below a node; false: no labels there */
bool cli_majority(char *text, size_t bytes, const cli_nodes *nodes, const hirl_dataset *dataset,
                  int32_t level, int32_t id);

#endif
