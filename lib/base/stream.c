/* stream.c - where a list of tensors goes to or comes from: a file, a block, or a function of the
 * application. */
#include "base/stream.h"

#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/halt.h"
#include "base/safetensors.h"

/* ---- writing ---- */

typedef struct block {
    char *data;
    size_t bytes, room;
} block;

static hirl_status append(void *state, const void *data, size_t bytes)
{
    block *b = state;

    if (bytes > b->room - b->bytes) {
        size_t room = b->bytes + bytes + b->bytes / 2;
        char *grown = hr_grow(b->data, b->bytes, room);

        if (!grown)
            return HIRL_E_NOMEM;
        b->data = grown;
        b->room = room;
    }
    memcpy(b->data + b->bytes, data, bytes);
    b->bytes += bytes;
    return HIRL_OK;
}

static hirl_status answer(int32_t value, const char *which)
{
    if (value < 0)
        return hr_fail_callback(value, which);
    return value > 0 ? hr_halt_fail() : HIRL_OK;
}

static hirl_status pass(void *state, const void *data, size_t bytes)
{
    const hr_to *to = state;

    return bytes ? answer(to->write(data, bytes, to->user), "write") : HIRL_OK;
}

hirl_status hr_to_check(const hr_to *to, const char *what)
{
    if (to->data)
        *to->data = NULL;
    if (!to->path && !to->write && !(to->data && to->bytes))
        return hr_fail(HIRL_E_INVALID, "%s: path, data, bytes or write is NULL", what);
    return HIRL_OK;
}

hirl_status hr_tensors_put(const hr_tensors *list, const hr_to *to)
{
    block b = { 0 };
    hirl_status status;

    if (to->path)
        return hr_tensors_save(list, to->path);
    if (to->write)
        return hr_tensors_write(list, &(hr_sink){ pass, (void *)to });
    status = hr_tensors_write(list, &(hr_sink){ append, &b });
    if (status < 0) {
        hr_free(b.data);
        return status;
    }
    *to->data = b.data;
    *to->bytes = b.bytes;
    return HIRL_OK;
}

/* ---- reading ---- */

static hirl_status copy(void *state, void *data, size_t bytes, uint64_t at)
{
    memcpy(data, (const char *)((const hr_from *)state)->data + at, bytes);
    return HIRL_OK;
}

static hirl_status ask(void *state, void *data, size_t bytes, uint64_t at)
{
    const hr_from *from = state;

    HR_TRY(hr_halt_check());
    return bytes ? answer(from->read(data, bytes, (int64_t)at, from->user), "read") : HIRL_OK;
}

hirl_status hr_from_check(const hr_from *from, const char *what)
{
    if (!from->path && !from->read && !from->data)
        return hr_fail(HIRL_E_INVALID, "%s: path, data or read is NULL", what);
    if (from->bytes < 0)
        return hr_fail(HIRL_E_INVALID, "%s: bytes is %lld", what, (long long)from->bytes);
    return HIRL_OK;
}

const char *hr_from_name(const hr_from *from)
{
    return from->path ? from->path : from->read ? "the application's file" : "the block in memory";
}

hirl_status hr_tensors_take(hr_tensors *list, const hr_from *from)
{
    hr_supply supply = { from->read ? ask : copy, (void *)from, (uint64_t)from->bytes };

    if (from->path)
        return hr_tensors_load(list, from->path);
    return hr_tensors_read(list, &supply, hr_from_name(from));
}
