/* safetensors.c - a list of tensors as a file (format: github.com/huggingface/safetensors).
 *
 *     u64 N, little-endian | N bytes of JSON, padded with spaces | data
 *     { "__metadata__": { text: text }, name: { "dtype", "shape", "data_offsets": [begin, end] } }
 *
 * The reader is stricter than the format: no key may occur twice at any level, an entry has no
 * other keys, whole numbers consist of digits only, and the tensors cover the data without gap or
 * overlap up to the end of the file. The writer sorts the keys, and orders the data by falling item
 * size and then by name, so that each array lies at a multiple of its item size.
 *
 * Metadata "crc32.<name>" is the CRC-32 (zlib) of a tensor. Metadata "crc32" is that of the whole
 * JSON without this key, as compact text with sorted keys; it covers the other checksums. Metadata
 * "checksums" states that "crc32" is there, so that a damaged key is noticed: files of earlier
 * versions have checksums of tensors only.
 *
 * Other programs keep the metadata when they write a file again, but do not sort the keys of an
 * entry. Such a foreign file is read even if its checksums do not fit any more.
 */
#include "base/safetensors.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>
#include <zlib.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/file.h"
#include "base/halt.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the files are little-endian");

enum {
    PREFIX = 8,
    HEADER_MAX = 16 << 20,
    TENSORS_MAX = 65536,
    OPENED_MAX = 4 * TENSORS_MAX, /* brackets of an entry, its shape and its offsets, with room */
    COMMAS_MAX = 16 * TENSORS_MAX,
    DEPTH = 3,
    ALIGN = 8,
    SHOWN = 80,
    CRC_KEY = HR_TENSORS_NAME + sizeof HR_TENSORS_CRC,
    CRC_TEXT = 9, /* eight hexadecimal digits and the end */
};
static const char entry_begin[] = "{\"data_offsets\":["; /* in each entry that we wrote */

static const struct {
    const char *name;
    hr_dtype dtype;
} types[] = { { "F32", HR_F32 }, { "F64", HR_F64 }, { "BF16", HR_BF16 },
              { "I32", HR_I32 }, { "I64", HR_I64 }, { "U8", HR_U8 } };
enum { TYPES = sizeof types / sizeof *types };

/* Where the data of an item lies, counted from the end of the header. */
typedef struct span {
    uint64_t begin, end;
    const hr_named *item;
} span;

static const char *print_crc(char text[CRC_TEXT], unsigned long crc)
{
    snprintf(text, CRC_TEXT, "%08lx", crc & 0xffffffffu);
    return text;
}

static const char *crc_text(char text[CRC_TEXT], const void *data, size_t bytes)
{
    return print_crc(text, bytes ? crc32_z(0, data, bytes) : 0);
}

static const char *crc_key(char key[CRC_KEY], const char *name)
{
    snprintf(key, CRC_KEY, HR_TENSORS_CRC "%s", name);
    return key;
}

static hirl_status no_memory(void)
{
    return hr_fail(HIRL_E_NOMEM, "out of memory in the header of a file of tensors");
}

static int add_to_crc(const char *piece, size_t bytes, void *crc)
{
    *(unsigned long *)crc = crc32_z(*(unsigned long *)crc, (const unsigned char *)piece, bytes);
    return 0;
}

/* the checksum of a header whose metadata has no HR_TENSORS_HEADER_CRC */
static hirl_status header_crc(char text[CRC_TEXT], const json_t *root)
{
    unsigned long crc = 0;

    if (json_dump_callback(root, add_to_crc, &crc, JSON_COMPACT | JSON_SORT_KEYS))
        return no_memory();
    print_crc(text, crc);
    return HIRL_OK;
}

/* ---- writing ---- */

static int by_size_and_name(const void *a, const void *b)
{
    const hr_named *x = ((const span *)a)->item, *y = ((const span *)b)->item;
    int size = (int)hr_dtype_size(y->dtype) - (int)hr_dtype_size(x->dtype);

    return size ? size : strcmp(x->name, y->name);
}

