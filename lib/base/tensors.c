/* tensors.c - a list of named host arrays with text metadata. */
#include "base/tensors.h"

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/option.h"

enum { SHOWN = 80, SHAPE_TEXT = 128 };

void hr_tensors_init(hr_tensors *list)
{
    *list = (hr_tensors){ 0 };
}

void hr_tensors_done(hr_tensors *list)
{
    for (int32_t i = 0; i < list->count; i++)
        if (list->item[i].owned)
            hr_free(list->item[i].data);
    for (int32_t i = 0; i < list->texts; i++) {
        hr_free(list->text[i].key);
        hr_free(list->text[i].value);
    }
    hr_free(list->item);
    hr_free(list->text);
    hr_tensors_init(list);
}

/* ---- arrays ---- */

hirl_status hr_tensors_size(size_t *bytes, const char *name, hr_dtype dtype, int32_t rank,
                            const int64_t *dim)
{
    int64_t n = (int64_t)hr_dtype_size(dtype);

    if (!n || rank < 0 || rank > HR_TENSORS_RANK)
        return hr_fail(HIRL_E_INVALID,
                       "tensor %.*s: element type %d with %d dimensions; expected a known type "
                       "and 0 to %d dimensions",
                       SHOWN, name, (int)dtype, (int)rank, HR_TENSORS_RANK);
    for (int32_t i = 0; i < rank; i++) {
        if (dim[i] < 0)
            return hr_fail(HIRL_E_INVALID, "tensor %.*s: dimension %d is %lld", SHOWN, name, (int)i,
                           (long long)dim[i]);
        if (__builtin_mul_overflow(n, dim[i], &n))
            return hr_fail(HIRL_E_LIMIT, "tensor %.*s: its size in bytes needs more than 63 bits",
                           SHOWN, name);
    }
    *bytes = (size_t)n;
    return HIRL_OK;
}

static hirl_status check_name(const hr_tensors *list, const char *name)
{
    size_t length = strlen(name);

    if (!length || length >= HR_TENSORS_NAME)
        return hr_fail(HIRL_E_INVALID, "tensor %.*s: the name has %zu bytes, expected 1 to %d",
                       SHOWN, name, length, HR_TENSORS_NAME - 1);
    if (!strcmp(name, "__metadata__") || hr_tensors_find(list, name))
        return hr_fail(HIRL_E_INVALID, "tensor %s: the name is already taken", name);
    return HIRL_OK;
}

/* Prepares the next item, without data. The caller increments the count. */
static hirl_status push(hr_named **item, hr_tensors *list, const char *name, hr_dtype dtype,
                        int32_t rank, const int64_t *dim)
{
    size_t bytes;
    hr_named *new;

    HR_TRY(check_name(list, name));
    HR_TRY(hr_tensors_size(&bytes, name, dtype, rank, dim));
    new = hr_grow_array(list->item, &list->room, list->count, sizeof *new);
    if (!new)
        return HIRL_E_NOMEM;
    list->item = new;
    new += list->count;
    *new = (hr_named){ .dtype = dtype, .rank = rank, .bytes = bytes };
    memcpy(new->name, name, strlen(name) + 1);
    for (int32_t i = 0; i < rank; i++)
        new->dim[i] = dim[i];
    *item = new;
    return HIRL_OK;
}

hirl_status hr_tensors_add(hr_tensors *list, const char *name, hr_dtype dtype, int32_t rank,
                           const int64_t *dim, const void *data)
{
    hr_named *item;

    HR_TRY(push(&item, list, name, dtype, rank, dim));
    if (!data && item->bytes)
        return hr_fail(HIRL_E_INVALID, "tensor %s: no data was given", name);
    item->data = (void *)data; /* never written: `owned` is false */
    list->count++;
    return HIRL_OK;
}

hirl_status hr_tensors_new(void **data, hr_tensors *list, const char *name, hr_dtype dtype,
                           int32_t rank, const int64_t *dim)
{
    hr_named *item;

    HR_TRY(push(&item, list, name, dtype, rank, dim));
    item->data = hr_alloc(item->bytes);
    if (!item->data)
        return HIRL_E_NOMEM;
    item->owned = true;
    list->count++;
    *data = item->data;
    return HIRL_OK;
}

const hr_named *hr_tensors_find(const hr_tensors *list, const char *name)
{
    for (int32_t i = 0; i < list->count; i++)
        if (!strcmp(list->item[i].name, name))
            return &list->item[i];
    return NULL;
}

