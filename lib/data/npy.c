/* npy.c - NumPy's .npy files, versions 1.0 to 3.0 (documented at numpy.lib.format).
 *
 * A file is "\x93NUMPY", the version, the length of the header, the header as a Python dict, and
 * the data.
 */
#include "data/npy.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/file.h"
#include "data/npy_values.h"
#include "data/npz.h"

enum { HEADER_BYTES = 64 << 10, MAGIC = 6 };
enum { HOST_IS_BIG = __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__ };
static const char magic[] = "\x93NUMPY";

/* ---- the header: a strict parser of its dict ---- */

typedef struct reader {
    const char *at, *end;
    hr_npy *npy;
    int seen; /* a bit for each key that was read */
} reader;

static void skip_space(reader *r)
{
    while (r->at < r->end && (*r->at == ' ' || *r->at == '\n'))
        r->at++;
}

static bool accept(reader *r, const char *text)
{
    size_t n = strlen(text);

    skip_space(r);
    if ((size_t)(r->end - r->at) < n || memcmp(r->at, text, n))
        return false;
    r->at += n;
    return true;
}

static hirl_status damaged(const char *expected)
{
    return hr_fail(HIRL_E_FORMAT, "npy: damaged header: expected %s", expected);
}

/* Reads 'text', which must not contain quotes. */
static hirl_status read_string(reader *r, char *text, size_t room)
{
    size_t n = 0;

    if (!accept(r, "'"))
        return damaged("a text in quotes");
    while (r->at < r->end && *r->at != '\'' && n + 1 < room)
        text[n++] = *r->at++;
    text[n] = 0;
    return accept(r, "'") ? HIRL_OK : damaged("a closing quote");
}

/* sizes of a kind in bytes; V2 is how bfloat16 of ml_dtypes is saved */
static const char *sizes_of(char kind)
{
    return kind == 'V' ? "2" : kind == 'f' ? "248" : kind == 'b' ? "1" : "1248";
}

static hirl_status read_type(reader *r)
{
    char text[16];

    skip_space(r);
    if (r->at < r->end && *r->at == '[')
        return hr_fail(HIRL_E_UNSUPPORTED, "npy: records are not supported, only plain numbers");
    HR_TRY(read_string(r, text, sizeof text));
    if (strlen(text) != 3 || !strchr("<>|=", text[0]) || !strchr("fuibV", text[1]) ||
        !strchr(sizes_of(text[1]), text[2]))
        return hr_fail(HIRL_E_UNSUPPORTED,
                       "npy: type %s is not supported, only integers of 1, 2, 4 or 8 bytes, floats "
                       "of 2, 4 or 8 and bfloat16",
                       text);
    r->npy->big = text[0] == '>' || (text[0] == '=' && HOST_IS_BIG);
    r->npy->kind = text[1];
    r->npy->size = text[2] - '0';
    return HIRL_OK;
}

static hirl_status read_order(reader *r)
{
    r->npy->fortran = accept(r, "True");
    return r->npy->fortran || accept(r, "False") ? HIRL_OK : damaged("True or False");
}

static hirl_status read_dim(reader *r)
{
    int64_t value = 0;
    const char *start;

    skip_space(r);
    start = r->at;
    for (; r->at < r->end && *r->at >= '0' && *r->at <= '9'; r->at++)
        if (__builtin_mul_overflow(value, 10, &value) ||
            __builtin_add_overflow(value, *r->at - '0', &value))
            return hr_fail(HIRL_E_LIMIT, "npy: a dimension does not fit in 64 bits");
    if (r->at == start)
        return damaged("a dimension");
    if (r->npy->rank == HR_NPY_RANK)
        return hr_fail(HIRL_E_UNSUPPORTED, "npy: the array has more than %d dimensions",
                       HR_NPY_RANK);
    r->npy->dim[r->npy->rank++] = value;
    return HIRL_OK;
}

static hirl_status read_shape(reader *r)
{
    if (!accept(r, "("))
        return damaged("a shape in brackets");
    while (!accept(r, ")")) {
        HR_TRY(read_dim(r));
        if (!accept(r, ",")) {
            if (!accept(r, ")"))
                return damaged("a closing bracket");
            break;
        }
    }
    return HIRL_OK;
}

