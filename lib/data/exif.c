/* exif.c - the orientation of a photo: tag 0x0112 of the first TIFF directory in APP1 of a JPEG. */
#include "data/exif.h"

#include <string.h>

enum { TAG = 0x0112, SHORT = 3, ENTRY = 12, ENTRIES = 4096 };

typedef struct tiff {
    const uint8_t *bytes;
    size_t count;
    bool big; /* most significant byte first */
} tiff;

/* Reads a number of 2 or 4 bytes at offset `at`; 0 beyond the end. */
static uint32_t number(const tiff *t, size_t at, int bytes)
{
    uint32_t value = 0;

    if (at > t->count || t->count - at < (size_t)bytes)
        return 0;
    for (int i = 0; i < bytes; i++)
        value |= (uint32_t)t->bytes[at + i] << 8 * (t->big ? bytes - 1 - i : i);
    return value;
}

static int orientation(const uint8_t *bytes, size_t count)
{
    tiff t = { bytes, count, count > 1 && bytes[0] == 'M' };
    size_t at = number(&t, 4, 4);
    uint32_t entries = number(&t, at, 2);

    if (number(&t, 2, 2) != 42 || entries > ENTRIES)
        return 1;
    at += 2;
    for (uint32_t i = 0; i < entries; i++, at += ENTRY)
        if (number(&t, at, 2) == TAG && number(&t, at + 2, 2) == SHORT) {
            uint32_t value = number(&t, at + 8, 2);

            return value >= 1 && value <= 8 ? (int)value : 1;
        }
    return 1;
}

int hr_exif_orientation(const uint8_t *bytes, size_t count)
{
    size_t at = 2;

    while (at + 4 <= count && bytes[at] == 0xff && bytes[at + 1] != 0xda) {
        size_t length = (size_t)bytes[at + 2] << 8 | bytes[at + 3];

        if (length < 2 || length + 2 > count - at)
            return 1;
        if (bytes[at + 1] == 0xe1 && length >= 8 && !memcmp(bytes + at + 4, "Exif\0", 6))
            return orientation(bytes + at + 10, length - 8);
        at += length + 2;
    }
    return 1;
}
