/* tree_export.c - hirl tree export: writes the tree as json, dot, newick, graphml, csv or html. */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "events.h"
#include "keys.h"
#include "messages.h"
#include "session.h"
#include "tree_file.h"
#include "tree_page.h"
#include "verbs.h"

static const cli_key keys[] = {
    CLI_KEY_TREE,
    { "out", "text", "", "", "", "the file to write" },
    { "format", "choice", "auto", "auto json dot newick graphml csv html", "",
      "auto: chosen by the extension of out (.nwk is newick)" },
    { "names", "text", "", "", "",
      "file with one row name per line; default: the names of data=, or else those in the "
      "tree, or else row numbers" },
    { "examples", "int", "4", "1 to 100", "images", "html: thumbnails per node at first" },
    { "thumbnail", "int", "64", "8 to 512", "pixels", "html: longer side of a thumbnail" },
    { 0 },
};

static const char *format_of(cli_session *session, const char *out)
{
    static const char *const end[][2] = { { ".json", "json" },       { ".dot", "dot" },
                                          { ".gv", "dot" },          { ".nwk", "newick" },
                                          { ".newick", "newick" },   { ".tree", "newick" },
                                          { ".graphml", "graphml" }, { ".html", "html" },
                                          { ".csv", "csv" } };
    const char *given = cli_own(session, "format"), *dot = strrchr(out, '.');

    if (strcmp(given, "auto"))
        return given;
    for (size_t i = 0; dot && i < sizeof end / sizeof *end; i++)
        if (!strcmp(dot, end[i][0]))
            return end[i][1];
    return NULL;
}

static const char *opened_by(const char *format)
{
    static const char *const by[][2] = {
        { "html", "open it in a browser" },
        { "csv", "open it in a spreadsheet, or with pandas.read_csv" },
        { "json", "open it with json.load, or view it with jq" },
        { "dot", "draw it with 'dot -Tsvg'" },
        { "graphml", "open it in Gephi or yEd, or with networkx.read_graphml" },
        { "newick",
          "open it in a viewer of phylogenetic trees; ete4 needs parser=1, ete3 format=1" },
    };

    for (size_t i = 0; i < sizeof by / sizeof *by; i++)
        if (!strcmp(format, by[i][0]))
            return by[i][1];
    return "";
}

static void print_written(const char *out, const char *format)
{
    struct stat info = { 0 };
    double bytes = stat(out, &info) ? 0 : (double)info.st_size;

    if (bytes < 1e6)
        printf("%s: %s, %.1f kB; %s\n", out, format, bytes / 1e3, opened_by(format));
    else
        printf("%s: %s, %.1f MB; %s\n", out, format, bytes / 1e6, opened_by(format));
}

static int run(cli_session *session)
{
    const char *out = cli_own(session, "out"), *format = format_of(session, out);
    hirl_tree *tree = NULL;
    hirl_dataset *dataset = NULL;
    cli_names names = { 0 };
    int code = cli_session_begin(session);

    if (!code && !*out)
        code = cli_error(session, CLI_USAGE, "out= is missing: give the file to write");
    if (!code && !format)
        code = cli_error(session, CLI_USAGE,
                         "format= is missing: '%s' does not end with a known extension", out);
    if (!code && strcmp(format, "html"))
        code = cli_refuse_keys(session, "examples thumbnail", "a format other than html");
    if (!code && !strcmp(format, "html")) /* people look at thumbnails: they are always turned */
        code = cli_check(session, hirl_options_set(session->options, "exif", "1"));
    if (!code)
        code = cli_tree_open(&tree, session);
    if (!code)
        code = cli_tree_names(&names, &dataset, session, tree);
    if (!code && !strcmp(format, "html") && !dataset)
        code = cli_error(session, CLI_USAGE, "format=html needs data=, the images to show");
    if (!code && !strcmp(format, "html"))
        code = cli_tree_page(session, tree, dataset, out);
    else if (!code) {
        hirl_status status = hirl_tree_export(tree, out, format, names.count ? names.name : NULL);

        code = cli_check_write(session, status);
    }
    if (!code && !session->json)
        print_written(out, format);
    if (!code)
        cli_emit(session, json_pack("{s:s, s:s, s:o, s:s}", "event", "result", "verb",
                                    "tree export", "out", cli_text(out), "format", format));
    cli_names_free(&names);
    hirl_dataset_destroy(dataset);
    hirl_tree_destroy(tree);
    return code;
}

const cli_verb cli_tree_export = {
    .name = "tree export",
    .help = "write the tree as json, dot, newick, graphml, csv or an HTML page of thumbnails",
    .example = "clusters out=tree.json",
    .positional = "tree",
    .objects = "data",
    .keys = keys,
    .run = run,
};