/* Assigns each item its place in the file. */
static hirl_status plan(span **spans, const hr_tensors *list)
{
    span *s = hr_alloc_array((size_t)list->count, sizeof *s);
    uint64_t at = 0;

    if (!s)
        return HIRL_E_NOMEM;
    for (int32_t i = 0; i < list->count; i++)
        s[i].item = &list->item[i];
    if (list->count)
        qsort(s, (size_t)list->count, sizeof *s, by_size_and_name);
    for (int32_t i = 0; i < list->count; i++) {
        s[i].begin = at;
        at += s[i].item->bytes;
        s[i].end = at;
    }
    *spans = s;
    return HIRL_OK;
}

static hirl_status put_text(json_t *object, const char *key, const char *value)
{
    json_error_t error;
    json_t *pair = json_pack_ex(&error, 0, "{s:s}", key, value);
    hirl_status status = HIRL_OK;

    if (!pair && json_error_code(&error) == json_error_invalid_utf8)
        return hr_fail(HIRL_E_INVALID, "metadata %.*s: the key or its value is not UTF-8", SHOWN,
                       key);
    if (!pair || json_object_update(object, pair))
        status = no_memory();
    json_decref(pair);
    return status;
}

static hirl_status put_metadata(json_t *metadata, const hr_tensors *list)
{
    char key[CRC_KEY], text[CRC_TEXT];

    HR_TRY(put_text(metadata, HR_TENSORS_MARK, "header and tensors"));
    for (int32_t i = 0; i < list->texts; i++)
        HR_TRY(put_text(metadata, list->text[i].key, list->text[i].value));
    for (int32_t i = 0; i < list->count; i++) {
        const hr_named *item = &list->item[i];

        HR_TRY(
            put_text(metadata, crc_key(key, item->name), crc_text(text, item->data, item->bytes)));
    }
    return HIRL_OK;
}

static json_t *shape_of(const hr_named *item)
{
    json_t *shape = json_array();

    for (int32_t i = 0; i < item->rank && shape; i++)
        if (json_array_append_new(shape, json_integer(item->dim[i]))) {
            json_decref(shape);
            return NULL;
        }
    return shape;
}

static const char *type_name(hr_dtype dtype)
{
    for (int i = 0; i < TYPES; i++)
        if (types[i].dtype == dtype)
            return types[i].name;
    return "";
}

static hirl_status put_entry(json_t *root, const span *s)
{
    json_t *entry =
        json_pack("{s:s, s:o, s:[I,I]}", "dtype", type_name(s->item->dtype), "shape",
                  shape_of(s->item), "data_offsets", (json_int_t)s->begin, (json_int_t)s->end);

    if (!entry)
        return no_memory();
    if (json_object_set_new(root, s->item->name, entry)) /* UTF-8: put_metadata accepted the name */
        return no_memory();
    return HIRL_OK;
}

/* The text that jansson dumps. `failed` stays set: jansson 2.14 ignores a failure at a key. */
typedef struct header {
    char *text;
    size_t bytes, room;
    bool failed;
} header;

static int append(const char *piece, size_t bytes, void *arg)
{
    header *h = arg;

    if (!h->failed && h->bytes + bytes > h->room) {
        size_t room = 2 * (h->bytes + bytes) + 4096;
        char *grown = hr_grow(h->text, h->bytes, room);

        h->failed = !grown;
        h->text = grown ? grown : h->text;
        h->room = grown ? room : h->room;
    }
    if (h->failed)
        return -1;
    memcpy(h->text + h->bytes, piece, bytes);
    h->bytes += bytes;
    return 0;
}

static hirl_status make_header(header *h, json_t *root, const hr_tensors *list, const span *s)
{
    json_t *metadata = json_object();
    char crc[CRC_TEXT];

    if (!metadata || json_object_set_new(root, "__metadata__", metadata))
        return no_memory();
    HR_TRY(put_metadata(metadata, list));
    for (int32_t i = 0; i < list->count; i++)
        HR_TRY(put_entry(root, &s[i]));
    HR_TRY(header_crc(crc, root));
    HR_TRY(put_text(metadata, HR_TENSORS_HEADER_CRC, crc));
    if (json_dump_callback(root, append, h, JSON_COMPACT | JSON_SORT_KEYS) || h->failed)
        return no_memory();
    while (h->bytes % ALIGN)
        if (append(" ", 1, h))
            return HIRL_E_NOMEM;
    if (h->bytes > HEADER_MAX)
        return hr_fail(HIRL_E_LIMIT, "the header has %zu bytes, at most %d are possible", h->bytes,
                       HEADER_MAX);
    return HIRL_OK;
}

