/* tree_file.c - the tree that tree= names, the names of its rows, and the sizes of its nodes. */
#include "tree_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "files.h"
#include "images.h"
#include "keys.h"
#include "messages.h"

/* The folder of a clustering holds tree.hpt, a run directory trees/current.hpt. */
static int find(char path[CLI_PATH], cli_session *session, const char *given)
{
    static const char *const inside[] = { "tree.hpt", "trees/current.hpt" };
    struct stat info;

    if (stat(given, &info) || !S_ISDIR(info.st_mode))
        return cli_join(path, session, given, "");
    for (size_t i = 0; i < sizeof inside / sizeof *inside; i++)
        if (cli_exists(given, inside[i]))
            return cli_join(path, session, given, inside[i]);
    return cli_error(session, CLI_DATA,
                     "'%s' holds no tree (neither tree.hpt nor trees/current.hpt)", given);
}

int cli_tree_open(hirl_tree **tree, cli_session *session)
{
    const char *given = cli_own(session, "tree");
    char path[CLI_PATH];
    int code;

    if (!*given)
        return cli_error(
            session, CLI_USAGE,
            "tree= is missing: give a .hpt file, or the folder of a run or of a clustering");
    code = find(path, session, given);
    if (code)
        return code;
    return cli_check(session, hirl_tree_load(tree, session->context, path));
}

static int by_size(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return x < y ? -1 : x > y;
}

/* {level, prototypes, empty, smallest, median, largest} of one level */
static json_t *level_sizes(const hirl_tree *tree, int32_t level)
{
    int64_t count = hirl_tree_count(tree, level), empty = 0;
    int64_t *size = calloc((size_t)count + 1, sizeof *size);
    json_t *result;

    if (!size)
        return NULL;
    memcpy(size, hirl_tree_sizes(tree, level), (size_t)count * sizeof *size);
    qsort(size, (size_t)count, sizeof *size, by_size);
    while (empty < count && !size[empty])
        empty++;
    result =
        json_pack("{s:i, s:I, s:I, s:I, s:I, s:I}", "level", level, "prototypes", (json_int_t)count,
                  "empty", (json_int_t)empty, "smallest", (json_int_t)size[0], "median",
                  (json_int_t)size[(count - 1) / 2], "largest", (json_int_t)size[count - 1]);
    free(size);
    return result;
}

json_t *cli_tree_sizes(const hirl_tree *tree)
{
    json_t *levels = json_array();

    for (int32_t l = 1; l <= hirl_tree_levels(tree); l++)
        json_array_append_new(levels, level_sizes(tree, l));
    return levels;
}

void cli_tree_print_sizes(cli_session *session, const hirl_tree *tree)
{
    json_t *levels = cli_tree_sizes(tree), *level;
    size_t index;

    if (!session->json)
        puts("level  prototypes   empty  smallest   median   largest");
    json_array_foreach(levels, index, level)
    {
        if (!session->json)
            printf("%5lld  %10lld  %6lld  %8lld %8lld  %8lld\n",
                   json_integer_value(json_object_get(level, "level")),
                   json_integer_value(json_object_get(level, "prototypes")),
                   json_integer_value(json_object_get(level, "empty")),
                   json_integer_value(json_object_get(level, "smallest")),
                   json_integer_value(json_object_get(level, "median")),
                   json_integer_value(json_object_get(level, "largest")));
    }
    json_decref(levels);
}

int cli_tree_names(cli_names *names, hirl_dataset **dataset, cli_session *session,
                   const hirl_tree *tree)
{
    int64_t rows = hirl_tree_rows(tree);
    int code = CLI_OK;

    if (hirl_options_origin(session->options, "data") > 0)
        code = cli_data_open(dataset, session);
    if (!code && *cli_own(session, "names"))
        code = cli_names_read(names, session, cli_own(session, "names"));
    else if (!code && *dataset)
        code = cli_names_of(names, session, *dataset);
    else if (!code && hirl_tree_name(tree, 0))
        code = cli_names_in(names, session, tree);
    if (code)
        return code;
    if (*dataset) {
        hirl_status status = hirl_tree_check_images(tree, *dataset);

        if (status < 0)
            return cli_check_join(session, status);
    }
    if (names->count && names->count != rows)
        return cli_error(session, CLI_DATA, "the tree has %lld rows, but there are %lld names",
                         (long long)rows, (long long)names->count);
    return CLI_OK;
}
