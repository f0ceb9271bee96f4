/* key_text.h - a field's value as the text that hr_key_parse reads back. */
#ifndef HR_KEY_TEXT_H
#define HR_KEY_TEXT_H

#include "base/option.h"

void hr_key_print(char text[HR_KEY_TEXT_BYTES], const hr_key *key, const void *field);

#endif