static hirl_status write_header(const hr_sink *sink, const hr_tensors *list, const span *s)
{
    json_t *root = json_object();
    header h = { 0 };
    hirl_status status = root ? make_header(&h, root, list, s) : no_memory();
    uint64_t n = h.bytes;

    if (!status)
        status = sink->write(sink->state, &n, sizeof n);
    if (!status)
        status = sink->write(sink->state, h.text, h.bytes);
    hr_free(h.text);
    json_decref(root);
    return status;
}

static hirl_status check_count(const hr_tensors *list)
{
    if (list->count > TENSORS_MAX)
        return hr_fail(HIRL_E_LIMIT, "the list has %d tensors, at most %d are possible",
                       (int)list->count, TENSORS_MAX);
    return HIRL_OK;
}

hirl_status hr_tensors_write(const hr_tensors *list, const hr_sink *sink)
{
    hirl_status status;
    span *s = NULL;

    HR_TRY(check_count(list));
    HR_TRY(plan(&s, list));
    status = write_header(sink, list, s);
    for (int32_t i = 0; i < list->count && !status; i++) {
        status = hr_halt_check();
        if (!status)
            status = sink->write(sink->state, s[i].item->data, s[i].item->bytes);
    }
    hr_free(s);
    return status;
}

static hirl_status write_file(void *state, const void *data, size_t bytes)
{
    return hr_file_write(state, data, bytes);
}

hirl_status hr_tensors_save(const hr_tensors *list, const char *path)
{
    hirl_status status;
    hr_file file;

    if (check_count(list) < 0)
        return hr_fail_in(HIRL_E_LIMIT, path);
    HR_TRY(hr_file_begin(&file, path));
    status = hr_tensors_write(list, &(hr_sink){ write_file, &file });
    if (!status)
        return hr_file_commit(&file);
    hr_file_discard(&file);
    return status;
}

/* ---- reading: the text of the header ---- */

/* Refuses JSON that jansson would accept but the format does not use: signs, fractions, exponents,
 * words, deep nesting (which costs stack), and more values than TENSORS_MAX tensors can have (which
 * cost memory). */
static hirl_status check_subset(const char *text, size_t bytes)
{
    bool quoted = false;
    int depth = 0, opened = 0, commas = 0;

    for (size_t i = 0; i < bytes; i++) {
        char c = text[i];

        if (c == '"')
            quoted = !quoted;
        else if (quoted && c == '\\')
            i++;
        else if (!quoted && (!c || !strchr("{}[],:0123456789 \t\r\n", c)))
            return hr_fail(HIRL_E_FORMAT,
                           "header: the character at byte %zu is not allowed outside of quotes", i);
        else if (!quoted && (c == '{' || c == '[')) {
            depth++;
            opened++;
        } else if (!quoted && (c == '}' || c == ']'))
            depth--;
        commas += !quoted && c == ',';
        if (opened > OPENED_MAX || commas > COMMAS_MAX)
            return hr_fail(HIRL_E_LIMIT, "header: more values than %d tensors can have",
                           TENSORS_MAX);
        if (depth > DEPTH)
            return hr_fail(HIRL_E_FORMAT, "header: nested deeper than %d levels", DEPTH);
    }
    return HIRL_OK;
}

static hirl_status parse(json_t **root, const char *text, size_t bytes)
{
    json_error_t error;

    if (text[0] != '{')
        return hr_fail(HIRL_E_FORMAT, "header: the text does not begin with {");
    while (bytes && text[bytes - 1] == ' ')
        bytes--;
    if (!bytes || text[bytes - 1] != '}')
        return hr_fail(HIRL_E_FORMAT, "header: the text does not end with } and spaces");
    HR_TRY(check_subset(text, bytes));
    *root = json_loadb(text, bytes, JSON_REJECT_DUPLICATES, &error);
    if (*root)
        return HIRL_OK;
    if (!error.text[0] || json_error_code(&error) == json_error_out_of_memory)
        return no_memory();
    return hr_fail(HIRL_E_FORMAT, "header: byte %d: %s", error.position, error.text);
}