static hirl_status read_entry(reader *r)
{
    static const char *const name[] = { "descr", "fortran_order", "shape" };
    static hirl_status (*const value[])(reader *) = { read_type, read_order, read_shape };
    char key[16];

    HR_TRY(read_string(r, key, sizeof key));
    if (!accept(r, ":"))
        return damaged("a colon");
    for (int i = 0; i < 3; i++)
        if (!strcmp(key, name[i]) && !(r->seen & 1 << i)) {
            r->seen |= 1 << i;
            return value[i](r);
        }
    return hr_fail(HIRL_E_FORMAT, "npy: damaged header: unknown or repeated key '%s'", key);
}

static hirl_status read_dict(reader *r)
{
    if (!accept(r, "{"))
        return damaged("a dict");
    while (!accept(r, "}")) {
        HR_TRY(read_entry(r));
        if (!accept(r, ",")) {
            if (!accept(r, "}"))
                return damaged("a closing brace");
            break;
        }
    }
    skip_space(r);
    return r->seen == 7 && r->at == r->end ? HIRL_OK
                                           : damaged("only the keys descr, fortran_order, shape");
}

static hirl_status check_size(hr_npy *npy, uint64_t file_bytes)
{
    int64_t bytes;

    npy->items = 1;
    for (int i = 0; i < npy->rank; i++)
        if (__builtin_mul_overflow(npy->items, npy->dim[i], &npy->items))
            return hr_fail(HIRL_E_FORMAT,
                           "npy: the shape claims more items than 64 bits can count");
    if (__builtin_mul_overflow(npy->items, (int64_t)npy->size, &bytes) ||
        file_bytes < npy->data_at || (uint64_t)bytes != file_bytes - npy->data_at)
        return hr_fail(
            HIRL_E_FORMAT,
            "npy: the shape claims %lld items of %d bytes, the file has %llu bytes of data",
            (long long)npy->items, (int)npy->size, (unsigned long long)(file_bytes - npy->data_at));
    return HIRL_OK;
}

hirl_status hr_npy_read_at(const hr_npy *npy, void *to, size_t bytes, uint64_t at, const char *path)
{
    if (!npy->memory)
        return hr_file_read_at(npy->fd, to, bytes, at, path);
    if (at > npy->memory_bytes || bytes > npy->memory_bytes - at)
        return hr_fail(HIRL_E_FORMAT, "%s: the array ends early", path);
    memcpy(to, npy->memory + at, bytes);
    return HIRL_OK;
}

static hirl_status read_header(hr_npy *npy, uint64_t file_bytes, const char *path)
{
    uint8_t head[12];
    size_t fixed, length;
    reader r = { .npy = npy };
    char *text;
    hirl_status status;

    HR_TRY(hr_npy_read_at(npy, head, sizeof head, 0, path));
    if (memcmp(head, magic, MAGIC) || head[6] < 1 || head[6] > 3)
        return hr_fail(HIRL_E_FORMAT, "npy: not the header of a .npy file of version 1 to 3");
    fixed = head[6] == 1 ? 10 : 12;
    length = (size_t)head[9] << 8 | head[8];
    if (head[6] > 1)
        length |= (size_t)head[11] << 24 | (size_t)head[10] << 16;
    if (length > HEADER_BYTES)
        return hr_fail(HIRL_E_LIMIT, "npy: the header has %zu bytes, the limit is %d", length,
                       HEADER_BYTES);
    text = hr_alloc(length);
    if (!text)
        return HIRL_E_NOMEM;
    r.at = text;
    r.end = text + length;
    status = hr_npy_read_at(npy, text, length, fixed, path);
    if (status >= 0)
        status = read_dict(&r);
    hr_free(text);
    HR_TRY(status);
    npy->fortran = npy->fortran && npy->rank > 1;
    npy->data_at = fixed + length;
    return check_size(npy, file_bytes);
}

