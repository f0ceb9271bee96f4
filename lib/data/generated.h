/* generated.h - images that are a function of a seed and a number (generated.c). */
#ifndef HR_GENERATED_H
#define HR_GENERATED_H

#include "types.h"

enum { HR_GENERATED_TOP = 4, HR_GENERATED_MIDDLE = 16, HR_GENERATED_FINE = 64 };
/* Numbers from here on belong to the split test. */
#define HR_GENERATED_TEST 0x80000000u

/* The fine class of an image. Its middle class is fine / 4, its top class fine / 16. */
int32_t hr_generated_label(uint64_t seed, uint32_t number);
/* Draws pixels u8 [size, size, 3]. */
void hr_generated_draw(uint8_t *pixels, int32_t size, uint64_t seed, uint32_t number);
/* The name of a class: "bar" at level 2, "two bar" at level 1, "two bar stripes" at level 0. */
void hr_generated_class_name(char name[40], int32_t level, int32_t class_index);

#endif
