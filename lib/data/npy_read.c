/* npy_read.c - features and labels in NumPy files.
 *
 * Rows in C order are read in pieces; in Fortran order a block of rows is read column by column.
 */
#include "data/npy_read.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "data/npy_values.h"
#include "data/npz.h"

#define AT(field) offsetof(hr_feature_config, field)

static const hr_key key[] = {
    { "features_array", HR_KEY_TEXT, "", 0, 0, NULL, false, "",
      "name of the array of a .npz archive that holds the features; empty: the only one",
      AT(features_array) },
    { "features_bf16", HR_KEY_FLAG, "0", 0, 1, NULL, false, "",
      "1: the features are bfloat16, saved as uint16", AT(features_bf16) },
};

const hr_keys hr_feature_keys = { "features", key, sizeof key / sizeof *key };

/* Opens a file and, when its header is at fault, puts the path before the message. Other messages
 * name the path already. */
static hirl_status open_named(hr_npy *npy, const char *path)
{
    hirl_status status = hr_npy_open(npy, path);

    return status == HIRL_E_FORMAT || status == HIRL_E_UNSUPPORTED || status == HIRL_E_LIMIT
               ? hr_fail_in(status, path)
               : status;
}

/* ---- features ---- */

enum { PIECE = 1 << 20, BLOCK_ROWS = 1024 };

static hirl_status beyond_range(const char *path, int64_t row, int64_t column, double value)
{
    return hr_fail(
        HIRL_E_FORMAT,
        "%s: row %lld, column %lld (from 0) is %g, beyond the range of f32 (3.4e38); scale "
        "the features",
        path, (long long)row, (long long)column, value);
}

/* rows of an array in C order */
static hirl_status read_c_order(float *to, uint8_t *piece, const hr_npy *npy, int64_t first,
                                int64_t rows, const char *path)
{
    int64_t d = npy->dim[1], items = rows * d, step = PIECE / npy->size;

    for (int64_t i = 0; i < items; i += step) {
        int64_t n = items - i < step ? items - i : step, item = first * d + i, done;
        double value;

        HR_TRY(hr_npy_read_at(npy, piece, (size_t)(n * npy->size),
                              npy->data_at + (uint64_t)(item * npy->size), path));
        done = hr_npy_to_floats(to + i, &value, piece, n, npy);
        if (done < n)
            return beyond_range(path, (item + done) / d, (item + done) % d, value);
    }
    return HIRL_OK;
}

/* rows of an array in Fortran order, a block of rows at a time, column by column */
static hirl_status read_fortran(float *to, uint8_t *piece, const hr_npy *npy, int64_t first,
                                int64_t rows, const char *path)
{
    int64_t n = npy->dim[0], d = npy->dim[1];
    float column[BLOCK_ROWS];

    for (int64_t r = 0; r < rows; r += BLOCK_ROWS)
        for (int64_t j = 0; j < d; j++) {
            int64_t count = rows - r < BLOCK_ROWS ? rows - r : BLOCK_ROWS, item = j * n + first + r,
                    done;
            double value;

            HR_TRY(hr_npy_read_at(npy, piece, (size_t)(count * npy->size),
                                  npy->data_at + (uint64_t)(item * npy->size), path));
            done = hr_npy_to_floats(column, &value, piece, count, npy);
            if (done < count)
                return beyond_range(path, first + r + done, j, value);
            for (int64_t k = 0; k < count; k++)
                to[(r + k) * d + j] = column[k];
        }
    return HIRL_OK;
}

hirl_status hr_npy_read_rows(float *to, const hr_npy *npy, int64_t first, int64_t rows,
                             const char *path)
{
    uint8_t *piece = hr_alloc(PIECE);
    hirl_status status;

    if (!piece)
        return HIRL_E_NOMEM;
    status = npy->fortran ? read_fortran(to, piece, npy, first, rows, path)
                          : read_c_order(to, piece, npy, first, rows, path);
    hr_free(piece);
    return status;
}