bool hr_is_npy(const char *path)
{
    char head[MAGIC];
    uint64_t bytes;
    int fd;
    bool is;

    if (hr_is_folder(path) || !hr_file_exists(path) || hr_file_open(&fd, &bytes, path) < 0)
        return false;
    is = bytes >= MAGIC && hr_file_read_at(fd, head, MAGIC, 0, path) >= 0 &&
         !memcmp(head, magic, MAGIC);
    close(fd);
    return is;
}

hirl_status hr_npy_open(hr_npy *npy, const char *path)
{
    uint64_t bytes;
    hirl_status status;

    *npy = (hr_npy){ .fd = -1 };
    HR_TRY(hr_file_open(&npy->fd, &bytes, path));
    status = read_header(npy, bytes, path);
    if (status < 0)
        hr_npy_close(npy);
    return status;
}

hirl_status hr_npy_open_memory(hr_npy *npy, uint8_t *data, uint64_t bytes, const char *path)
{
    hirl_status status;

    *npy = (hr_npy){ .fd = -1, .memory = data, .memory_bytes = bytes };
    status = read_header(npy, bytes, path);
    if (status < 0)
        hr_npy_close(npy);
    return status;
}

void hr_npy_close(hr_npy *npy)
{
    if (npy->fd >= 0)
        close(npy->fd);
    hr_free(npy->memory);
    npy->fd = -1;
    npy->memory = NULL;
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

/* Opens a file and, when its header is at fault, puts the path before the message. Other messages
 * name the path already. */
static hirl_status open_named(hr_npy *npy, const char *path)
{
    hirl_status status = hr_npy_open(npy, path);

    return status == HIRL_E_FORMAT || status == HIRL_E_UNSUPPORTED || status == HIRL_E_LIMIT
               ? hr_fail_in(status, path)
               : status;
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

/* ---- writing ---- */

static void make_header(char head[256], size_t *length, const char *dtype, int32_t rank,
                        const int64_t *dim)
{
    int used = snprintf(head + 10, 246, "{'descr': '%s%s', 'fortran_order': False, 'shape': (",
                        dtype[1] == '1' ? "|" : "<", dtype);

    for (int32_t i = 0; i < rank; i++)
        used += snprintf(head + 10 + used, 246 - (size_t)used, "%lld%s", (long long)dim[i],
                         i + 1 < rank ? ", "
                         : rank == 1  ? ","
                                      : "");
    used += snprintf(head + 10 + used, 246 - (size_t)used, "), }");
    *length = ((size_t)used + 10 + 64) / 64 * 64; /* leaves room for the newline */
    memset(head + 10 + used, ' ', *length - 11 - (size_t)used);
    head[*length - 1] = '\n';
    memcpy(head, "\x93NUMPY\x01\x00", 8);
    head[8] = (char)((*length - 10) & 255);
    head[9] = (char)((*length - 10) >> 8);
}

hirl_status hr_npy_write(const char *path, const void *data, const char *dtype, int32_t rank,
                         const int64_t *dim)
{
    static const char *const known[] = { "f4", "i4", "i8", "u1" };
    char head[256];
    size_t length, items = 1;
    bool found = false;
    hr_file file;
    hirl_status status;

    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        found |= !strcmp(dtype, known[i]);
    if (!found || rank < 1 || rank > HR_NPY_RANK)
        return hr_fail(HIRL_E_INVALID,
                       "npy: cannot write type '%.8s' with %d dimensions; expected f4, i4, i8 or "
                       "u1 with 1 to %d",
                       dtype, (int)rank, HR_NPY_RANK);
    for (int32_t i = 0; i < rank; i++)
        if (dim[i] < 0 || __builtin_mul_overflow(items, (size_t)dim[i], &items) ||
            items > SIZE_MAX / 16)
            return hr_fail(
                HIRL_E_INVALID,
                "npy: dimension %d is %lld, which is negative or makes the array too large", (int)i,
                (long long)dim[i]);
    make_header(head, &length, dtype, rank, dim);
    HR_TRY(hr_file_begin(&file, path));
    status = hr_file_write(&file, head, length);
    if (status >= 0)
        status = hr_file_write(&file, data, items * (size_t)(dtype[1] - '0'));
    if (status >= 0)
        return hr_file_commit(&file);
    hr_file_discard(&file);
    return status;
}
