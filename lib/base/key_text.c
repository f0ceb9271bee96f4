/* key_text.c - a field's value as the text that hr_key_parse reads back. */
#include "base/key_text.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static void print_list(char *text, const hr_key_list *list)
{
    int length = 0;

    if (!list->count)
        snprintf(text, HR_KEY_TEXT_BYTES, "auto");
    for (int32_t i = 0; i < list->count; i++)
        length += snprintf(text + length, HR_KEY_TEXT_BYTES - (size_t)length, "%s%lld",
                           i ? "," : "", (long long)list->item[i]);
}

static void print_real(char *text, bool autos, double x)
{
    if (autos && isnan(x))
        snprintf(text, HR_KEY_TEXT_BYTES, "auto");
    else
        hr_real_text(text, HR_KEY_TEXT_BYTES, x);
}

static void print_whole(char *text, bool autos, int64_t x)
{
    if (autos && x == HR_AUTO)
        snprintf(text, HR_KEY_TEXT_BYTES, "auto");
    else
        snprintf(text, HR_KEY_TEXT_BYTES, "%lld", (long long)x);
}

void hr_key_print(char text[HR_KEY_TEXT_BYTES], const hr_key *key, const void *field)
{
    switch (key->type) {
    case HR_KEY_INT:
    case HR_KEY_FLAG:
        print_whole(text, key->autos, *(const int64_t *)field);
        break;
    case HR_KEY_REAL:
        print_real(text, key->autos, *(const double *)field);
        break;
    case HR_KEY_TEXT:
        snprintf(text, HR_KEY_TEXT_BYTES, "%s", (const char *)field);
        break;
    case HR_KEY_CHOICE:
        hr_choice_name(key, *(const int64_t *)field, text, HR_KEY_TEXT_BYTES);
        break;
    case HR_KEY_LIST:
        print_list(text, field);
        break;
    }
}
