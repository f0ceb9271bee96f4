/* identity.h - a checksum that distinguishes data sets with the same number of images. */
#ifndef HR_IDENTITY_H
#define HR_IDENTITY_H

#include "data/dataset.h"
#include "types.h"

typedef struct hr_identity {
    hr_told told;
    uint32_t crc; /* CRC-32 of the names, pixels or labels */
} hr_identity;

hirl_status hr_dataset_identify(hr_identity *identity, const hirl_dataset *dataset);

#endif
