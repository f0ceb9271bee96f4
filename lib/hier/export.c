/* export.c - writes a tree in formats that other programs read.
 *
 *   json     nested from a root above the top nodes: {"level", "node", "size", "children" | "rows"}
 *   dot      Graphviz: an edge from each node to its children, labels "level:node" and size
 *   newick   as for phylogenetic trees: tips are the leaves l1_<node>, inner nodes l<level>_<node>
 *   graphml  nodes with level, node and size; edges from parents to children
 *   csv      row,level1,..,levelL: one line for each row that has a leaf
 *
 * Text goes to the file in pieces; the old file is replaced once the new one is complete.
 */
#include "hier/export.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/file.h"

enum { SINK_BYTES = 8192, LINE_BYTES = 256 };

/* ---- buffered text output; the status keeps the first failure ---- */

typedef struct sink {
    hr_file file;
    hirl_status status;
    size_t used;
    char buffer[SINK_BYTES];
} sink;

static void flush(sink *out)
{
    if (out->status >= 0)
        out->status = hr_file_write(&out->file, out->buffer, out->used);
    out->used = 0;
}

static void put_bytes(sink *out, const char *data, size_t bytes)
{
    while (bytes) {
        size_t part = SINK_BYTES - out->used < bytes ? SINK_BYTES - out->used : bytes;

        memcpy(out->buffer + out->used, data, part);
        out->used += part;
        data += part;
        bytes -= part;
        if (out->used == SINK_BYTES)
            flush(out);
    }
}

static void put(sink *out, const char *format, ...) HR_PRINTF(2, 3);
static void put(sink *out, const char *format, ...)
{
    char line[LINE_BYTES];
    va_list args;

    va_start(args, format);
    vsnprintf(line, sizeof line, format, args);
    va_end(args);
    put_bytes(out, line, strlen(line));
}

/* ---- children ---- */

/* the children of each node: item[begin[j]] to item[begin[j + 1] - 1] for node j */
typedef struct group {
    int64_t *begin;
    int32_t *item;
} group;

typedef struct below {
    const hirl_tree *tree;
    const char *const *name;
    group of[HR_LEVELS]; /* of[0]: rows of each leaf; of[l]: nodes of level l - 1 below each node */
} below;

static hirl_status group_by(group *g, const int32_t *key, int64_t n, int64_t groups)
{
    g->begin = hr_alloc_array((size_t)groups + 1, sizeof *g->begin);
    g->item = hr_alloc_array((size_t)n, sizeof *g->item);
    if (!g->begin || !g->item)
        return HIRL_E_NOMEM;
    for (int64_t i = 0; i < n; i++)
        if (key[i] >= 0)
            g->begin[key[i] + 1]++;
    for (int64_t j = 0; j < groups; j++)
        g->begin[j + 1] += g->begin[j];
    for (int64_t i = 0; i < n; i++)
        if (key[i] >= 0)
            g->item[g->begin[key[i]]++] = (int32_t)i;
    memmove(g->begin + 1, g->begin, (size_t)groups * sizeof *g->begin);
    g->begin[0] = 0;
    return HIRL_OK;
}

static hirl_status below_init(below *b, const hirl_tree *tree, const char *const *name)
{
    b->tree = tree;
    b->name = name;
    HR_TRY(group_by(&b->of[0], tree->leaf, tree->n, tree->m[0]));
    for (int32_t l = 1; l < tree->levels; l++)
        HR_TRY(group_by(&b->of[l], tree->parent[l - 1], tree->m[l - 1], tree->m[l]));
    return HIRL_OK;
}

static void below_done(below *b)
{
    for (int32_t l = 0; l < HR_LEVELS; l++) {
        hr_free(b->of[l].begin);
        hr_free(b->of[l].item);
    }
}

/* ---- json ---- */

/* a JSON string; in a name that is not UTF-8 bytes outside ASCII are written as \xNN */
static void put_json_text(sink *out, const char *text)
{
    json_t *string = json_string(text);
    char *quoted = string ? json_dumps(string, JSON_ENCODE_ANY) : NULL;

    if (quoted) {
        put_bytes(out, quoted, strlen(quoted));
    } else {
        put(out, "\"");
        for (const unsigned char *c = (const unsigned char *)text; *c; c++)
            if (*c < 0x20 || *c > 0x7e || *c == '"' || *c == '\\')
                put(out, "\\\\x%02x", *c);
            else
                put(out, "%c", *c);
        put(out, "\"");
    }
    free(quoted);
    json_decref(string);
}

static void put_json_node(sink *out, const below *b, int32_t level, int32_t node)
{
    const group *g = &b->of[level];

    put(out, "{\"level\":%d,\"node\":%d,\"size\":%" PRId64 ",\"%s\":[", level + 1, node,
        b->tree->size[level][node], level ? "children" : "rows");
    for (int64_t i = g->begin[node]; i < g->begin[node + 1]; i++) {
        if (i > g->begin[node])
            put(out, ",");
        if (level)
            put_json_node(out, b, level - 1, g->item[i]);
        else if (b->name)
            put_json_text(out, b->name[g->item[i]]);
        else
            put(out, "%d", g->item[i]);
    }
    put(out, level ? "]}\n" : "]}");
}

static void put_json(sink *out, const below *b)
{
    int32_t top = b->tree->levels - 1;

    put(out, "{\"levels\":%d,\"count\":%" PRId64 ",\"columns\":%" PRId64 ",\"children\":[\n",
        b->tree->levels, b->tree->n, b->tree->d);
    for (int32_t j = 0; j < b->tree->m[top]; j++) {
        if (j)
            put(out, ",");
        put_json_node(out, b, top, j);
    }
    put(out, "]}\n");
}

