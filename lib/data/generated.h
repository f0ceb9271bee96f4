/* generated.h - images drawn from their number: see generated.c. */
#ifndef HR_GENERATED_H
#define HR_GENERATED_H

#include "types.h"

enum { HR_GENERATED_TOP = 4, HR_GENERATED_MIDDLE = 16, HR_GENERATED_FINE = 64 };
/* numbers from here on are the split `test` */
#define HR_GENERATED_TEST 0x80000000u

/* fine class of an image: middle = fine / 4, top = fine / 16 */
int32_t hr_generated_label(uint64_t seed, uint32_t number);
/* u8 [size, size, 3] */
void hr_generated_draw(uint8_t *pixels, int32_t size, uint64_t seed, uint32_t number);
/* "bar", "bar pair", "bar pair striped"; level 0: fine */
void hr_generated_class_name(char name[40], int32_t level, int32_t class_index);

#endif