/* Whether no entry begins as in the files that hr_tensors_save writes. Damage of a few bytes makes
 * an entry of ours unreadable before it looks foreign. */
static bool is_foreign(const char *text, size_t bytes)
{
    return memmem(text, bytes, "\"data_offsets\"", 14) &&
           !memmem(text, bytes, entry_begin, sizeof entry_begin - 1);
}

static hirl_status read_header(hr_tensors *list, json_t **root, uint64_t *data_at,
                               const hr_supply *from)
{
    unsigned char prefix[PREFIX];
    uint64_t n, size = from->bytes;
    hirl_status status;
    char *text;

    if (size < PREFIX + 2)
        return hr_fail(HIRL_E_FORMAT, "the file has %llu bytes and is too short for a header",
                       (unsigned long long)size);
    HR_TRY(from->read(from->state, prefix, PREFIX, 0));
    memcpy(&n, prefix, PREFIX);
    if (n < 2 || n > size - PREFIX)
        return hr_fail(
            HIRL_E_FORMAT, "a header of %llu bytes in a file of %llu, where 2 to %llu are expected",
            (unsigned long long)n, (unsigned long long)size, (unsigned long long)(size - PREFIX));
    if (n > HEADER_MAX)
        return hr_fail(HIRL_E_LIMIT, "a header of %llu bytes, at most %d are read",
                       (unsigned long long)n, HEADER_MAX);
    text = hr_alloc((size_t)n);
    if (!text)
        return HIRL_E_NOMEM;
    status = from->read(from->state, text, (size_t)n, PREFIX);
    if (!status)
        status = parse(root, text, (size_t)n);
    list->foreign = !status && is_foreign(text, (size_t)n);
    hr_free(text);
    *data_at = PREFIX + n;
    return status;
}

/* ---- reading: entries ---- */

static hirl_status bad_entry(const char *name, const char *what)
{
    return hr_fail(HIRL_E_FORMAT, "tensor %.*s: %s", SHOWN, name, what);
}

static hirl_status read_type(hr_dtype *dtype, const char *name, const json_t *type)
{
    const char *text = json_string_value(type);

    for (int i = 0; i < TYPES && text; i++)
        if (!strcmp(text, types[i].name)) {
            *dtype = types[i].dtype;
            return HIRL_OK;
        }
    if (!text)
        return bad_entry(name, "dtype is not a text");
    return hr_fail(HIRL_E_UNSUPPORTED, "tensor %.*s: dtype %.16s is not supported", SHOWN, name,
                   text);
}

/* Reads up to `most` whole numbers >= 0. */
static hirl_status read_numbers(int64_t *number, int32_t *count, const char *name,
                                const json_t *array, size_t most)
{
    if (!json_is_array(array) || json_array_size(array) > most)
        return bad_entry(name, "shape or data_offsets is not a list, or is too long");
    *count = (int32_t)json_array_size(array);
    for (int32_t i = 0; i < *count; i++) {
        const json_t *value = json_array_get(array, (size_t)i);

        if (!json_is_integer(value) || json_integer_value(value) < 0)
            return bad_entry(name,
                             "shape or data_offsets holds something other than whole numbers >= 0");
        number[i] = json_integer_value(value);
    }
    return HIRL_OK;
}

