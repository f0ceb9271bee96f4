/* role.c - the split that the name of a folder or file states: training, validation, test. */
#include "data/role.h"

#include <string.h>

typedef struct split_word {
    const char *word;
    hr_role role;
} split_word;

static const split_word split_words[] = {
    { "train", HR_ROLE_TRAIN },
    { "training", HR_ROLE_TRAIN },
    { "trainval", HR_ROLE_TRAIN },
    { "val", HR_ROLE_VAL },
    { "valid", HR_ROLE_VAL },
    { "validation", HR_ROLE_VAL },
    { "dev", HR_ROLE_VAL },
    { "development", HR_ROLE_VAL },
    { "test", HR_ROLE_TEST },
    { "testing", HR_ROLE_TEST },
    { "tests", HR_ROLE_TEST },
    { "t10k", HR_ROLE_TEST },
    { "eval", HR_ROLE_TEST },
    { "evaluation", HR_ROLE_TEST },
    { "holdout", HR_ROLE_TEST },
    { "unlabeled", HR_ROLE_UNLABELLED },
    { "unlabelled", HR_ROLE_UNLABELLED },
};

/* words that say nothing about what the images show */
static const char *const fillers[] = { "set",        "sets",     "data",   "dataset", "datasets",
                                       "split",      "splits",   "image",  "images",  "img",
                                       "imgs",       "photo",    "photos", "pic",     "pics",
                                       "picture",    "pictures", "file",   "files",   "folder",
                                       "jpg",        "jpeg",     "jpegs",  "png",     "pngs",
                                       "jpegimages", "raw",      "resized" };

static bool is_small(char c)
{
    return c >= 'a' && c <= 'z';
}

static bool is_capital(char c)
{
    return c >= 'A' && c <= 'Z';
}

/* Bytes beyond ASCII are letters. */
static bool is_letter(char c)
{
    return is_small(c) || is_capital(c) || (c & 0x80);
}

/* In lower case, in every locale. */
static char lower(char c)
{
    return is_capital(c) ? (char)(c - 'A' + 'a') : c;
}

/* Compares a word with one in lower case. */
static bool same(const char *word, size_t length, const char *other)
{
    if (strlen(other) != length)
        return false;
    for (size_t i = 0; i < length; i++)
        if (lower(word[i]) != other[i])
            return false;
    return true;
}

static bool is_filler(const char *word, size_t length)
{
    for (size_t i = 0; i < sizeof fillers / sizeof *fillers; i++)
        if (same(word, length, fillers[i]))
            return true;
    return length < 2;
}

static const split_word *find_word(const char *word, size_t length)
{
    for (size_t i = 0; i < sizeof split_words / sizeof *split_words; i++)
        if (same(word, length, split_words[i].word))
            return &split_words[i];
    return NULL;
}

const char *hr_split_name(const char *word, size_t length)
{
    const split_word *found = find_word(word, length);

    return found ? found->word : NULL;
}

const char *hr_split_of_file(const char *name, const char *suffix)
{
    size_t n = strlen(name), m = strlen(suffix);

    return n > m && !strcmp(name + n - m, suffix) ? hr_split_name(name, n - m) : NULL;
}

/* The role of one word, which may have a filler at its end: "trainset". */
static hr_role role_of_word(const char *word, size_t length)
{
    const split_word *found = find_word(word, length);

    for (size_t i = 0; !found && i < sizeof fillers / sizeof *fillers; i++) {
        size_t end = strlen(fillers[i]);

        if (length > end && same(word + length - end, end, fillers[i]))
            found = find_word(word, length - end);
    }
    return found ? found->role : HR_ROLE_NONE;
}

/* Finds the next run of letters; a capital after a small letter begins another one. "t10k"
 * is one word. */
static bool next_word(const char **word, size_t *n, const char **from, const char *end)
{
    const char *at = *from;

    while (at < end && !is_letter(*at))
        at++;
    *word = at;
    if (end - at >= 4 && same(at, 4, "t10k"))
        at += 4;
    while (at < end && is_letter(*at)) {
        at++;
        if (at < end && is_small(at[-1]) && is_capital(*at))
            break;
    }
    *n = (size_t)(at - *word);
    *from = at;
    return *n > 0;
}

static void append_word(char rest[HR_REST_BYTES], const char *word, size_t n)
{
    size_t used = strlen(rest);

    for (size_t i = 0; i < n && used + 2 < HR_REST_BYTES; i++)
        rest[used++] = lower(word[i]);
    rest[used++] = ' ';
    rest[used] = 0;
}

hr_role hr_role_of_name(char rest[HR_REST_BYTES], const char *name, size_t length)
{
    const char *word, *from = name;
    hr_role role = HR_ROLE_NONE;
    size_t n;

    *rest = 0;
    while (next_word(&word, &n, &from, name + length)) {
        hr_role stated = role_of_word(word, n);

        if (!stated && !is_filler(word, n))
            append_word(rest, word, n);
        if (!stated || stated == role)
            continue;
        if (role && (role != HR_ROLE_TRAIN || stated != HR_ROLE_VAL)) /* "train_val" is training */
            return HR_ROLE_NONE;
        if (!role)
            role = stated;
    }
    return role;
}

hr_role hr_role_of_plain_name(const char *name, size_t length)
{
    char rest[HR_REST_BYTES];
    hr_role role = hr_role_of_name(rest, name, length);

    return *rest ? HR_ROLE_NONE : role;
}

bool hr_is_wrapper_name(const char *name, size_t length)
{
    const char *word, *from = name;
    bool filler = false;
    size_t n;

    while (next_word(&word, &n, &from, name + length)) {
        if (!is_filler(word, n))
            return false;
        filler |= n > 1; /* a class may be called 7 or B */
    }
    return filler;
}
