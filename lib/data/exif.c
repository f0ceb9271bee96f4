/* exif.c - the orientation of a photo: tag 0x0112 of the first directory of its Exif block.
 *
 * The block lies in segment APP1 of a JPEG, or in chunk eXIf of a PNG.
 */
#include "data/exif.h"

#include <string.h>

enum { TAG = 0x0112, SHORT = 3, LONG = 4, ENTRY = 12, ENTRIES = 4096 };

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

/* The number of an entry, which may have 2 or 4 bytes. */
static uint32_t value_of(const tiff *t, size_t entry)
{
    uint32_t type = number(t, entry + 2, 2);

    return type == SHORT ? number(t, entry + 8, 2) : type == LONG ? number(t, entry + 8, 4) : 0;
}

int hr_exif_orientation(const uint8_t *bytes, size_t count)
{
    tiff t = { bytes, count, count > 1 && bytes[0] == 'M' };
    size_t at = number(&t, 4, 4);
    uint32_t entries = number(&t, at, 2);

    if (number(&t, 2, 2) != 42 || entries > ENTRIES)
        return 1;
    at += 2;
    for (uint32_t i = 0; i < entries; i++, at += ENTRY)
        if (number(&t, at, 2) == TAG) {
            uint32_t value = value_of(&t, at);

            return value >= 1 && value <= 8 ? (int)value : 1;
        }
    return 1;
}

/* A segment is ff, its marker, two bytes of length, and the content. Several bytes ff may stand
 * before a marker. The markers 01 and d0 to d7 have no content. */
const uint8_t *hr_exif_of_jpeg(size_t *bytes, const uint8_t *file, size_t count)
{
    size_t at = 2;

    while (at + 4 <= count && file[at] == 0xff && file[at + 1] != 0xda) {
        uint8_t marker = file[at + 1];
        size_t length = (size_t)file[at + 2] << 8 | file[at + 3];

        if (marker == 0xff || marker == 0x01 || (marker >= 0xd0 && marker <= 0xd7)) {
            at += marker == 0xff ? 1 : 2;
            continue;
        }
        if (length < 2 || length + 2 > count - at)
            return NULL;
        if (marker == 0xe1 && length >= 8 && !memcmp(file + at + 4, "Exif\0", 6)) {
            *bytes = length - 8;
            return file + at + 10;
        }
        at += length + 2;
    }
    return NULL;
}

/* A chunk is its length, its name, the content and a checksum. */
const uint8_t *hr_exif_of_png(size_t *bytes, const uint8_t *file, size_t count)
{
    tiff t = { file, count, true };
    size_t at = 8;

    while (at + 12 <= count) {
        size_t length = number(&t, at, 4);

        if (length > count - at - 12)
            return NULL;
        if (!memcmp(file + at + 4, "eXIf", 4)) {
            *bytes = length;
            return file + at + 8;
        }
        at += length + 12;
    }
    return NULL;
}