static hirl_status read_entry(hr_named *item, span *s, const char *name, const json_t *entry)
{
    int64_t offset[2];
    int32_t offsets;

    if (!name[0] || strlen(name) >= HR_TENSORS_NAME)
        return bad_entry(name, "the name is empty or too long");
    if (json_object_size(entry) != 3 || !json_object_get(entry, "dtype") ||
        !json_object_get(entry, "shape") || !json_object_get(entry, "data_offsets"))
        return bad_entry(name, "its keys are not exactly dtype, shape and data_offsets");
    memcpy(item->name, name, strlen(name) + 1);
    HR_TRY(read_type(&item->dtype, name, json_object_get(entry, "dtype")));
    HR_TRY(read_numbers(item->dim, &item->rank, name, json_object_get(entry, "shape"),
                        HR_TENSORS_RANK));
    HR_TRY(read_numbers(offset, &offsets, name, json_object_get(entry, "data_offsets"), 2));
    HR_TRY(hr_tensors_size(&item->bytes, name, item->dtype, item->rank, item->dim));
    if (offsets != 2 || offset[1] < offset[0])
        return bad_entry(name, "data_offsets are not the begin and end of its data");
    if ((uint64_t)(offset[1] - offset[0]) != item->bytes)
        return hr_fail(HIRL_E_FORMAT,
                       "tensor %.*s: its shape takes %zu bytes, its data_offsets span %lld", SHOWN,
                       name, item->bytes, (long long)(offset[1] - offset[0]));
    *s = (span){ (uint64_t)offset[0], (uint64_t)offset[1], item };
    return HIRL_OK;
}

/* Adds a text. Its key is new: jansson has refused equal keys. */
static hirl_status read_text(hr_tensors *list, const char *key, const json_t *value)
{
    hr_text_pair *pair = &list->text[list->texts];

    if (!json_is_string(value))
        return hr_fail(HIRL_E_FORMAT, "metadata %.*s: the value is not a text", SHOWN, key);
    if (hr_tensors_reserved(key))
        return HIRL_OK;
    list->texts++;
    pair->key = hr_strdup(key);
    pair->value = pair->key ? hr_strdup(json_string_value(value)) : NULL;
    return pair->value ? HIRL_OK : HIRL_E_NOMEM;
}

static hirl_status read_metadata(hr_tensors *list, json_t *metadata)
{
    size_t count = json_object_size(metadata);
    const char *key;
    json_t *value;

    if (!metadata)
        return HIRL_OK;
    if (!json_is_object(metadata))
        return hr_fail(HIRL_E_FORMAT, "metadata: expected an object of texts");
    list->text = hr_alloc_array(count, sizeof *list->text);
    if (!list->text)
        return HIRL_E_NOMEM;
    list->texts_room = (int64_t)count;
    json_object_foreach(metadata, key, value) HR_TRY(read_text(list, key, value));
    return HIRL_OK;
}

static int by_offset(const void *a, const void *b)
{
    const span *x = a, *y = b;

    if (x->begin != y->begin)
        return x->begin < y->begin ? -1 : 1;
    if (x->end != y->end)
        return x->end < y->end ? -1 : 1;
    return x->item < y->item ? -1 : x->item > y->item;
}

static hirl_status check_spans(span *s, int32_t count, uint64_t bytes)
{
    uint64_t at = 0;

    if (count)
        qsort(s, (size_t)count, sizeof *s, by_offset);
    for (int32_t i = 0; i < count; i++) {
        if (s[i].begin != at)
            return hr_fail(HIRL_E_FORMAT,
                           "tensor %.*s: its data begins at byte %llu, expected %llu: %s", SHOWN,
                           s[i].item->name, (unsigned long long)s[i].begin, (unsigned long long)at,
                           s[i].begin < at ? "an overlap" : "a gap");
        at = s[i].end;
    }
    if (at != bytes)
        return hr_fail(HIRL_E_FORMAT, "the file has %llu bytes of data, the header describes %llu",
                       (unsigned long long)bytes, (unsigned long long)at);
    return HIRL_OK;
}

/* Reads the items and spans of all entries; the data of no item is allocated yet. */
static hirl_status read_entries(hr_tensors *list, span **spans, json_t *root, uint64_t bytes)
{
    json_t *metadata = json_object_get(root, "__metadata__"), *entry;
    size_t count = json_object_size(root) - (metadata != NULL);
    const char *name;
    span *s;

    if (count > TENSORS_MAX)
        return hr_fail(HIRL_E_LIMIT, "the file has %zu tensors, at most %d are read", count,
                       TENSORS_MAX);
    list->item = hr_alloc_array(count, sizeof *list->item);
    *spans = s = hr_alloc_array(count, sizeof *s);
    if (!list->item || !s)
        return HIRL_E_NOMEM;
    list->room = (int64_t)count;
    json_object_foreach(root, name, entry)
    {
        if (entry == metadata)
            continue;
        HR_TRY(read_entry(&list->item[list->count], &s[list->count], name, entry));
        list->count++;
    }
    HR_TRY(check_spans(s, list->count, bytes));
    return read_metadata(list, metadata);
}

