/* record.h - structs that the application passes: each begins with its struct_size.
 *
 * An application that was compiled with older headers passes a smaller struct, one that was
 * compiled with newer headers a larger one (lib/ABI.md). The library itself works with whole
 * structs.
 */
#ifndef HR_RECORD_H
#define HR_RECORD_H

#include "types.h"

/* INVALID: record is NULL, or its struct_size was not set. VERSION: it is larger than `known`, the
 * bytes that the library knows, and the rest is not zero. name: of the argument, then its type. */
hirl_status hr_record_check(const void *record, size_t known, const char *name, const char *type);
/* Checks a record, and copies the part that it has to `whole`, which the caller has zeroed. */
hirl_status hr_record_read(void *whole, size_t known, const void *record, const char *name,
                           const char *type);
/* Fills a record that was checked, up to its size. struct_size stays. */
void hr_record_fill(void *record, const void *whole, size_t known);

#define HR_RECORD_CHECK(record, name, type) hr_record_check(record, sizeof(type), name, #type)
#define HR_RECORD_READ(whole, record, name, type)                                                  \
    hr_record_read(whole, sizeof(type), record, name, #type)

#endif
