/* cluster.c - builds a tree over your own features, assigns new rows to it, and saves it.
 *
 *     cc cluster.c -o cluster $(pkg-config --cflags --libs hirl)
 *     ./cluster [tree.hpt]      the file to write
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <hirl/hirl.h>

enum { ROWS = 4000, COLUMNS = 16, COARSE = 5, FINE = 4, NEW = 5 };

/* uniform between -1 and 1 */
static float draw(uint32_t *state)
{
    *state = *state * 1664525u + 1013904223u;
    return (float)(*state >> 8) / 8388608.0f - 1;
}

/* Draws rows around COARSE * FINE centres, which form COARSE clusters of FINE centres each.
 * Row i is drawn around centre i % (COARSE * FINE). */
static void make_features(float *row, int64_t rows, uint32_t seed)
{
    static float coarse[COARSE * COLUMNS], fine[COARSE * FINE * COLUMNS];
    uint32_t fixed = 1;

    for (int i = 0; i < COARSE * COLUMNS; i++)
        coarse[i] = draw(&fixed);
    for (int i = 0; i < COARSE * FINE * COLUMNS; i++)
        fine[i] = 0.4f * draw(&fixed);
    for (int64_t i = 0; i < rows; i++) {
        int centre = (int)(i % (COARSE * FINE));

        for (int c = 0; c < COLUMNS; c++)
            row[i * COLUMNS + c] = coarse[centre / FINE * COLUMNS + c] +
                                   fine[centre * COLUMNS + c] + 0.1f * draw(&seed);
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

/* Prints the paths of new rows, from the leaf to the top. */
static hirl_status print_paths(const hirl_tree *tree, const float *fresh)
{
    int32_t path[NEW * 8], levels = hirl_tree_levels(tree);
    float margin[NEW];
    hirl_status status = hirl_tree_assign(path, margin, tree, fresh, NEW);

    for (int i = 0; i < NEW && status >= 0; i++) {
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
    float *row = malloc(ROWS * COLUMNS * sizeof *row), fresh[NEW * COLUMNS];
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
        make_features(fresh, NEW, 8);
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
        printf("wrote %s\n", path);

    hirl_tree_destroy(tree);
    hirl_context_destroy(context);
    hirl_options_destroy(options);
    free(row);
    return status < 0;
}
