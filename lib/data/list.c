/* list.c - a text file that lists images, one per line: path, or path and label.
 *
 * A tab or a comma separates path and label; a path with a comma stands in quotation marks, with ""
 * for one of them. Paths are absolute, or relative to the folder of the list. Empty lines, and
 * lines that begin with #, are skipped; so is a first line of column names, such as "path,label".
 * Labels are class names, or numbers from 0 on.
 */
#include <string.h>
#include <strings.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/file.h"
#include "data/classes.h"
#include "data/files.h"
#include "data/formats.h"
#include "data/hierarchy.h"
#include "data/split.h"

enum { LIST_BYTES = 1 << 30, FIRST = 64 };

typedef struct list {
    char *text;   /* the file; lines and fields end in a 0 byte once they are read */
    char *folder; /* the folder of the list */
    hr_files *files;
    hr_class_names names; /* labels of lines */
    int32_t *label;       /* [images] index in `names`; -1: none */
    int64_t room;
} list;

static bool has_ending(const char *path)
{
    static const char *const ending[] = { ".txt", ".csv", ".tsv", ".lst" };
    const char *dot = strrchr(path, '.');

    for (size_t i = 0; dot && i < sizeof ending / sizeof *ending; i++)
        if (!strcasecmp(dot, ending[i]))
            return true;
    return false;
}

static hirl_status matches(bool *yes, const char *path)
{
    *yes = has_ending(path) && hr_file_exists(path) && !hr_is_folder(path);
    return HIRL_OK;
}

/* Ends the field at `at` with a 0 byte. Returns what follows the separator, or NULL at the end of
 * the line. *field becomes its content without quotation marks; NULL: they are not closed. */
static char *read_field(char **field, char *at)
{
    char *to = at, *from = at;
    bool quoted = *at == '"';

    *field = at;
    from += quoted;
    while (*from) {
        if (quoted && *from == '"' && from[1] == '"')
            from++;
        else if (quoted && *from == '"') {
            quoted = false;
            from++;
            continue;
        } else if (!quoted && (*from == '\t' || *from == ','))
            break;
        *to++ = *from++;
    }
    if (quoted)
        *field = NULL;
    at = *from ? from + 1 : NULL;
    *to = 0;
    return at;
}

static char *trim(char *text)
{
    size_t n;

    text += strspn(text, " ");
    n = strlen(text);
    while (n && text[n - 1] == ' ')
        text[--n] = 0;
    return text;
}

/* Column names stand where no file has such a name. */
static bool is_header(const list *l, const char *first)
{
    static const char *const word[] = { "path",      "file",  "filename",   "file_name", "filepath",
                                        "filepaths", "image", "image_path", "name",      "img" };
    bool known = false;
    char *full;

    for (size_t i = 0; i < sizeof word / sizeof *word; i++)
        known |= !strcasecmp(first, word[i]);
    full = known ? hr_path_join(l->folder, first) : NULL;
    known = full && !hr_file_exists(full);
    hr_free(full);
    return known;
}

static hirl_status add_line(list *l, const char *path, const char *label)
{
    int32_t *grown = hr_grow_array(l->label, &l->room, l->files->images, sizeof *grown);
    const char *last = l->names.count ? l->names.name[l->names.count - 1] : "";

    if (!grown)
        return HIRL_E_NOMEM;
    l->label = grown;
    l->label[l->files->images] = -1;
    if (*label && strcmp(last, label) != 0)
        HR_TRY(hr_class_names_add(&l->names, label, strlen(label)));
    if (*label)
        l->label[l->files->images] = (int32_t)l->names.count - 1;
    return hr_files_add(l->files, path);
}

static hirl_status read_line(list *l, char *line, int64_t number)
{
    char *path, *label = "", *rest = read_field(&path, line);

    if (path && rest)
        rest = read_field(&label, rest);
    if (!path || !label || rest)
        return hr_fail(HIRL_E_FORMAT, "line %lld: expected a path, or a path and a label; %s",
                       (long long)number,
                       rest ? "a path with a comma needs quotation marks"
                            : "quotation marks are not closed");
    path = trim(path);
    if (!*path)
        return hr_fail(HIRL_E_FORMAT, "line %lld has no path", (long long)number);
    if (number == 1 && is_header(l, path))
        return HIRL_OK;
    return add_line(l, path, trim(label));
}

static hirl_status read_lines(list *l, size_t bytes)
{
    char *line = l->text;

    if (memchr(l->text, 0, bytes))
        return hr_fail(HIRL_E_FORMAT, "not a list of images: it has a 0 byte");
    if (bytes >= 3 && !memcmp(line, "\xef\xbb\xbf", 3))
        line += 3;
    for (int64_t number = 1; line; number++) {
        char *end = strchr(line, '\n'), *next = end ? end + 1 : NULL;

        if (end)
            *end = 0;
        else
            end = line + strlen(line);
        if (end > line && end[-1] == '\r')
            end[-1] = 0;
        if (*line && *line != '#' && line[strspn(line, " \t")])
            HR_TRY(read_line(l, line, number));
        line = next;
    }
    return HIRL_OK;
}

/* Any text file could be a list: some of the first files that it names must exist. */
static hirl_status check_files(const list *l)
{
    const hr_files *files = l->files;
    bool found = false;

    for (int64_t i = 0; i < files->images && i < FIRST && !found; i++) {
        char *path = hr_files_path(files, i);

        if (!path)
            return HIRL_E_NOMEM;
        found = hr_file_exists(path);
        hr_free(path);
    }
    return found ? HIRL_OK
                 : hr_fail(HIRL_E_FORMAT,
                           "no list of images: the files that it names do not exist; the first is "
                           "'%.200s'",
                           files->text.data + files->image[0].name);
}

static hirl_status label_images(hirl_dataset *dataset, list *l)
{
    HR_TRY(hr_hierarchy_read(dataset, l->folder));
    if (!dataset->levels && !hr_class_names_differ(&l->names))
        return HIRL_OK;
    dataset->label = l->label;
    l->label = NULL;
    return hr_classes_assign(dataset, dataset->label, l->files->images, &l->names, true);
}

static hirl_status open_list(hirl_dataset *dataset, list *l, const char *path,
                             const hr_data_config *config)
{
    const char *slash = strrchr(path, '/');
    size_t bytes;

    l->folder = hr_strdup(path);
    if (!l->folder)
        return HIRL_E_NOMEM;
    l->folder[slash ? slash - path + (slash == path) : 0] = 0;
    HR_TRY(hr_files_new(&l->files, dataset, l->folder, config));
    HR_TRY(hr_dataset_choose(dataset, config->split));
    HR_TRY(hr_file_read((void **)&l->text, &bytes, path, LIST_BYTES));
    HR_TRY(read_lines(l, bytes));
    if (!l->files->images)
        return hr_fail(HIRL_E_FORMAT, "the list names no image");
    HR_TRY(check_files(l));
    HR_TRY(label_images(dataset, l));
    hr_files_finish(dataset, l->files);
    return HIRL_OK;
}

static hirl_status open_set(hirl_dataset *dataset, const char *path, const hr_data_config *config)
{
    list l = { 0 };
    hirl_status status = open_list(dataset, &l, path, config);

    hr_class_names_done(&l.names);
    hr_free(l.label);
    hr_free(l.folder);
    hr_free(l.text);
    return status;
}

const hr_format hr_format_list = { "list", matches, open_set };
