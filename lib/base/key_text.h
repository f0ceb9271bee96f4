/* key_text.h - prints the value of a key as text, and compares two texts of a key by value. */
#ifndef HR_KEY_TEXT_H
#define HR_KEY_TEXT_H

#include "base/option.h"

/* Prints a field of the config struct as text that hr_key_parse reads back to the same value. */
void hr_key_print(char text[HR_KEY_TEXT_BYTES], const hr_key *key, const void *field);
/* True when both texts stand for the same value of the key: "0" and "0.0", "800, 50" and "800,50".
 * Words of a TEXT, separated by commas or semicolons, are compared as numbers where both are. */
bool hr_key_same(const hr_key *key, const char *a, const char *b);

#endif
