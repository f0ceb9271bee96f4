/* record.c - structs that the application passes: each begins with its struct_size. */
#include "base/record.h"

#include <string.h>

#include "base/error.h"

enum { LARGEST = 4096 }; /* bytes; a larger struct_size was never set */

static size_t size_of(const void *record)
{
    return *(const size_t *)record;
}

hirl_status hr_record_check(const void *record, size_t known, const char *name, const char *type)
{
    const unsigned char *byte = record;

    if (!record)
        return hr_fail(HIRL_E_INVALID, "%s is NULL", name);
    if (size_of(record) < sizeof(size_t) || size_of(record) > LARGEST)
        return hr_fail(HIRL_E_INVALID, "%s: struct_size is %zu; set it to sizeof(%s)", name,
                       size_of(record), type);
    for (size_t i = known; i < size_of(record); i++)
        if (byte[i])
            return hr_fail(HIRL_E_VERSION,
                           "%s: byte %zu of %s is set, of which this library knows %zu bytes; "
                           "leave newer fields at zero, or update the library",
                           name, i, type, known);
    return HIRL_OK;
}

hirl_status hr_record_read(void *whole, size_t known, const void *record, const char *name,
                           const char *type)
{
    HR_TRY(hr_record_check(record, known, name, type));
    memcpy(whole, record, size_of(record) < known ? size_of(record) : known);
    return HIRL_OK;
}

void hr_record_fill(void *record, const void *whole, size_t known)
{
    size_t end = size_of(record) < known ? size_of(record) : known;

    memcpy((char *)record + sizeof(size_t), (const char *)whole + sizeof(size_t),
           end - sizeof(size_t));
}