/* ---- dot, graphml ---- */

static void put_dot(sink *out, const below *b)
{
    const hirl_tree *tree = b->tree;

    put(out, "digraph tree {\n  rankdir=LR;\n  node [shape=box];\n");
    for (int32_t l = tree->levels; l-- > 0;)
        for (int32_t j = 0; j < tree->m[l]; j++) {
            put(out, "  l%d_%d [label=\"%d:%d\\n%" PRId64 "\"];\n", l + 1, j, l + 1, j,
                tree->size[l][j]);
            if (tree->parent[l])
                put(out, "  l%d_%d -> l%d_%d;\n", l + 2, tree->parent[l][j], l + 1, j);
        }
    put(out, "}\n");
}

static void put_graphml(sink *out, const below *b)
{
    static const char *const key[] = { "level", "node", "size" };
    const hirl_tree *tree = b->tree;

    put(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
             "<graphml xmlns=\"http://graphml.graphdrawing.org/xmlns\">\n");
    for (int i = 0; i < 3; i++)
        put(out, "<key id=\"%s\" for=\"node\" attr.name=\"%s\" attr.type=\"long\"/>\n", key[i],
            key[i]);
    put(out, "<graph id=\"tree\" edgedefault=\"directed\">\n");
    for (int32_t l = tree->levels; l-- > 0;)
        for (int32_t j = 0; j < tree->m[l]; j++) {
            put(out,
                "<node id=\"l%d_%d\"><data key=\"level\">%d</data><data key=\"node\">%d</data>",
                l + 1, j, l + 1, j);
            put(out, "<data key=\"size\">%" PRId64 "</data></node>\n", tree->size[l][j]);
            if (tree->parent[l])
                put(out, "<edge source=\"l%d_%d\" target=\"l%d_%d\"/>\n", l + 2, tree->parent[l][j],
                    l + 1, j);
        }
    put(out, "</graph>\n</graphml>\n");
}

/* ---- newick ---- */

static void put_newick_node(sink *out, const below *b, int32_t level, int32_t node)
{
    const group *g = &b->of[level];
    bool inner = level && g->begin[node] < g->begin[node + 1];

    if (inner)
        put(out, "(");
    for (int64_t i = g->begin[node]; inner && i < g->begin[node + 1]; i++) {
        if (i > g->begin[node])
            put(out, ",");
        put_newick_node(out, b, level - 1, g->item[i]);
    }
    put(out, inner ? ")l%d_%d" : "l%d_%d", level + 1, node);
}

static void put_newick(sink *out, const below *b)
{
    int32_t top = b->tree->levels - 1;

    put(out, "(");
    for (int32_t j = 0; j < b->tree->m[top]; j++) {
        if (j)
            put(out, ",");
        put_newick_node(out, b, top, j);
    }
    put(out, ")root;\n");
}

/* ---- csv ---- */

/* RFC 4180: a field with a comma, a quote or a line break is quoted */
static void put_csv_text(sink *out, const char *text)
{
    if (!strpbrk(text, ",\"\r\n")) {
        put_bytes(out, text, strlen(text));
        return;
    }
    put(out, "\"");
    for (; *text; text++) {
        if (*text == '"')
            put(out, "\"");
        put_bytes(out, text, 1);
    }
    put(out, "\"");
}

static void put_csv(sink *out, const below *b)
{
    const hirl_tree *tree = b->tree;

    put(out, "row");
    for (int32_t l = 0; l < tree->levels; l++)
        put(out, ",level%d", l + 1);
    put(out, "\n");
    for (int64_t i = 0; i < tree->n; i++) {
        int32_t node = tree->leaf[i];

        if (node < 0)
            continue;
        if (b->name)
            put_csv_text(out, b->name[i]);
        else
            put(out, "%" PRId64, i);
        for (int32_t l = 0; l < tree->levels; l++) {
            put(out, ",%d", node);
            node = tree->parent[l] ? tree->parent[l][node] : node;
        }
        put(out, "\n");
    }
}

/* ---- the public function ---- */

static const struct {
    const char *name;
    void (*put)(sink *out, const below *b);
} formats[] = {
    { "json", put_json },       { "dot", put_dot }, { "newick", put_newick },
    { "graphml", put_graphml }, { "csv", put_csv },
};

static hirl_status write_tree(const below *b, const char *path, size_t format)
{
    sink out = { .status = HIRL_OK };

    HR_TRY(hr_file_begin(&out.file, path));
    formats[format].put(&out, b);
    flush(&out);
    if (out.status < 0) {
        hr_file_discard(&out.file);
        return out.status;
    }
    return hr_file_commit(&out.file);
}

hirl_status hr_tree_export(const hirl_tree *tree, const char *path, const char *format,
                           const char *const *name)
{
    size_t count = sizeof formats / sizeof *formats, which = 0;
    below b = { 0 };
    hirl_status status;

    while (which < count && strcmp(formats[which].name, format))
        which++;
    if (which == count)
        return hr_fail(HIRL_E_INVALID,
                       "export: format \"%.40s\"; expected json, dot, newick, graphml or csv",
                       format);
    status = below_init(&b, tree, name);
    if (status >= 0)
        status = write_tree(&b, path, which);
    below_done(&b);
    return status;
}
