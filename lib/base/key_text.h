/* key_text.h - a field's value as the text that hr_key_parse reads back; texts of the same value. */
#ifndef HR_KEY_TEXT_H
#define HR_KEY_TEXT_H

#include "base/option.h"

void hr_key_print(char text[HR_KEY_TEXT_BYTES], const hr_key *key, const void *field);
/* the two stand for the same value: 0 and 0.0, "800, 50" and 800,50; numbers between the commas of a TEXT
 * are numbers as well */
bool hr_key_same(const hr_key *key, const char *a, const char *b);

#endif
