/* names.c - names of rows, from a text file with one name per line, a data set or a tree. */
#include "names.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "messages.h"

static char *read_text(const char *path, size_t *bytes)
{
    FILE *stream = fopen(path, "rb");
    char *text = NULL;
    size_t room = 0, got;

    *bytes = 0;
    if (!stream)
        return NULL;
    do {
        char *grown = realloc(text, room += room / 2 + 65536);

        if (!grown) {
            free(text);
            fclose(stream);
            errno = ENOMEM;
            return NULL;
        }
        text = grown;
        got = fread(text + *bytes, 1, room - *bytes - 1, stream);
        *bytes += got;
    } while (got);
    if (!feof(stream)) {
        free(text);
        text = NULL;
    }
    fclose(stream);
    if (text)
        text[*bytes] = 0;
    return text;
}

static int64_t count_lines(const char *text, size_t bytes)
{
    int64_t lines = 0;

    for (size_t i = 0; i < bytes; i++)
        lines += text[i] == '\n';
    return lines + (bytes && text[bytes - 1] != '\n');
}

int cli_names_read(cli_names *names, cli_session *session, const char *path)
{
    size_t bytes;
    char *at;

    *names = (cli_names){ .text = read_text(path, &bytes) };
    if (!names->text)
        return cli_error(session, errno == ENOMEM ? CLI_MEMORY : CLI_DATA,
                         "cannot read names from '%s': %s", path, strerror(errno));
    names->count = count_lines(names->text, bytes);
    names->name = calloc((size_t)names->count + 1, sizeof *names->name);
    if (!names->name) {
        cli_names_free(names);
        return cli_error(session, CLI_MEMORY, "out of memory: cannot store %lld names",
                         (long long)names->count);
    }
    at = names->text;
    for (int64_t i = 0; i < names->count; i++) {
        char *end = memchr(at, '\n', bytes - (size_t)(at - names->text));

        names->name[i] = at;
        if (!end)
            break;
        *end = 0;
        at = end + 1;
    }
    return CLI_OK;
}

int cli_names_of(cli_names *names, cli_session *session, const hirl_dataset *dataset)
{
    *names = (cli_names){ .count = hirl_dataset_count(dataset) };
    names->name = calloc((size_t)names->count + 1, sizeof *names->name);
    if (!names->name)
        return cli_error(session, CLI_MEMORY, "out of memory: cannot store %lld names",
                         (long long)names->count);
    for (int64_t i = 0; i < names->count; i++)
        names->name[i] = hirl_dataset_name(dataset, i);
    return CLI_OK;
}

int cli_names_in(cli_names *names, cli_session *session, const hirl_tree *tree)
{
    *names = (cli_names){ .count = hirl_tree_rows(tree) };
    names->name = calloc((size_t)names->count + 1, sizeof *names->name);
    if (!names->name)
        return cli_error(session, CLI_MEMORY, "out of memory: cannot store %lld names",
                         (long long)names->count);
    for (int64_t i = 0; i < names->count; i++)
        names->name[i] = hirl_tree_name(tree, i);
    return CLI_OK;
}

void cli_names_free(cli_names *names)
{
    free(names->name);
    free(names->text);
    *names = (cli_names){ 0 };
}
