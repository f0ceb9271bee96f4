/* pictures.h - test images from the counter-based generator, equal to those of
 * tests/golden/augment.py: photo, noise, flat, saturated, colours (all 2^24, 4096 x 4096). */
#ifndef HR_TEST_PICTURES_H
#define HR_TEST_PICTURES_H

#include <stdint.h>
#include <stdio.h>

/* Returns u8 [height, width, 3] allocated by hr_alloc; NULL when the kind is unknown. */
uint8_t *hr_picture(const char *kind, int64_t width, int64_t height);

/* The CRC and some bytes of a result, from a line of the reference file. */
typedef struct hr_print {
    uint32_t crc;
    int at[8];
} hr_print;

int hr_print_read(hr_print *print, FILE *file);
/* Returns NULL when the data has the CRC of print, else a text with the difference. */
const char *hr_print_differs(const hr_print *print, const uint8_t *data, int64_t n);

/* Opens augment.txt, the reference file. */
FILE *hr_reference_open(void);

#endif
