/* tree_file.h - the tree that tree= names, the names of its rows, and the sizes of its nodes. */
#ifndef CLI_TREE_FILE_H
#define CLI_TREE_FILE_H

#include <jansson.h>

#include "names.h"

/* the key of every verb that opens a tree */
#define CLI_KEY_TREE                                                                               \
    {                                                                                              \
        "tree", "text", "", "", "", "a .hpt file, or the folder of a run or of a clustering"       \
    }

int cli_tree_open(hirl_tree **tree, cli_session *session);
/* Opens data= if it was given, and reads the names of the tree's rows from names=, or else from the
 * data set. */
int cli_tree_names(cli_names *names, hirl_dataset **dataset, cli_session *session,
                   const hirl_tree *tree);
void cli_tree_print_sizes(cli_session *session, const hirl_tree *tree);
json_t *cli_tree_sizes(const hirl_tree *tree);

#endif
