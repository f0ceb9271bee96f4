/* option.c - the keys of an object as one table, and their values as text with their origin. */
#include "base/option.h"

#include <ctype.h>
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"

enum { WORD = 63, SHOWN = 60 };
#define WHOLE 1e15 /* whole numbers below this are printed without an exponent */

/* ---- one value ---- */

static hirl_status refuse(const hr_key *key, const char *text, const char *wanted)
{
    return hr_fail(HIRL_E_INVALID, "%s: '%.*s' is not a %s", key->name, SHOWN, text, wanted);
}

static hirl_status outside(const hr_key *key, const char *value)
{
    char low[32], high[32];

    hr_real_text(low, sizeof low, key->low);
    hr_real_text(high, sizeof high, key->high);
    return hr_fail(HIRL_E_INVALID, "%s: %s is outside the range %s to %s", key->name, value, low,
                   high);
}

static hirl_status check_real(const hr_key *key, double x)
{
    char value[32];

    if (key->low == key->high || (x >= key->low && x <= key->high))
        return HIRL_OK;
    hr_real_text(value, sizeof value, x);
    return outside(key, value);
}

/* Compares as integers: as a double, 2^53 + 1 would be rounded to a bound of 2^53. */
static hirl_status check_whole(const hr_key *key, int64_t x)
{
    char value[32];

    if (key->low == key->high || (x >= (int64_t)key->low && x <= (int64_t)key->high))
        return HIRL_OK;
    snprintf(value, sizeof value, "%lld", (long long)x);
    return outside(key, value);
}

static const char *skip_digits(const char *at)
{
    while (*at >= '0' && *at <= '9')
        at++;
    return at;
}

static const char *skip_sign(const char *at)
{
    return *at == '+' || *at == '-' ? at + 1 : at;
}

/* Returns the end of "[+-] digits" at `text`; NULL when there is no whole number. */
static const char *integer_end(const char *text)
{
    const char *digits = skip_sign(text), *end = skip_digits(digits);

    return end > digits ? end : NULL;
}

/* The syntax is [+-] digits [. digits] [e [+-] digits] [%], with a digit on at least one side of
 * the point. */
static bool is_real(const char *text)
{
    const char *digits = skip_sign(text), *at = skip_digits(digits);
    int64_t count = at - digits;

    if (*at == '.') {
        const char *fraction = at + 1;

        at = skip_digits(fraction);
        count += at - fraction;
    }
    if (count && (*at == 'e' || *at == 'E'))
        at = integer_end(at + 1);
    return count && at && (!*at || !strcmp(at, "%"));
}

static hirl_status read_integer(int64_t *value, const hr_key *key, const char *text,
                                const char *end)
{
    const char *at = skip_sign(text);
    int64_t x = 0, sign = *text == '-' ? -1 : 1;

    for (; at < end; at++)
        if (__builtin_mul_overflow(x, 10, &x) || __builtin_add_overflow(x, sign * (*at - '0'), &x))
            return refuse(key, text, "whole number of 64 bits");
    *value = x;
    return check_whole(key, x);
}

static hirl_status read_int(int64_t *value, const hr_key *key, const char *text)
{
    const char *end = integer_end(text);

    if (!end || *end)
        return refuse(key, text, "whole number");
    return read_integer(value, key, text, end);
}

static hirl_status read_real(double *value, const hr_key *key, const char *text)
{
    locale_t c;

    if (!is_real(text))
        return refuse(key, text, "number");
    c = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    if (!c)
        return hr_fail(HIRL_E_NOMEM, "out of memory: the C locale could not be created");
    *value = strtod_l(text, NULL, c);
    if (strchr(text, '%'))
        *value /= 100;
    freelocale(c);
    if (!isfinite(*value))
        return refuse(key, text, "finite number");
    return check_real(key, *value);
}

static hirl_status read_flag(int64_t *value, const hr_key *key, const char *text)
{
    static const char *const word[] = { "0", "1", "false", "true", "no", "yes" };

    for (int i = 0; i < 6; i++)
        if (!strcmp(text, word[i])) {
            *value = i & 1;
            return HIRL_OK;
        }
    return refuse(key, text, "flag (0 or 1)");
}

static hirl_status check_text(const hr_key *key, const char *text)
{
    if (strlen(text) >= HR_KEY_TEXT_BYTES)
        return hr_fail(HIRL_E_INVALID, "%s: the text has %zu bytes, at most %d are possible",
                       key->name, strlen(text), HR_KEY_TEXT_BYTES - 1);
    for (const char *at = text; *at; at++)
        if ((unsigned char)*at < 0x20 || *at == 0x7f)
            return hr_fail(HIRL_E_INVALID, "%s: the text contains the control byte 0x%02x",
                           key->name, (unsigned)(unsigned char)*at);
    return HIRL_OK;
}

