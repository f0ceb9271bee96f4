/* tree_file.c - .hpt files: a safetensors file with the tensors of a tree, the images that its rows
 * stand for, its format and version. */
#include "hier/tree_file.h"

#include <string.h>

#include "base/error.h"
#include "foreign.h"
#include "hier/origin.h"

#define FILE_FORMAT "hirl-tree"
enum { FILE_VERSION = 1 };

hirl_status hr_tree_save(const hirl_tree *tree, const hr_to *to)
{
    hr_tensors list;
    hirl_status status;

    hr_tensors_init(&list);
    status = hr_tree_to_tensors(&list, tree, "");
    if (status >= 0)
        status = hr_origin_save(&list, tree->origin);
    if (status >= 0)
        status = hr_tensors_set_text(&list, "format", FILE_FORMAT);
    if (status >= 0)
        status = hr_tensors_set_int(&list, "version", FILE_VERSION);
    if (status >= 0)
        status = hr_tensors_put(&list, to);
    hr_tensors_done(&list);
    return status;
}

static hirl_status read_file(hirl_tree **tree, hirl_context *context, const hr_tensors *list)
{
    const char *format = hr_tensors_text(list, "format");
    int64_t version;

    if (!format || strcmp(format, FILE_FORMAT))
        return hr_fail(HIRL_E_FORMAT, "not a tree: its format is \"%.40s\", not " FILE_FORMAT,
                       format ? format : "");
    HR_TRY(hr_tensors_int(&version, list, "version"));
    if (version > FILE_VERSION)
        return hr_fail(HIRL_E_VERSION,
                       "a tree file of version %lld; this library reads versions up to %d",
                       (long long)version, FILE_VERSION);
    HR_TRY(hr_tree_from_tensors(tree, context, list, ""));
    return hr_origin_load(&(*tree)->origin, list, (*tree)->n);
}

hirl_status hr_tree_load(hirl_tree **tree, hirl_context *context, const hr_from *from)
{
    const char *name = hr_from_name(from);
    hr_tensors list;
    hirl_status status;

    *tree = NULL;
    hr_tensors_init(&list);
    status = hr_tensors_take(&list, from);
    if (status >= 0) {
        status = read_file(tree, context, &list);
        if (status < 0) {
            hr_tree_drop(*tree);
            *tree = NULL;
            status = hr_fail_in(status, name);
        } else {
            hr_log_foreign(context, &list, name);
        }
    }
    hr_tensors_done(&list);
    return status;
}
