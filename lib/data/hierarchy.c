/* hierarchy.c - hierarchy.tsv beside the data: the names and parents of classes.
 *
 * The file has one line for each fine class with columns separated by tabs: fine_id fine_name
 * [coarse_id coarse_name [top_id top_name [...]]]. The ids of a level are 0, 1, 2, ... without
 * gaps. Lines that begin with # are comments. All lines have the same number of columns.
 */
#include "data/hierarchy.h"

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/file.h"
#include "data/role.h"

enum { FILE_BYTES = 64 << 20, FIELDS = 2 * HR_LABEL_LEVELS };

typedef struct table {
    char *text;
    char *(*line)[FIELDS]; /* [lines] fields, which lie in text */
    int32_t lines, levels;
} table;

/* Splits a line at its tabs and returns the number of fields; FIELDS + 1: too many. */
static int cut(char *field[FIELDS], char *line)
{
    int fields = 0;

    while (line && fields < FIELDS)
        field[fields++] = strsep(&line, "\t");
    return line ? FIELDS + 1 : fields;
}

static hirl_status read_line(table *t, char *line, int number)
{
    size_t length = strlen(line);
    int fields;

    if (length && line[length - 1] == '\r')
        line[length - 1] = 0;
    if (!*line || *line == '#')
        return HIRL_OK;
    if (t->lines == HR_CLASS_LIMIT)
        return hr_fail(HIRL_E_LIMIT, "line %d: more than %d classes", number, HR_CLASS_LIMIT);
    fields = cut(t->line[t->lines], line);
    if (fields % 2 || fields < 2 || fields > FIELDS || (t->lines && fields != 2 * t->levels))
        return hr_fail(
            HIRL_E_FORMAT,
            "line %d has %d%s columns; expected an id and a name for each of at most %d levels, "
            "separated by tabs, and the same number in every line",
            number, fields, fields > FIELDS ? " or more" : "", HR_LABEL_LEVELS);
    for (int f = 1; f < fields; f += 2)
        if (!*t->line[t->lines][f])
            return hr_fail(HIRL_E_FORMAT, "line %d: the name of level %d is empty", number, f / 2);
    t->levels = fields / 2;
    t->lines++;
    return HIRL_OK;
}

static hirl_status read_table(table *t)
{
    size_t room = 1;
    char *rest = t->text, *line;
    int number = 0;

    for (const char *c = t->text; *c; c++)
        room += *c == '\n';
    if (room > HR_CLASS_LIMIT) /* read_line refuses more */
        room = HR_CLASS_LIMIT;
    t->line = hr_alloc_array(room, sizeof *t->line);
    if (!t->line)
        return HIRL_E_NOMEM;
    while ((line = strsep(&rest, "\n")))
        HR_TRY(read_line(t, line, ++number));
    if (!t->lines)
        return hr_fail(HIRL_E_FORMAT, "the file has no classes");
    return HIRL_OK;
}

/* The id of a level in a line; -1 unless it consists of digits and is below the number of lines. */
static int32_t id_at(const table *t, int32_t line, int32_t level)
{
    const char *digit = t->line[line][2 * level];
    int32_t id = 0;

    if (!*digit)
        return -1;
    for (; *digit; digit++) {
        if (*digit < '0' || *digit > '9')
            return -1;
        id = 10 * id + (*digit - '0');
        if (id >= t->lines)
            return -1;
    }
    return id;
}

static hirl_status count_classes(int32_t *classes, const table *t, int32_t level)
{
    *classes = 0;
    for (int32_t i = 0; i < t->lines; i++) {
        int32_t id = id_at(t, i, level);

        if (id < 0)
            return hr_fail(HIRL_E_FORMAT, "level %d: '%s' is not an id from 0 to %d", (int)level,
                           t->line[i][2 * level], (int)t->lines - 1);
        if (id >= *classes)
            *classes = id + 1;
    }
    return HIRL_OK;
}

static hirl_status name_class(hirl_dataset *dataset, int32_t level, int32_t id, const char *name)
{
    char **place = &dataset->class_name[level][id];

    if (!*place) {
        *place = hr_strdup(name);
        return *place ? HIRL_OK : HIRL_E_NOMEM;
    }
    if (strcmp(*place, name) || !level)
        return hr_fail(HIRL_E_FORMAT, "class %d of level %d is named twice: '%s' and '%s'", (int)id,
                       (int)level, *place, name);
    return HIRL_OK;
}

