/* cluster.c - builds a tree over features of your own, saves it, assigns new rows to it.
 *
 *     cc cluster.c -o cluster $(pkg-config --cflags --libs hirl)
 *     ./cluster [tree.hpt]      where the tree is written
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <hirl/hirl.h>

enum { ROWS = 4000, COLUMNS = 16, KINDS = 5, SORTS = 4, FRESH = 5 };

/* uniform in -1 to 1 */
static float draw(uint32_t *state)
{
    *state = *state * 1664525u + 1013904223u;
    return (float)(*state >> 8) / 8388608.0f - 1;
}

/* rows of KINDS kinds, each of SORTS sorts: row i is of sort i % (KINDS * SORTS) */
static void make_features(float *row, int64_t rows, uint32_t seed)
{
    static float kind[KINDS * COLUMNS], sort[KINDS * SORTS * COLUMNS];
    uint32_t fixed = 1;

    for (int i = 0; i < KINDS * COLUMNS; i++)
        kind[i] = draw(&fixed);
    for (int i = 0; i < KINDS * SORTS * COLUMNS; i++)
        sort[i] = 0.4f * draw(&fixed);
    for (int64_t i = 0; i < rows; i++) {
        int s = (int)(i % (KINDS * SORTS));

        for (int c = 0; c < COLUMNS; c++)
            row[i * COLUMNS + c] =
                kind[s / SORTS * COLUMNS + c] + sort[s * COLUMNS + c] + 0.1f * draw(&seed);
    }
}

static void print_sizes(const hirl_tree *tree)
{
    int32_t top = hirl_tree_levels(tree);

    for (int32_t l = 1; l <= top; l++)
        printf("level %d: %d nodes\n", (int)l, (int)hirl_tree_count(tree, l));
    for (int64_t i = 0; i < hirl_tree_count(tree, top); i++)
        printf("  top node %d holds %d rows\n", (int)i, (int)hirl_tree_sizes(tree, top)[i]);
}

/* the path of rows that were not clustered: leaf first */
static hirl_status print_paths(const hirl_tree *tree, const float *fresh)
{
    int32_t path[FRESH * 8], levels = hirl_tree_levels(tree);
    float margin[FRESH];
    hirl_status status = hirl_tree_assign(path, margin, tree, fresh, FRESH);

    for (int i = 0; i < FRESH && status >= 0; i++) {
        printf("new row %d:", i);
        for (int32_t l = 0; l < levels; l++)
            printf(" %d", (int)path[i * levels + l]);
        printf("  (margin %.3f)\n", margin[i]);
    }
    return status;
}

int main(int count, char **word)
{
    const char *path = count > 1 ? word[1] : "tree.hpt";
    float *row = malloc(ROWS * COLUMNS * sizeof *row), fresh[FRESH * COLUMNS];
    hirl_options *options = NULL;
    hirl_context *context = NULL;
    hirl_tree *tree = NULL;
    hirl_status status = row ? hirl_options_create(&options) : HIRL_E_NOMEM;

    if (status >= 0)
        status = hirl_options_set(options, "prototypes", "20,5");
    if (status >= 0)
        status = hirl_context_create(&context, options);
    if (status >= 0) {
        make_features(row, ROWS, 7);
        make_features(fresh, FRESH, 8);
        status = hirl_cluster(&tree, context, row, ROWS, COLUMNS, NULL, NULL, options);
    }
    if (status >= 0) {
        print_sizes(tree);
        status = print_paths(tree, fresh);
    }
    if (status >= 0)
        status = hirl_tree_save(tree, path);
    if (status < 0)
        fprintf(stderr, "%s: %s\n", hirl_status_name(status), hirl_error_message());
    else
        printf("%s: written\n", path);

    hirl_tree_destroy(tree);
    hirl_context_destroy(context);
    hirl_options_destroy(options);
    free(row);
    return status < 0;
}