/* Whether the numbers are features. bf16: numbers of 2 bytes are bfloat16. */
static hirl_status check_features(hr_npy *npy, bool bf16, const char *path)
{
    bool pair = npy->size == 2 && (npy->kind == 'u' || npy->kind == 'V');

    if (npy->rank != 2)
        return hr_fail(HIRL_E_FORMAT, "%s: an array of %d dimensions; expected features [n, d]",
                       path, (int)npy->rank);
    if (npy->items < 1)
        return hr_fail(HIRL_E_FORMAT,
                       "%s: %lld rows of %lld columns; features need at least 1 of each", path,
                       (long long)npy->dim[0], (long long)npy->dim[1]);
    if (bf16 && !pair)
        return hr_fail(HIRL_E_FORMAT, "%s: type %c%d; with features_bf16=1 u2 is expected", path,
                       npy->kind, (int)npy->size);
    if (!bf16 && npy->kind == 'V')
        return hr_fail(HIRL_E_FORMAT,
                       "%s: type V2; if the numbers are bfloat16, give features_bf16=1", path);
    npy->bf16 = bf16;
    return HIRL_OK;
}

hirl_status hr_npy_open_features(hr_npy *npy, const char *path, const hr_feature_config *config)
{
    hirl_status status;
    bool archive;

    HR_TRY(hr_is_npz(&archive, path));
    if (!archive && config && *config->features_array)
        return hr_fail(HIRL_E_INVALID, "features_array: %s is one array, no .npz archive", path);
    if (archive)
        HR_TRY(hr_npz_open(npy, path, config ? config->features_array : ""));
    else
        HR_TRY(open_named(npy, path));
    status = check_features(npy, config && config->features_bf16, path);
    if (status < 0)
        hr_npy_close(npy);
    return status;
}

/* NONFINITE names the first number that is not finite. */
static hirl_status check_finite(const float *x, int64_t n, int64_t d, const char *path)
{
    for (int64_t i = 0; i < n * d; i++)
        if (!isfinite(x[i]))
            return hr_fail(HIRL_E_NONFINITE,
                           "%s: row %lld, column %lld (from 0) is %s; remove or repair the row",
                           path, (long long)(i / d), (long long)(i % d),
                           isnan(x[i]) ? "nan" : "infinite");
    return HIRL_OK;
}

static hirl_status read_all(float *values, const hr_npy *npy, bool finite, const char *path)
{
    HR_TRY(hr_npy_read_rows(values, npy, 0, npy->dim[0], path));
    return finite ? check_finite(values, npy->dim[0], npy->dim[1], path) : HIRL_OK;
}

hirl_status hr_npy_read(float **data, int64_t *n, int64_t *d, const char *path,
                        const hr_feature_config *config)
{
    hirl_status status;
    float *values;
    hr_npy npy;

    HR_TRY(hr_npy_open_features(&npy, path, config));
    values = hr_alloc_array((size_t)npy.items, sizeof *values);
    status = values ? read_all(values, &npy, config != NULL, path) : HIRL_E_NOMEM;
    hr_npy_close(&npy);
    if (status < 0) {
        hr_free(values);
        return status;
    }
    *data = values;
    *n = npy.dim[0];
    *d = npy.dim[1];
    return HIRL_OK;
}

static hirl_status read_ints(int32_t *to, const hr_npy *npy, const char *path)
{
    size_t bytes = (size_t)(npy->items * npy->size);
    uint8_t *raw = hr_alloc(bytes);
    hirl_status status = raw ? HIRL_OK : HIRL_E_NOMEM;

    if (status >= 0)
        status = hr_npy_read_at(npy, raw, bytes, npy->data_at, path);
    if (status >= 0 && !hr_npy_to_labels(to, raw, npy->items, npy))
        status = hr_fail(HIRL_E_FORMAT, "%s: a label is below -1 or above %d", path, INT32_MAX);
    hr_free(raw);
    return status;
}

hirl_status hr_npy_read_labels(int32_t **label, int64_t *n, const char *path)
{
    hirl_status status = HIRL_OK;
    int32_t *values = NULL;
    hr_npy npy;

    HR_TRY(open_named(&npy, path));
    if (npy.rank != 1 || npy.kind == 'f' || npy.kind == 'V')
        status =
            hr_fail(HIRL_E_FORMAT,
                    "%s: an array of %d dimensions and type %c%d; expected labels [n] of integers",
                    path, (int)npy.rank, npy.kind, (int)npy.size);
    if (status >= 0) {
        values = hr_alloc_array((size_t)npy.items, sizeof *values);
        status = values ? read_ints(values, &npy, path) : HIRL_E_NOMEM;
    }
    hr_npy_close(&npy);
    if (status < 0) {
        hr_free(values);
        return status;
    }
    *label = values;
    *n = npy.items;
    return HIRL_OK;
}
