/* tree_page.c - the tree as one self-contained HTML file: collapsible nodes with thumbnails.
 *
 * A thumbnail is a JPEG in a data URI, and a link to the file of the photo. Every photo is on the
 * page once below its leaf: as a thumbnail in sets of up to WHOLE images, by name in larger ones.
 * The page needs no network.
 */
#include "tree_page.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "files.h"
#include "keys.h"
#include "nodes.h"
#include "session.h"
#include "text.h"
#include "thumbnail.h"

#define PLAIN "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~/"

enum { WHOLE = 12000 }; /* images of a set that are all shown as thumbnails */

typedef struct page {
    cli_session *session;
    const hirl_tree *tree;
    const hirl_dataset *dataset;
    cli_nodes nodes;
    FILE *stream;
    int64_t examples, side;
    char folder[CLI_PATH]; /* the absolute path of data=; "": the images are no files in a folder */
    int64_t shown, expected; /* thumbnails done, and their expected number */
    bool short_of_memory;    /* the page is incomplete */
} page;

static const char head[] =
    "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
    "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">"
    "<meta name=\"color-scheme\" content=\"light dark\"><title>tree of images</title>\n";

static const char style[] =
    "<style>\n:root{color-scheme:light dark;--soft:#5c5c5c;--line:#ddd}\n"
    "@media(prefers-color-scheme:dark){:root{--soft:#aaa;--line:#444}"
    "body{background:#161616;color:#eee}a{color:#9cf}}\n"
    "body{font:15px/1.5 sans-serif;margin:1em auto;padding:0 .8em;max-width:70em}"
    "details,div{margin:.4em 0;padding-left:.7em;border-left:1px solid var(--line)}"
    "summary{cursor:pointer;padding:.3em 0}i{color:var(--soft)}"
    ".p{display:inline-block;margin:2px;overflow-wrap:anywhere;max-width:100%}"
    "img{display:block;border-radius:3px}.no{display:none}"
    "input{font:inherit;padding:.4em;width:min(24em,100%);box-sizing:border-box;margin-right:.6em}\n"
    "</style></head><body>\n<p>";

/* A node without a match is hidden, a node with one is opened. Clearing the field restores what
 * was open. */
static const char script[] =
    "<script>\nconst q=document.getElementById('q'),n=document.getElementById('n'),"
    "all=[...document.querySelectorAll('.p')],"
    "nodes=[...document.querySelectorAll('details,div')],open=new Map();\n"
    "q.oninput=()=>{const t=q.value.toLowerCase(),hit=new Set(),names=new Set();"
    "if(t&&!open.size)for(const d of nodes)open.set(d,d.open);"
    "for(const a of all){const y=a.title.toLowerCase().includes(t);a.classList.toggle('no',!y);"
    "if(y){names.add(a.title);"
    "for(let d=a.parentElement;d&&!hit.has(d);d=d.parentElement)hit.add(d)}}\n"
    "for(const d of nodes){d.classList.toggle('no',!hit.has(d));"
    "if(d.tagName=='DETAILS')d.open=t?hit.has(d):open.has(d)?open.get(d):d.open}"
    "n.textContent=t?names.size+' found':'';if(!t)open.clear()};\n"
    "</script></body></html>\n";

