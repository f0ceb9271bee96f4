/* tree_page.c - the tree as one self-contained HTML file: collapsible nodes with thumbnails.
 *
 * A thumbnail is a PNG in a data URI, box-filtered to at most `thumbnail` pixels per side.
 */
#include "tree_page.h"

#include <png.h>
#include <stdio.h>
#include <stdlib.h>

#include "files.h"
#include "keys.h"
#include "nodes.h"
#include "session.h"
#include "text.h"

typedef struct page {
    cli_session *session;
    const hirl_tree *tree;
    const hirl_dataset *dataset;
    cli_nodes nodes;
    FILE *stream;
    int64_t examples, side;
    int64_t shown, expected; /* thumbnails done, and their expected number */
    bool short_of_memory;    /* the page is incomplete */
} page;

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

/* Box filter: each pixel of to [h,w,3] is the mean of the pixels of from [height,width,3] that it
 * covers. */
static void shrink(uint8_t *to, int64_t h, int64_t w, const uint8_t *from, int64_t height,
                   int64_t width)
{
    for (int64_t y = 0; y < h; y++)
        for (int64_t x = 0; x < w; x++) {
            int64_t top = y * height / h, bottom = (y + 1) * height / h;
            int64_t left = x * width / w, right = (x + 1) * width / w;
            int64_t sum[3] = { 0 }, count = (bottom - top) * (right - left);

            for (int64_t i = top; i < bottom; i++)
                for (int64_t j = left; j < right; j++)
                    for (int c = 0; c < 3; c++)
                        sum[c] += from[(i * width + j) * 3 + c];
            for (int c = 0; c < 3; c++)
                to[(y * w + x) * 3 + c] = (uint8_t)((sum[c] + count / 2) / count);
        }
}

/* Writes the image as base64 of a PNG; false: out of memory. */
static bool put_png(FILE *stream, const uint8_t *pixels, int64_t height, int64_t width)
{
    png_image image = { .version = PNG_IMAGE_VERSION,
                        .width = (png_uint_32)width,
                        .height = (png_uint_32)height,
                        .format = PNG_FORMAT_RGB };
    png_alloc_size_t bytes = 0;
    uint8_t *file = NULL;
    bool made = png_image_write_to_memory(&image, NULL, &bytes, 0, pixels, 0, NULL);

    if (made)
        file = malloc(bytes);
    made = file && png_image_write_to_memory(&image, file, &bytes, 0, pixels, 0, NULL);
    if (made)
        put_base64(stream, file, bytes);
    free(file);
    return made;
}

/* Writes nothing for an unreadable image. */
static void put_thumbnail(page *p, int64_t row)
{
    int64_t height, width, h, w, longer;
    uint8_t *pixels = NULL, *small;
    hirl_status status = hirl_dataset_read(&pixels, &height, &width, p->dataset, row);

    cli_progress_phase(&p->session->progress, "thumbnails", ++p->shown, p->expected);
    p->short_of_memory |= status == HIRL_E_NOMEM;
    if (status < 0)
        return;
    longer = height > width ? height : width;
    h = longer > p->side ? (height * p->side + longer - 1) / longer : height;
    w = longer > p->side ? (width * p->side + longer - 1) / longer : width;
    small = malloc((size_t)(3 * h * w));
    p->short_of_memory |= !small;
    if (small) {
        shrink(small, h, w, pixels, height, width);
        fputs("<img src=\"data:image/png;base64,", p->stream);
        p->short_of_memory |= !put_png(p->stream, small, h, w);
        fputs("\" title=\"", p->stream);
        put_escaped(p->stream, hirl_dataset_name(p->dataset, row));
        fputs("\">", p->stream);
    }
    free(small);
    hirl_free(pixels);
}

static void put_examples(page *p, int32_t level, const cli_child *node)
{
    int64_t row[CLI_EXAMPLES];
    int64_t n = cli_spread_rows(row, &p->nodes, level, node, p->examples);

    for (int64_t i = 0; i < n; i++)
        put_thumbnail(p, row[i]);
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
    fputs(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>tree</title><style>\n"
        "body{font:14px sans-serif;margin:1em}details,div{margin:.4em 0 .4em 1.4em}"
        "img{margin:1px;image-rendering:pixelated;vertical-align:middle}"
        "summary{cursor:pointer}i{color:#666}\n</style></head><body>\n<p>",
        p->stream);
    fprintf(p->stream, "%lld images; nodes per level, from the top:", (long long)p->nodes.rows);
    for (int32_t l = hirl_tree_levels(p->tree); l >= 1; l--)
        fprintf(p->stream, " %lld", (long long)hirl_tree_count(p->tree, l));
    fputs(". Each node shows its size and its most frequent class.</p>\n", p->stream);
    put_nodes(p, hirl_tree_levels(p->tree), -1);
    fputs("</body></html>\n", p->stream);
}

int cli_tree_page(cli_session *session, const hirl_tree *tree, const hirl_dataset *dataset,
                  const char *out)
{
    page p = { .session = session, .tree = tree, .dataset = dataset };
    cli_file file;
    int code = cli_nodes_place(&p.nodes, session, tree, dataset);

    p.examples = cli_own_int(session, "examples");
    p.side = cli_own_int(session, "thumbnail");
    for (int32_t l = 1; l <= hirl_tree_levels(tree); l++)
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