bool hr_same_word(const char *a, const char *b)
{
    for (;; a++, b++) {
        a += strspn(a, "-_");
        b += strspn(b, "-_");
        if (tolower((unsigned char)*a) != tolower((unsigned char)*b))
            return false;
        if (!*a)
            return true;
    }
}

static hirl_status read_choice(int64_t *value, const hr_key *key, const char *text)
{
    char word[WORD + 1];

    for (int64_t i = 0; *hr_choice_name(key, i, word, sizeof word); i++)
        if (hr_same_word(text, word)) {
            *value = i;
            return HIRL_OK;
        }
    return hr_fail(HIRL_E_INVALID, "%s: '%.*s' is not one of: %s", key->name, SHOWN, text,
                   key->choices);
}

/* Reads a list such as "800,200, 50". */
static hirl_status read_list(hr_key_list *list, const hr_key *key, const char *text)
{
    const char *at = text;

    *list = (hr_key_list){ 0 };
    for (;;) {
        const char *end;

        at += strspn(at, " ");
        end = integer_end(at);
        if (!end)
            return refuse(key, text, "list of whole numbers");
        if (list->count == HR_KEY_LIST_MAX)
            return hr_fail(HIRL_E_INVALID, "%s: the list has more than %d numbers", key->name,
                           HR_KEY_LIST_MAX);
        HR_TRY(read_integer(&list->item[list->count++], key, at, end));
        at = end + strspn(end, " ");
        if (!*at)
            return HIRL_OK;
        if (*at++ != ',')
            return refuse(key, text, "list of whole numbers");
    }
}

typedef union value {
    int64_t whole;
    double number;
    hr_key_list list;
} value;

static size_t read_auto(value *v, const hr_key *key)
{
    *v = (value){ .list = { 0 } };
    if (key->type == HR_KEY_LIST)
        return sizeof v->list;
    if (key->type == HR_KEY_REAL)
        v->number = NAN;
    else
        v->whole = HR_AUTO;
    return sizeof v->whole;
}

static hirl_status read_value(value *v, size_t *bytes, const hr_key *key, const char *text)
{
    *bytes = sizeof v->whole;
    switch (key->type) {
    case HR_KEY_INT:
        return read_int(&v->whole, key, text);
    case HR_KEY_FLAG:
        return read_flag(&v->whole, key, text);
    case HR_KEY_CHOICE:
        return read_choice(&v->whole, key, text);
    case HR_KEY_REAL:
        *bytes = sizeof v->number;
        return read_real(&v->number, key, text);
    case HR_KEY_LIST:
        *bytes = sizeof v->list;
        return read_list(&v->list, key, text);
    case HR_KEY_TEXT:
        break;
    }
    return hr_fail(HIRL_E_INTERNAL, "%s: the table of keys has an unknown type for this key",
                   key->name);
}

hirl_status hr_key_parse(void *field, const hr_key *key, const char *text)
{
    size_t bytes;
    value v;

    if (key->type == HR_KEY_TEXT) {
        HR_TRY(check_text(key, text));
        if (field)
            memcpy(field, text, strlen(text) + 1);
        return HIRL_OK;
    }
    if (key->autos && !strcmp(text, "auto"))
        bytes = read_auto(&v, key);
    else
        HR_TRY(read_value(&v, &bytes, key, text));
    if (field)
        memcpy(field, &v, bytes);
    return HIRL_OK;
}

const char *hr_choice_name(const hr_key *key, int64_t index, char *buffer, size_t bytes)
{
    const char *at = key->choices;
    size_t length;

    for (; index > 0 && at; index--) {
        at = strchr(at, ' ');
        at = at ? at + 1 : NULL;
    }
    length = at && !index ? strcspn(at, " ") : 0;
    snprintf(buffer, bytes, "%.*s", (int)length, length ? at : "");
    return buffer;
}

void hr_real_text(char *buffer, size_t bytes, double x)
{
    locale_t c = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    locale_t before = c ? uselocale(c) : (locale_t)0;

    snprintf(buffer, bytes, "%.0f", fabs(x) < WHOLE ? x : 0);
    for (int digits = 1; digits <= 17 && strtod(buffer, NULL) != x; digits++)
        snprintf(buffer, bytes, "%.*g", digits, x);
    if (!c)
        return;
    uselocale(before);
    freelocale(c);
}

/* ---- values by key ---- */

static hr_option *find(const hirl_options *options, const char *key)
{
    for (int32_t i = 0; i < options->count; i++)
        if (!strcmp(options->item[i].key, key))
            return &options->item[i];
    return NULL;
}

const hr_option *hr_options_find(const hirl_options *options, const char *key)
{
    return options ? find(options, key) : NULL;
}