static void put_base64(FILE *stream, const uint8_t *data, size_t bytes)
{
    static const char digit[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

    for (size_t i = 0; i < bytes; i += 3) {
        size_t left = bytes - i;
        uint32_t three = (uint32_t)data[i] << 16;

        three |= left > 1 ? (uint32_t)data[i + 1] << 8 : 0;
        three |= left > 2 ? data[i + 2] : 0;
        fputc(digit[three >> 18], stream);
        fputc(digit[three >> 12 & 63], stream);
        fputc(left > 1 ? digit[three >> 6 & 63] : '=', stream);
        fputc(left > 2 ? digit[three & 63] : '=', stream);
    }
}

static void put_escaped(FILE *stream, const char *text)
{
    for (; *text; text++)
        switch (*text) {
        case '&':
            fputs("&amp;", stream);
            break;
        case '<':
            fputs("&lt;", stream);
            break;
        case '"':
            fputs("&quot;", stream);
            break;
        default:
            fputc(*text, stream);
        }
}

/* A path as part of a URL: every byte but letters, digits and -._~/ becomes %XX. */
static void put_url(FILE *stream, const char *path)
{
    for (; *path; path++)
        if (strchr(PLAIN, *path))
            fputc(*path, stream);
        else
            fprintf(stream, "%%%02X", (unsigned)(unsigned char)*path);
}

/* Begins a link to the file of a row; rows without a file of their own get a span. */
static bool begin_photo(page *p, int64_t row)
{
    const char *name = hirl_dataset_name(p->dataset, row);
    char path[2 * CLI_PATH];
    bool file = *p->folder &&
                snprintf(path, sizeof path, "%s/%s", p->folder, name) < (int)sizeof path &&
                access(path, F_OK) == 0;

    fputs(file ? "<a class=\"p\" href=\"file://" : "<span class=\"p\"", p->stream);
    if (file) {
        put_url(p->stream, path);
        fputc('"', p->stream);
    }
    fputs(" title=\"", p->stream);
    put_escaped(p->stream, name);
    fputs("\">", p->stream);
    return file;
}

/* Writes the name in place of an unreadable image. */
static void put_image(page *p, int64_t row)
{
    int64_t height, width, h, w;
    uint8_t *pixels = NULL, *jpeg;
    size_t bytes;
    hirl_status status = hirl_dataset_read(&pixels, &height, &width, p->dataset, row);

    p->short_of_memory |= status == HIRL_E_NOMEM;
    if (status < 0) {
        put_escaped(p->stream, hirl_dataset_name(p->dataset, row));
        return;
    }
    jpeg = cli_thumbnail(&bytes, &w, &h, pixels, height, width, p->side);
    hirl_free(pixels);
    p->short_of_memory |= !jpeg;
    if (!jpeg)
        return;
    fprintf(p->stream, "<img width=\"%d\" height=\"%d\" alt=\"", (int)w, (int)h);
    put_escaped(p->stream, hirl_dataset_name(p->dataset, row));
    fputs("\" src=\"data:image/jpeg;base64,", p->stream);
    put_base64(p->stream, jpeg, bytes);
    fputs("\">", p->stream);
    free(jpeg);
}

static void put_photo(page *p, int64_t row, bool thumbnail)
{
    bool file = begin_photo(p, row);

    if (thumbnail) {
        cli_progress_phase(&p->session->progress, "thumbnails", ++p->shown, p->expected);
        put_image(p, row);
    } else {
        put_escaped(p->stream, hirl_dataset_name(p->dataset, row));
    }
    fputs(file ? "</a>\n" : "</span>\n", p->stream);
}

/* All other photos of a leaf; in large sets they are names, so that the page stays small. */
static void put_others(page *p, const cli_child *node, const int64_t *row, int64_t n)
{
    int64_t next = 0;
    char number[32];

    if (node->size <= n)
        return;
    fprintf(p->stream, "<details><summary>%s more</summary>\n",
            cli_grouped(number, sizeof number, (double)(node->size - n)));
    for (int64_t r = 0; r < p->nodes.rows && !cli_session_interrupted(); r++)
        if (p->nodes.node[0][r] == node->id) {
            if (next < n && row[next] == r)
                next++;
            else
                put_photo(p, r, p->nodes.rows <= WHOLE);
        }
    fputs("</details>\n", p->stream);
}

static void put_examples(page *p, int32_t level, const cli_child *node)
{
    int64_t row[CLI_EXAMPLES];
    int64_t n = cli_spread_rows(row, &p->nodes, level, node, p->examples);

    for (int64_t i = 0; i < n; i++)
        put_photo(p, row[i], true);
    if (level == 1)
        put_others(p, node, row, n);
}

static void put_nodes(page *p, int32_t level, int32_t parent)
{
    int64_t count;
    cli_child *list = cli_children(p->tree, level, parent, &count);
    char text[96], number[32];

    p->short_of_memory |= !list;
    for (int64_t i = 0; list && i < count && list[i].size && !cli_session_interrupted(); i++) {
        bool leaf = level == 1;

        fprintf(p->stream, leaf ? "<div>" : "<details%s><summary>",
                level == hirl_tree_levels(p->tree) && i == 0 ? " open" : "");
        fprintf(p->stream, "<b>%d.%d</b> %s", (int)level, (int)list[i].id,
                cli_grouped(number, sizeof number, (double)list[i].size));
        if (cli_majority(text, sizeof text, &p->nodes, p->dataset, level, list[i].id)) {
            fputs(" <i>", p->stream);
            put_escaped(p->stream, text);
            fputs("</i>", p->stream);
        }
        fputs("<br>", p->stream);
        put_examples(p, level, &list[i]);
        fputs(leaf ? "</div>\n" : "</summary>\n", p->stream);
        if (!leaf) {
            put_nodes(p, level - 1, list[i].id);
            fputs("</details>\n", p->stream);
        }
    }
    free(list);
}

static void put_page(page *p)
{
    fputs(head, p->stream);
    fputs(style, p->stream);
    fprintf(p->stream, "%lld images; nodes per level, from the top:", (long long)p->nodes.rows);
    for (int32_t l = hirl_tree_levels(p->tree); l >= 1; l--)
        fprintf(p->stream, " %lld", (long long)hirl_tree_count(p->tree, l));
    fputs(". A node shows its size and, with labels, its most frequent class. "
          "A photo opens its file.</p>\n"
          "<input id=\"q\" type=\"search\" placeholder=\"part of a file name\" "
          "aria-label=\"search by file name\"><span id=\"n\"></span>\n",
          p->stream);
    put_nodes(p, hirl_tree_levels(p->tree), -1);
    fputs(script, p->stream);
}

static void find_folder(page *p)
{
    char *path = realpath(hirl_options_get(p->session->options, "data"), NULL);

    if (path && strlen(path) < sizeof p->folder)
        strcpy(p->folder, path);
    free(path);
}

int cli_tree_page(cli_session *session, const hirl_tree *tree, const hirl_dataset *dataset,
                  const char *out)
{
    page p = { .session = session, .tree = tree, .dataset = dataset };
    cli_file file;
    int code = cli_nodes_place(&p.nodes, session, tree, dataset);

    p.examples = cli_own_int(session, "examples");
    p.side = cli_own_int(session, "thumbnail");
    find_folder(&p);
    if (p.nodes.rows <= WHOLE)
        p.expected = p.nodes.rows;
    for (int32_t l = p.expected ? 2 : 1; l <= hirl_tree_levels(tree); l++)
        p.expected += hirl_tree_count(tree, l) * p.examples;
    if (!code)
        code = cli_file_begin(&file, session, "", out);
    if (!code) {
        p.stream = file.stream;
        put_page(&p);
        cli_progress_clear(&session->progress);
        if (cli_session_interrupted())
            code = cli_file_drop(&file, session, CLI_FAILED, "stopped on request");
        else if (p.short_of_memory)
            code = cli_file_drop(&file, session, CLI_MEMORY, "out of memory");
        else
            code = cli_file_end(&file, session);
    }
    cli_nodes_free(&p.nodes);
    return code;
}
