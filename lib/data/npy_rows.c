/* npy_rows.c - features in a NumPy file as a source of rows.
 *
 * The file is read, not mapped: one that is cut off during the work gives an error, where a mapping
 * would end the process.
 */
#include "data/npy_rows.h"

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"

static hirl_status read_rows(hr_row_source *self, float *out, int64_t first, int64_t rows)
{
    const hr_npy_rows *file = (const hr_npy_rows *)self;

    return hr_npy_read_rows(out, &file->npy, first, rows, file->path);
}

hirl_status hr_npy_rows_open(hr_npy_rows *file, const char *path)
{
    size_t room = strlen(path) + sizeof ": row";

    *file = (hr_npy_rows){ .npy = { .fd = -1 } };
    HR_TRY(hr_npy_open_features(&file->npy, path, NULL));
    file->path = hr_strdup(path);
    file->name = hr_alloc(room);
    if (!file->path || !file->name) {
        hr_npy_rows_close(file);
        return HIRL_E_NOMEM;
    }
    snprintf(file->name, room, "%s: row", path);
    file->rows = (hr_row_source){
        .n = file->npy.dim[0], .d = file->npy.dim[1], .name = file->name, .read = read_rows
    };
    return HIRL_OK;
}

void hr_npy_rows_close(hr_npy_rows *file)
{
    hr_npy_close(&file->npy);
    hr_free(file->path);
    hr_free(file->name);
    file->path = file->name = NULL;
}