/* Prints a type and a shape, such as "f32 [3, any]". */
static const char *show(char text[SHAPE_TEXT], hr_dtype dtype, int32_t rank, const int64_t *dim)
{
    static const char *const name[] = {
        [HR_F32] = "f32", [HR_F64] = "f64", [HR_BF16] = "bf16",
        [HR_I32] = "i32", [HR_I64] = "i64", [HR_U8] = "u8",
    };
    size_t at = (size_t)snprintf(text, SHAPE_TEXT, "%s [", name[dtype]);

    for (int32_t i = 0; i < rank && at < SHAPE_TEXT; i++) {
        const char *comma = i ? ", " : "";

        if (dim[i] < 0)
            at += (size_t)snprintf(text + at, SHAPE_TEXT - at, "%sany", comma);
        else
            at += (size_t)snprintf(text + at, SHAPE_TEXT - at, "%s%lld", comma, (long long)dim[i]);
    }
    if (at < SHAPE_TEXT)
        snprintf(text + at, SHAPE_TEXT - at, "]");
    return text;
}

hirl_status hr_tensors_need(const hr_named **found, const hr_tensors *list, const char *name,
                            hr_dtype dtype, int32_t rank, const int64_t *dim)
{
    const hr_named *item = hr_tensors_find(list, name);
    char is[SHAPE_TEXT], wanted[SHAPE_TEXT];
    bool fits;

    if (!item)
        return hr_fail(HIRL_E_FORMAT, "tensor %s is missing", name);
    fits = item->dtype == dtype && item->rank == rank;
    for (int32_t i = 0; fits && i < rank; i++)
        fits = dim[i] < 0 || item->dim[i] == dim[i];
    if (!fits)
        return hr_fail(HIRL_E_FORMAT, "tensor %s is %s, expected %s", name,
                       show(is, item->dtype, item->rank, item->dim),
                       show(wanted, dtype, rank, dim));
    *found = item;
    return HIRL_OK;
}

/* ---- texts ---- */

bool hr_tensors_reserved(const char *key)
{
    return !strcmp(key, HR_TENSORS_HEADER_CRC) || !strcmp(key, HR_TENSORS_MARK) ||
           !strncmp(key, HR_TENSORS_CRC, strlen(HR_TENSORS_CRC));
}

static hr_text_pair *find_text(const hr_tensors *list, const char *key)
{
    for (int32_t i = 0; i < list->texts; i++)
        if (!strcmp(list->text[i].key, key))
            return &list->text[i];
    return NULL;
}

hirl_status hr_tensors_set_text(hr_tensors *list, const char *key, const char *value)
{
    hr_text_pair *pair, new;

    if (hr_tensors_reserved(key))
        return hr_fail(HIRL_E_INVALID, "metadata %.*s: the key is reserved for checksums", SHOWN,
                       key);
    pair = hr_grow_array(list->text, &list->texts_room, list->texts, sizeof *pair);
    if (!pair)
        return HIRL_E_NOMEM;
    list->text = pair;
    new = (hr_text_pair){ hr_strdup(key), hr_strdup(value) };
    if (!new.key || !new.value) {
        hr_free(new.key);
        hr_free(new.value);
        return HIRL_E_NOMEM;
    }
    pair = find_text(list, key);
    if (pair) {
        hr_free(pair->key);
        hr_free(pair->value);
    } else {
        pair = &list->text[list->texts++];
    }
    *pair = new;
    return HIRL_OK;
}

hirl_status hr_tensors_set_int(hr_tensors *list, const char *key, int64_t value)
{
    char text[32];

    snprintf(text, sizeof text, "%lld", (long long)value);
    return hr_tensors_set_text(list, key, text);
}

const char *hr_tensors_text(const hr_tensors *list, const char *key)
{
    const hr_text_pair *pair = find_text(list, key);

    return pair ? pair->value : NULL;
}

hirl_status hr_tensors_int(int64_t *value, const hr_tensors *list, const char *key)
{
    const hr_key whole = { .name = key, .type = HR_KEY_INT };
    const char *text = hr_tensors_text(list, key);

    if (!text)
        return hr_fail(HIRL_E_FORMAT, "metadata %s is missing", key);
    return hr_key_parse(value, &whole, text) < 0 ? HIRL_E_FORMAT : HIRL_OK;
}
