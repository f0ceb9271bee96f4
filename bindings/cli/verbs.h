/* verbs.h - the verbs of the program, each defined in a file of its own; main.c lists them. */
#ifndef CLI_VERBS_H
#define CLI_VERBS_H

#include "cli.h"

extern const cli_verb cli_pretrain, cli_embed, cli_cluster, cli_tree_show, cli_tree_export,
    cli_tree_eval, cli_eval_knn, cli_eval_linear, cli_info, cli_info_differences, cli_methods,
    cli_models, cli_config_show;

#endif
