/* npy.c - NumPy's .npy files, versions 1.0 to 3.0 (documented at numpy.lib.format).
 *
 * A file is "\x93NUMPY", the version, the length of the header, the header as a Python dict, and
 * the data.
 */
#include "data/npy.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/file.h"

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
