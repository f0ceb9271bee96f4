/* origin.c - which images the rows of a tree stand for. */
#include "hier/origin.h"

#include <string.h>

#include "base/alloc.h"
#include "base/error.h"

static const char NAMES[] = "images.names", DIGESTS[] = "images.digests";
static const char KIND[] = "images_kind", CRC[] = "images_crc";

/* Finds the names in text. FORMAT: it does not hold n of them. */
static hirl_status point_to_names(hr_origin *origin)
{
    const char *at = origin->text, *end = at + origin->bytes;

    origin->name = hr_alloc_array((size_t)origin->n, sizeof *origin->name);
    if (!origin->name)
        return HIRL_E_NOMEM;
    for (int64_t i = 0; i < origin->n; i++) {
        const char *stop = memchr(at, 0, (size_t)(end - at));

        if (!stop)
            return hr_fail(HIRL_E_FORMAT, "names of %lld images, expected %lld", (long long)i,
                           (long long)origin->n);
        origin->name[i] = at;
        at = stop + 1;
    }
    return at == end
               ? HIRL_OK
               : hr_fail(HIRL_E_FORMAT, "names of more than %lld images", (long long)origin->n);
}

static hirl_status take_names(hr_origin *origin, const char *const *name)
{
    char *at;

    for (int64_t i = 0; i < origin->n; i++)
        origin->bytes += (int64_t)strlen(name[i]) + 1;
    at = origin->text = hr_alloc((size_t)origin->bytes);
    if (!at)
        return HIRL_E_NOMEM;
    for (int64_t i = 0; i < origin->n; i++) {
        size_t bytes = strlen(name[i]) + 1;

        memcpy(at, name[i], bytes);
        at += bytes;
    }
    return point_to_names(origin);
}

hirl_status hr_origin_new(hr_origin **origin, const char *const *name, int64_t n)
{
    hirl_status status;

    *origin = hr_alloc(sizeof **origin);
    if (!*origin)
        return HIRL_E_NOMEM;
    (*origin)->n = n;
    status = name ? take_names(*origin, name) : HIRL_OK;
    if (status < 0) {
        hr_origin_free(*origin);
        *origin = NULL;
    }
    return status;
}

void hr_origin_free(hr_origin *origin)
{
    if (!origin)
        return;
    hr_free(origin->name);
    hr_free(origin->text);
    hr_free(origin);
}

int64_t hr_origin_row(const hr_origin *origin, int64_t i)
{
    return i * origin->n / origin->digests;
}

hirl_status hr_origin_save(hr_tensors *out, const hr_origin *origin)
{
    if (!origin)
        return HIRL_OK;
    if (origin->text)
        HR_TRY(hr_tensors_add(out, NAMES, HR_U8, 1, &origin->bytes, origin->text));
    if (origin->digests)
        HR_TRY(hr_tensors_add(out, DIGESTS, HR_I64, 1, &origin->digests, origin->digest));
    HR_TRY(hr_tensors_set_int(out, KIND, origin->kind));
    return hr_tensors_set_int(out, CRC, origin->crc);
}

static hirl_status load_names(hr_origin *origin, const hr_tensors *in)
{
    const hr_named *found = hr_tensors_find(in, NAMES);

    if (!found)
        return HIRL_OK;
    if (found->dtype != HR_U8 || found->rank != 1)
        return hr_fail(HIRL_E_FORMAT, "%s is not an array of bytes", NAMES);
    origin->bytes = found->dim[0];
    origin->text = hr_alloc((size_t)origin->bytes + 1);
    if (!origin->text)
        return HIRL_E_NOMEM;
    memcpy(origin->text, found->data, (size_t)origin->bytes);
    return point_to_names(origin);
}

static hirl_status load_digests(hr_origin *origin, const hr_tensors *in)
{
    const hr_named *found = hr_tensors_find(in, DIGESTS);

    if (!found)
        return HIRL_OK;
    if (found->dtype != HR_I64 || found->rank != 1 || found->dim[0] < 1 ||
        found->dim[0] > HR_ORIGIN_DIGESTS || found->dim[0] > origin->n)
        return hr_fail(HIRL_E_FORMAT, "%s is not an array of 1 to %d numbers", DIGESTS,
                       HR_ORIGIN_DIGESTS);
    origin->digests = found->dim[0];
    memcpy(origin->digest, found->data, found->bytes);
    return HIRL_OK;
}

hirl_status hr_origin_load(hr_origin **out, const hr_tensors *in, int64_t n)
{
    hr_origin *origin;
    hirl_status status;

    *out = NULL;
    if (!hr_tensors_text(in, KIND))
        return HIRL_OK;
    HR_TRY(hr_origin_new(&origin, NULL, n));
    status = hr_tensors_int(&origin->kind, in, KIND);
    if (status >= 0)
        status = hr_tensors_int(&origin->crc, in, CRC);
    if (status >= 0)
        status = load_names(origin, in);
    if (status >= 0)
        status = load_digests(origin, in);
    if (status < 0) {
        hr_origin_free(origin);
        return status;
    }
    *out = origin;
    return HIRL_OK;
}
