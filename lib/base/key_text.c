/* key_text.c - prints the value of a key as text, and compares two texts of a key by value. */
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

/* ---- comparison by value ---- */

static bool read_number(double *value, const char *text, size_t length)
{
    static const hr_key number = { .name = "number", .type = HR_KEY_REAL };
    size_t first = strspn(text, " ");
    char word[64];

    while (length > first && text[length - 1] == ' ')
        length--;
    if (first >= length || length - first >= sizeof word)
        return false;
    snprintf(word, sizeof word, "%.*s", (int)(length - first), text + first);
    return hr_key_parse(value, &number, word) >= 0;
}

static bool same_word(const char *a, size_t a_length, const char *b, size_t b_length)
{
    double x, y;

    if (a_length == b_length && !memcmp(a, b, a_length))
        return true;
    return read_number(&x, a, a_length) && read_number(&y, b, b_length) && x == y;
}

/* Compares two lists whose words are separated by commas or semicolons. */
static bool same_words(const char *a, const char *b)
{
    for (;;) {
        size_t a_length = strcspn(a, ",;"), b_length = strcspn(b, ",;");

        if (!same_word(a, a_length, b, b_length) || a[a_length] != b[b_length])
            return false;
        if (!a[a_length])
            return true;
        a += a_length + 1;
        b += b_length + 1;
    }
}

bool hr_key_same(const hr_key *key, const char *a, const char *b)
{
    char x[HR_KEY_TEXT_BYTES] = { 0 }, y[HR_KEY_TEXT_BYTES] = { 0 };

    if (!strcmp(a, b))
        return true;
    if (key->type == HR_KEY_REAL || key->type == HR_KEY_TEXT)
        return same_words(a, b);
    return hr_key_parse(x, key, a) >= 0 && hr_key_parse(y, key, b) >= 0 && !memcmp(x, y, sizeof x);
}
