/* test_export.c - a small tree in each format, compared character by character. */
#include <hirl/cluster.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "hier/tree.h"
#include "support/close.h"
#include "support/run.h"

#include <jansson.h>

static hirl_context *context;
static hirl_tree *tree;
static char path[64];

/* 3 leaves below 2 nodes; rows 0 and 3 in leaf 0, row 1 in leaf 2, row 2 in none */
static void open_tree(void)
{
    static const int64_t m[] = { 3, 2 };
    static const float ones[] = { 1, 1, 1 };
    static const int32_t parents[] = { 0, 1, 0 }, leaf[] = { 0, 2, -1, 0 };
    const float *proto[] = { ones, ones };
    const int32_t *up[] = { parents };

    snprintf(path, sizeof path, "test_export_%ld", (long)getpid());
    hr_assert_ok(hr_context_create(&context, "cpu", 1));
    hr_assert_ok(hirl_tree_create(&tree, context, 2, 1, m, proto, up, leaf, 4));
}

static void close_tree(void)
{
    unlink(path);
    hirl_tree_destroy(tree);
    hr_context_drop(context);
    ck_assert_int_eq(hr_alloc_live(), 0);
}

static void assert_export(const char *format, const char *const *name, const char *want)
{
    size_t bytes;
    void *text;

    hr_assert_ok(hirl_tree_export(tree, path, format, name));
    hr_assert_ok(hr_file_read(&text, &bytes, path, 1 << 20));
    ck_assert_str_eq(text, want);
    hr_free(text);
}

START_TEST(csv_has_a_line_for_each_row_with_a_leaf)
{
    const char *const name[] = { "a.jpg", "b, \"c\".jpg", "gone", "d\n.jpg" };

    open_tree();
    assert_export("csv", NULL, "row,level1,level2\n0,0,0\n1,2,0\n3,0,0\n");
    assert_export("csv", name,
                  "row,level1,level2\na.jpg,0,0\n\"b, \"\"c\"\".jpg\",2,0\n\"d\n.jpg\",0,0\n");
    close_tree();
}
END_TEST

START_TEST(newick_nests_the_nodes)
{
    open_tree();
    assert_export("newick", NULL, "((l1_0,l1_2)l2_0,(l1_1)l2_1)root;\n");
    close_tree();
}
END_TEST

START_TEST(dot_has_nodes_with_sizes_and_edges_downwards)
{
    open_tree();
    assert_export("dot", NULL,
                  "digraph tree {\n  rankdir=LR;\n  node [shape=box];\n"
                  "  l2_0 [label=\"2:0\\n3\"];\n  l2_1 [label=\"2:1\\n0\"];\n"
                  "  l1_0 [label=\"1:0\\n2\"];\n  l2_0 -> l1_0;\n"
                  "  l1_1 [label=\"1:1\\n0\"];\n  l2_1 -> l1_1;\n"
                  "  l1_2 [label=\"1:2\\n1\"];\n  l2_0 -> l1_2;\n}\n");
    close_tree();
}
END_TEST

START_TEST(graphml_has_each_node_and_edge)
{
    size_t bytes;
    void *text;
    int nodes = 0, edges = 0;

    open_tree();
    hr_assert_ok(hirl_tree_export(tree, path, "graphml", NULL));
    hr_assert_ok(hr_file_read(&text, &bytes, path, 1 << 20));
    for (const char *at = text; (at = strstr(at, "<node id=\"")); at++)
        nodes++;
    for (const char *at = text; (at = strstr(at, "<edge source=\"l2_")); at++)
        edges++;
    ck_assert_int_eq(nodes, 5);
    ck_assert_int_eq(edges, 3);
    ck_assert_ptr_nonnull(strstr(text, "<node id=\"l1_2\"><data key=\"level\">1</data>"
                                       "<data key=\"node\">2</data><data key=\"size\">1</data>"));
    ck_assert_ptr_nonnull(strstr(text, "<edge source=\"l2_1\" target=\"l1_1\"/>"));
    ck_assert_ptr_nonnull(strstr(text, "</graphml>\n"));
    hr_free(text);
    close_tree();
}
END_TEST

static const char *row_name(const json_t *top, size_t node, size_t leaf, size_t row)
{
    json_t *inner = json_array_get(json_object_get(top, "children"), node);
    json_t *tip = json_array_get(json_object_get(inner, "children"), leaf);

    return json_string_value(json_array_get(json_object_get(tip, "rows"), row));
}

START_TEST(json_nests_children_and_rows)
{
    const char *const name[] = { "a.jpg", "\xc3\xa4 \"b\".jpg", "gone", "odd\xff.jpg" };
    json_t *top;

    open_tree();
    assert_export("json", NULL,
                  "{\"levels\":2,\"count\":4,\"columns\":1,\"children\":[\n"
                  "{\"level\":2,\"node\":0,\"size\":3,\"children\":["
                  "{\"level\":1,\"node\":0,\"size\":2,\"rows\":[0,3]},"
                  "{\"level\":1,\"node\":2,\"size\":1,\"rows\":[1]}]}\n"
                  ",{\"level\":2,\"node\":1,\"size\":0,\"children\":["
                  "{\"level\":1,\"node\":1,\"size\":0,\"rows\":[]}]}\n]}\n");
    hr_assert_ok(hirl_tree_export(tree, path, "json", name));
    top = json_load_file(path, 0, NULL);
    ck_assert_ptr_nonnull(top);
    ck_assert_str_eq(row_name(top, 0, 0, 0), "a.jpg");
    ck_assert_str_eq(row_name(top, 0, 0, 1), "odd\\xff.jpg"); /* not UTF-8 */
    ck_assert_str_eq(row_name(top, 0, 1, 0), name[1]);
    json_decref(top);
    close_tree();
}
END_TEST

START_TEST(long_names_and_many_rows_are_written_whole)
{
    enum { LONG = 20000 };
    static char longest[LONG + 1];
    const char *const name[] = { longest, "b", "gone", "d" };
    size_t bytes;
    void *text;

    open_tree();
    memset(longest, 'x', LONG);
    hr_assert_ok(hirl_tree_export(tree, path, "csv", name));
    hr_assert_ok(hr_file_read(&text, &bytes, path, 1 << 20));
    ck_assert_int_eq(bytes, strlen("row,level1,level2\n") + LONG + strlen(",0,0\nb,2,0\nd,0,0\n"));
    hr_free(text);
    close_tree();
}
END_TEST

START_TEST(an_unknown_format_and_an_unwritable_folder_are_refused)
{
    open_tree();
    hr_assert_fails(hirl_tree_export(tree, path, "xml", NULL), HIRL_E_INVALID, "graphml");
    hr_assert_fails(hirl_tree_export(tree, "no/such/folder/x", "csv", NULL), HIRL_E_IO,
                    "no/such/folder");
    ck_assert(!hr_file_exists(path));
    close_tree();
}
END_TEST

HR_TESTS("export", csv_has_a_line_for_each_row_with_a_leaf, newick_nests_the_nodes,
         dot_has_nodes_with_sizes_and_edges_downwards, graphml_has_each_node_and_edge,
         json_nests_children_and_rows, long_names_and_many_rows_are_written_whole,
         an_unknown_format_and_an_unwritable_folder_are_refused)