static hirl_status fill_names(hirl_dataset *dataset, const table *t, int32_t level)
{
    int32_t classes;

    HR_TRY(count_classes(&classes, t, level));
    HR_TRY(hr_dataset_new_classes(dataset, level, classes));
    for (int32_t i = 0; i < t->lines; i++)
        HR_TRY(name_class(dataset, level, id_at(t, i, level), t->line[i][2 * level + 1]));
    for (int32_t id = 0; id < classes; id++)
        if (!dataset->class_name[level][id])
            return hr_fail(HIRL_E_FORMAT,
                           "level %d has no class %d, although it has a class %d; ids must have "
                           "no gaps",
                           (int)level, (int)id, (int)classes - 1);
    return HIRL_OK;
}

static hirl_status fill_parents(hirl_dataset *dataset, const table *t, int32_t level)
{
    int32_t *parent = hr_alloc_array((size_t)dataset->classes[level], sizeof *parent);

    dataset->parent[level] = parent;
    if (!parent)
        return HIRL_E_NOMEM;
    for (int32_t id = 0; id < dataset->classes[level]; id++)
        parent[id] = -1;
    for (int32_t i = 0; i < t->lines; i++) {
        int32_t id = id_at(t, i, level), above = id_at(t, i, level + 1);

        if (parent[id] >= 0 && parent[id] != above)
            return hr_fail(HIRL_E_FORMAT, "class %d of level %d has two parents, %d and %d",
                           (int)id, (int)level, (int)parent[id], (int)above);
        parent[id] = above;
    }
    return HIRL_OK;
}

static hirl_status fill(hirl_dataset *dataset, table *t)
{
    HR_TRY(read_table(t));
    for (int32_t l = 0; l < t->levels; l++)
        HR_TRY(fill_names(dataset, t, l));
    for (int32_t l = 0; l + 1 < t->levels; l++)
        HR_TRY(fill_parents(dataset, t, l));
    dataset->levels = t->levels;
    return HIRL_OK;
}

static hirl_status read_file(hirl_dataset *dataset, const char *path)
{
    table t = { 0 };
    size_t bytes;
    hirl_status status = hr_file_read((void **)&t.text, &bytes, path, FILE_BYTES);

    if (status >= 0 && strlen(t.text) != bytes)
        status = hr_fail(HIRL_E_FORMAT, "the text has a zero byte after %zu bytes", strlen(t.text));
    if (status >= 0)
        status = fill(dataset, &t);
    hr_free(t.line);
    hr_free(t.text);
    return status < 0 ? hr_fail_in(status, path) : status;
}

/* Finds where hierarchy.tsv should be: in the data folder, beside a data file, or above a folder
 * that has the name of a split. */
static hirl_status find_file(char **found, const char *data_path)
{
    const char *slash = strrchr(data_path, '/'), *name = slash ? slash + 1 : data_path;
    bool folder = hr_is_folder(data_path);
    char *parent;

    *found = folder ? hr_path_join(data_path, "hierarchy.tsv") : NULL;
    if (folder && !*found)
        return HIRL_E_NOMEM;
    if (folder && (hr_file_exists(*found) || !hr_role_of_plain_name(name, strlen(name))))
        return HIRL_OK;
    hr_free(*found);
    parent = hr_strdup(slash ? data_path : ".");
    if (!parent)
        return HIRL_E_NOMEM;
    if (slash)
        parent[slash == data_path ? 1 : slash - data_path] = 0;
    *found = hr_path_join(parent, "hierarchy.tsv");
    hr_free(parent);
    return *found ? HIRL_OK : HIRL_E_NOMEM;
}

hirl_status hr_hierarchy_read(hirl_dataset *dataset, const char *data_path)
{
    char *path;
    hirl_status status;

    HR_TRY(find_file(&path, data_path));
    status = hr_file_exists(path) ? read_file(dataset, path) : HIRL_OK;
    hr_free(path);
    return status;
}
