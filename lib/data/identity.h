/* identity.h - a checksum that distinguishes data sets with the same number of images. */
#ifndef HR_IDENTITY_H
#define HR_IDENTITY_H

#include "data/dataset.h"
#include "types.h"

typedef struct hr_identity {
    hr_told told;
    uint32_t crc; /* CRC-32 of the names, pixels or labels */
} hr_identity;

/* Size and CRC-32 of the bytes of a file; not 0. */
int64_t hr_digest_of(const void *bytes, size_t count);
/* Drops the split from a name: `data/train` and `data` with split=train are the same set. */
const char *hr_name_below_split(const hirl_dataset *dataset, const char *name);
hirl_status hr_dataset_identify(hr_identity *identity, const hirl_dataset *dataset);

#endif
