/* key_text.c - a field's value as the text that hr_key_parse reads back. */
#include "base/key_text.h"

#include <stdio.h>
#include <string.h>

/* shortest digits that read back as the same number, with a point in every locale */
static void print_real(char text[HR_KEY_TEXT_BYTES], double value)
{
    for (int digits = 6; digits <= 17; digits++) {
        double back;

        snprintf(text, HR_KEY_TEXT_BYTES, "%.*g", digits, value);
        if (sscanf(text, "%lf", &back) == 1 && back == value)
            break;
    }
    for (char *c = text; *c; c++)
        if (*c == ',')
            *c = '.';
}

static void print_list(char text[HR_KEY_TEXT_BYTES], const hr_key_list *list)
{
    int at = 0;

    text[0] = 0;
    for (int i = 0; i < list->count; i++)
        at += snprintf(text + at, (size_t)(HR_KEY_TEXT_BYTES - at), "%s%lld", i ? "," : "",
                       (long long)list->item[i]);
    if (!list->count)
        snprintf(text, HR_KEY_TEXT_BYTES, "auto");
}

void hr_key_print(char text[HR_KEY_TEXT_BYTES], const hr_key *key, const void *field)
{
    int64_t whole = 0;

    if (key->type == HR_KEY_INT || key->type == HR_KEY_FLAG || key->type == HR_KEY_CHOICE)
        memcpy(&whole, field, sizeof whole);
    switch (key->type) {
    case HR_KEY_INT:
    case HR_KEY_FLAG:
        if (key->autos && whole == HR_AUTO)
            snprintf(text, HR_KEY_TEXT_BYTES, "auto");
        else
            snprintf(text, HR_KEY_TEXT_BYTES, "%lld", (long long)whole);
        break;
    case HR_KEY_REAL:
        print_real(text, *(const double *)field);
        break;
    case HR_KEY_TEXT:
        snprintf(text, HR_KEY_TEXT_BYTES, "%s", (const char *)field);
        break;
    case HR_KEY_CHOICE:
        hr_choice_name(key, whole, text, HR_KEY_TEXT_BYTES);
        break;
    case HR_KEY_LIST:
        print_list(text, field);
        break;
    }
}
