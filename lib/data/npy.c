/* npy.c - NumPy's .npy files, versions 1.0 to 3.0 (documented at numpy.lib.format).
 *
 * A file is "\x93NUMPY", the version, the length of the header, the header as a Python dict, and
 * the data. Only little-endian numbers in C order are read.
 */
#include "data/npy.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/file.h"

enum { HEADER_BYTES = 64 << 10, MAGIC = 6 };
static const char magic[] = "\x93NUMPY";

/* ---- the header: a strict parser of its dict ---- */

typedef struct reader {
    const char *at, *end;
    hr_npy *npy;
    bool fortran;
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

static hirl_status read_type(reader *r)
{
    char text[16];

    skip_space(r);
    if (r->at < r->end && *r->at == '[')
        return hr_fail(HIRL_E_UNSUPPORTED, "npy: records are not supported, only plain numbers");
    HR_TRY(read_string(r, text, sizeof text));
    if (text[0] == '>')
        return hr_fail(
            HIRL_E_UNSUPPORTED,
            "npy: big-endian type %s is not supported; save the array in little-endian order",
            text);
    if (strlen(text) != 3 || !strchr("<|=", text[0]) || !strchr("fuib", text[1]) ||
        !strchr("1248", text[2]))
        return hr_fail(HIRL_E_UNSUPPORTED,
                       "npy: type %s is not supported, only numbers of 1, 2, 4 or 8 bytes", text);
    r->npy->kind = text[1];
    r->npy->size = text[2] - '0';
    return HIRL_OK;
}

static hirl_status read_order(reader *r)
{
    r->fortran = accept(r, "True");
    return r->fortran || accept(r, "False") ? HIRL_OK : damaged("True or False");
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

static hirl_status read_header(hr_npy *npy, uint64_t file_bytes, const char *path)
{
    uint8_t head[12];
    size_t fixed, length;
    reader r = { .npy = npy };
    char *text;
    hirl_status status;

    HR_TRY(hr_file_read_at(npy->fd, head, sizeof head, 0, path));
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
    status = hr_file_read_at(npy->fd, text, length, fixed, path);
    if (status >= 0)
        status = read_dict(&r);
    hr_free(text);
    HR_TRY(status);
    if (r.fortran && npy->rank > 1)
        return hr_fail(HIRL_E_UNSUPPORTED,
                       "npy: Fortran order is not supported; save numpy.ascontiguousarray(array)");
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

void hr_npy_close(hr_npy *npy)
{
    if (npy->fd >= 0)
        close(npy->fd);
    npy->fd = -1;
}

/* ---- numbers ---- */

/* binary16: 1 sign, 5 exponent, 10 fraction bits */
static float widen_half(uint16_t h)
{
    uint32_t sign = (uint32_t)(h & 0x8000) << 16, exponent = h >> 10 & 31, fraction = h & 1023;
    uint32_t bits;
    float f;

    if (!exponent) { /* zero and subnormal numbers: fraction 2^-24 */
        f = (float)fraction * 0x1p-24f;
        return sign ? -f : f;
    }
    bits = sign | (exponent == 31 ? 255 : exponent + 112) << 23 | fraction << 13;
    memcpy(&f, &bits, sizeof f);
    return f;
}

static void to_float(float *to, const uint8_t *from, int64_t n, int32_t size)
{
    for (int64_t i = 0; i < n; i++, from += size) {
        double wide;
        uint16_t half;

        if (size == 4) {
            memcpy(&to[i], from, 4);
        } else if (size == 8) {
            memcpy(&wide, from, 8);
            to[i] = (float)wide;
        } else {
            memcpy(&half, from, 2);
            to[i] = widen_half(half);
        }
    }
}

/* Converts labels; false when one is below -1 or does not fit in i32. */
static bool to_int(int32_t *to, const uint8_t *from, int64_t n, const hr_npy *npy)
{
    for (int64_t i = 0; i < n; i++, from += npy->size) {
        uint64_t bits = 0;
        int shift = 64 - 8 * npy->size;
        int64_t value;

        memcpy(&bits, from, (size_t)npy->size);
        value = npy->kind == 'i' ? (int64_t)(bits << shift) >> shift : (int64_t)bits;
        if (value < -1 || value > INT32_MAX)
            return false;
        to[i] = (int32_t)value;
    }
    return true;
}

enum { PIECE = 1 << 20 };

hirl_status hr_npy_read_floats(float *to, const hr_npy *npy, int64_t first, int64_t items,
                               const char *path)
{
    uint64_t at = npy->data_at + (uint64_t)(first * npy->size);
    int64_t step = PIECE / npy->size;
    hirl_status status = HIRL_OK;
    uint8_t *piece;

    if (npy->size == (int32_t)sizeof *to)
        return hr_file_read_at(npy->fd, to, (size_t)items * sizeof *to, at, path);
    piece = hr_alloc(PIECE);
    if (!piece)
        return HIRL_E_NOMEM;
    for (int64_t i = 0; i < items && status >= 0; i += step) {
        int64_t n = items - i < step ? items - i : step;

        status = hr_file_read_at(npy->fd, piece, (size_t)(n * npy->size),
                                 at + (uint64_t)(i * npy->size), path);
        if (status >= 0)
            to_float(to + i, piece, n, npy->size);
    }
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

hirl_status hr_npy_open_features(hr_npy *npy, const char *path)
{
    hirl_status status = HIRL_OK;

    HR_TRY(open_named(npy, path));
    if (npy->rank == 2 && npy->items < 1)
        status = hr_fail(HIRL_E_FORMAT,
                         "%s: %lld rows of %lld columns; features need at least 1 of each", path,
                         (long long)npy->dim[0], (long long)npy->dim[1]);
    else if (npy->rank != 2 || npy->kind != 'f' || npy->size == 1)
        status = hr_fail(
            HIRL_E_FORMAT,
            "%s: an array of %d dimensions and type %c%d; expected features [n, d] of f2, f4 or f8",
            path, (int)npy->rank, npy->kind, (int)npy->size);
    if (status < 0)
        hr_npy_close(npy);
    return status;
}

hirl_status hr_npy_read(float **data, int64_t *n, int64_t *d, const char *path)
{
    hirl_status status;
    float *values;
    hr_npy npy;

    HR_TRY(hr_npy_open_features(&npy, path));
    values = hr_alloc_array((size_t)npy.items, sizeof *values);
    status = values ? hr_npy_read_floats(values, &npy, 0, npy.items, path) : HIRL_E_NOMEM;
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
        status = hr_file_read_at(npy->fd, raw, bytes, npy->data_at, path);
    if (status >= 0 && !to_int(to, raw, npy->items, npy))
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
    if (npy.rank != 1 || npy.kind == 'f')
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
