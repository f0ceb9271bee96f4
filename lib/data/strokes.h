/* strokes.h - images of written characters that are a function of a seed and a number (strokes.c).
 */
#ifndef HR_STROKES_H
#define HR_STROKES_H

#include "types.h"

enum { HR_STROKES_ALPHABETS = 10, HR_STROKES_LETTERS = 6, HR_STROKES_FINE = 60 };

/* The character of an image. Its alphabet is character / HR_STROKES_LETTERS. */
int32_t hr_strokes_label(uint64_t seed, uint32_t number);
/* Draws pixels u8 [size, size, 3]. */
void hr_strokes_draw(uint8_t *pixels, int32_t size, uint64_t seed, uint32_t number);
/* The name of a class: "alphabet 3" at level 1, "alphabet 3 letter 5" at level 0. */
void hr_strokes_class_name(char name[40], int32_t level, int32_t class_index);

#endif
