/* pictures.h - test images from the documented counter generator, twins of those in
 * tests/golden/augment.py: photo, noise, flat, saturated, colours (all 2^24, 4096 x 4096). */
#ifndef HR_TEST_PICTURES_H
#define HR_TEST_PICTURES_H

#include <stdint.h>
#include <stdio.h>

/* u8 [height, width, 3] of hr_alloc; NULL: no such kind */
uint8_t *hr_picture(const char *kind, int64_t width, int64_t height);

/* what a reference line says about a result, and whether it is so */
typedef struct hr_print {
    uint32_t crc;
    int at[8];
} hr_print;

int hr_print_read(hr_print *print, FILE *file);
/* NULL when data has the CRC of print, else what differs */
const char *hr_print_differs(const hr_print *print, const uint8_t *data, int64_t n);

/* augment.txt of the golden numbers */
FILE *hr_reference_open(void);

#endif