/* ---- reading: data ---- */

/* Compares the header with its checksum, which is then removed from the metadata. */
static hirl_status check_header(hr_tensors *list, json_t *root)
{
    json_t *metadata = json_object_get(root, "__metadata__");
    const char *kept = json_string_value(json_object_get(metadata, HR_TENSORS_HEADER_CRC));
    char wanted[CRC_TEXT], found[CRC_TEXT];

    if (!kept && !json_object_get(metadata, HR_TENSORS_MARK))
        return HIRL_OK; /* a file of an earlier version */
    if (!kept)
        return hr_fail(HIRL_E_FORMAT, "the header is damaged: its checksum is missing");
    snprintf(wanted, sizeof wanted, "%s", kept);
    json_object_del(metadata, HR_TENSORS_HEADER_CRC);
    HR_TRY(header_crc(found, root));
    list->checked = !strcmp(wanted, found);
    if (list->checked)
        return HIRL_OK;
    return hr_fail(HIRL_E_FORMAT, "the header is damaged: its checksum is %s, expected %s", found,
                   wanted);
}

/* Compares each tensor with its checksum; those of a foreign file may differ and are counted. */
static hirl_status check_tensors(hr_tensors *list, const json_t *metadata)
{
    char key[CRC_KEY], text[CRC_TEXT];

    for (int32_t i = 0; i < list->count; i++) {
        const hr_named *item = &list->item[i];
        const char *wanted = json_string_value(json_object_get(metadata, crc_key(key, item->name)));

        if (!wanted || !strcmp(wanted, crc_text(text, item->data, item->bytes)))
            continue;
        if (!list->foreign)
            return hr_fail(HIRL_E_FORMAT,
                           "tensor %s is damaged: its checksum is %s, expected %.16s", item->name,
                           text, wanted);
        list->stale++;
    }
    return HIRL_OK;
}

static hirl_status read_data(hr_tensors *list, const span *s, const hr_supply *from,
                             uint64_t data_at)
{
    for (int32_t i = 0; i < list->count; i++) {
        hr_named *item = &list->item[s[i].item - list->item];

        item->data = hr_alloc(item->bytes);
        if (!item->data)
            return HIRL_E_NOMEM;
        item->owned = true;
        HR_TRY(from->read(from->state, item->data, item->bytes, data_at + s[i].begin));
    }
    return HIRL_OK;
}

static hirl_status load(hr_tensors *list, json_t **root, span **s, const hr_supply *from)
{
    uint64_t data_at = 0;

    HR_TRY(read_header(list, root, &data_at, from));
    if (!list->foreign)
        HR_TRY(check_header(list, *root));
    HR_TRY(read_entries(list, s, *root, from->bytes - data_at));
    HR_TRY(read_data(list, *s, from, data_at));
    return check_tensors(list, json_object_get(*root, "__metadata__"));
}

hirl_status hr_tensors_read(hr_tensors *list, const hr_supply *supply, const char *name)
{
    hirl_status status;
    json_t *root = NULL;
    span *s = NULL;

    hr_tensors_init(list);
    status = load(list, &root, &s, supply);
    json_decref(root);
    hr_free(s);
    if (!status)
        return HIRL_OK;
    hr_tensors_done(list);
    return status == HIRL_E_NOMEM ? status : hr_fail_in(status, name);
}

typedef struct open_file {
    int fd;
    const char *path;
} open_file;

static hirl_status read_file(void *state, void *data, size_t bytes, uint64_t at)
{
    const open_file *file = state;

    return hr_file_read_at(file->fd, data, bytes, at, file->path);
}

hirl_status hr_tensors_load(hr_tensors *list, const char *path)
{
    open_file file = { .path = path };
    hr_supply supply = { read_file, &file, 0 };
    hirl_status status;

    hr_tensors_init(list);
    HR_TRY(hr_file_open(&file.fd, &supply.bytes, path));
    status = hr_tensors_read(list, &supply, path);
    close(file.fd);
    return status;
}