static hirl_status keep(hirl_options *options, const char *key, const char *text, int32_t origin)
{
    hr_option *item = hr_grow_array(options->item, &options->room, options->count, sizeof *item);
    char *copy;

    if (!item)
        return HIRL_E_NOMEM;
    options->item = item;
    item = find(options, key);
    if (item && item->origin > origin)
        return HIRL_OK;
    copy = hr_strdup(text);
    if (!copy)
        return HIRL_E_NOMEM;
    if (!item)
        item = &options->item[options->count++];
    hr_free(item->value);
    *item = (hr_option){ key, copy, origin };
    return HIRL_OK;
}

/* Texts of numbers have a range, or a list as their default. */
static bool is_list(const hr_key *key)
{
    return key->type == HR_KEY_LIST ||
           (key->type == HR_KEY_TEXT && (key->low != key->high || strchr(key->standard, ',')));
}

/* "[32, 8, 4]" becomes "32,8,4"; other texts stay. `plain` has room for text. */
static const char *without_brackets(char *plain, const hr_key *key, const char *text)
{
    size_t n = strlen(text), kept = 0;

    if (!is_list(key) || n < 2 || n >= HR_KEY_TEXT_BYTES || text[0] != '[' || text[n - 1] != ']')
        return text;
    for (size_t i = 1; i + 1 < n; i++)
        if (text[i] != ' ')
            plain[kept++] = text[i];
    plain[kept] = 0;
    return plain;
}

hirl_status hr_options_put(hirl_options *options, const hr_key *key, const char *text,
                           int32_t origin)
{
    char word[WORD + 1], plain[HR_KEY_TEXT_BYTES];
    int64_t index;

    text = without_brackets(plain, key, text);
    if (key->type != HR_KEY_CHOICE || (key->autos && !strcmp(text, "auto"))) {
        HR_TRY(hr_key_parse(NULL, key, text));
        return keep(options, key->name, text, origin);
    }
    HR_TRY(hr_key_parse(&index, key, text));
    return keep(options, key->name, hr_choice_name(key, index, word, sizeof word), origin);
}

void hr_options_drop(hirl_options *options, int32_t origin)
{
    int32_t kept = 0;

    for (int32_t i = 0; i < options->count; i++) {
        if (options->item[i].origin == origin)
            hr_free(options->item[i].value);
        else
            options->item[kept++] = options->item[i];
    }
    for (int32_t i = kept; i < options->count; i++)
        options->item[i] = (hr_option){ 0 };
    options->count = kept;
}

hirl_status hr_options_copy(hirl_options *to, const hirl_options *from)
{
    for (int32_t i = 0; i < from->count; i++) {
        const hr_option *item = &from->item[i];
        hirl_status status = keep(to, item->key, item->value, item->origin);

        if (status) {
            hr_options_done(to);
            return status;
        }
    }
    return HIRL_OK;
}

void hr_options_done(hirl_options *options)
{
    for (int32_t i = 0; i < options->count; i++)
        hr_free(options->item[i].value);
    hr_free(options->item);
    *options = (hirl_options){ 0 };
}

hirl_status hr_options_read(void *config, const hr_keys *table, const hirl_options *options)
{
    for (int32_t i = 0; i < table->count; i++) {
        const hr_key *key = &table->key[i];
        const hr_option *given = hr_options_find(options, key->name);
        void *field = key->offset == HR_NO_FIELD ? NULL : (char *)config + key->offset;

        HR_TRY(hr_key_parse(field, key, given ? given->value : key->standard));
    }
    return HIRL_OK;
}

/* ---- misspelt names ---- */

static char plain(char c)
{
    return c == '-' ? '_' : c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static int smaller(int a, int b)
{
    return a < b ? a : b;
}

/* Optimal string alignment distance. The rows are those for i-2, i-1 and i characters of a. */
int hr_edit_distance(const char *a, const char *b)
{
    int row[3][WORD + 1], *before = row[0], *last = row[1], *now = row[2];
    int n = (int)strnlen(a, WORD), m = (int)strnlen(b, WORD);

    for (int j = 0; j <= m; j++)
        last[j] = j;
    for (int i = 1; i <= n; i++) {
        int *free_row = before;

        now[0] = i;
        for (int j = 1; j <= m; j++) {
            char x = plain(a[i - 1]), y = plain(b[j - 1]);

            now[j] = smaller(last[j - 1] + (x != y), smaller(last[j], now[j - 1]) + 1);
            if (i > 1 && j > 1 && x == plain(b[j - 2]) && y == plain(a[i - 2]))
                now[j] = smaller(now[j], before[j - 2] + 1);
        }
        before = last;
        last = now;
        now = free_row;
    }
    return last[m];
}

bool hr_nearer(int *distance, const char *name, const char *other)
{
    int d = hr_edit_distance(name, other);

    if (d >= *distance)
        return false;
    *distance = d;
    return true;
}
