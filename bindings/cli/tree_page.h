/* tree_page.h - the tree with thumbnails as one HTML file. */
#ifndef CLI_TREE_PAGE_H
#define CLI_TREE_PAGE_H

#include "cli.h"

int cli_tree_page(cli_session *session, const hirl_tree *tree, const hirl_dataset *dataset,
                  const char *out);

#endif
