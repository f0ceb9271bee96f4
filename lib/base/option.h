/* option.h - the keys of an object as one table, and their values as text with their origin.
 *
 * An object has a config struct and an `hr_keys` table that describes its fields. The tables serve
 * to check values, print help, and write config.yaml and the reference page. api/options.c lists
 * all tables.
 */
#ifndef HR_OPTION_H
#define HR_OPTION_H

#include "types.h"

typedef enum hr_key_type {
    HR_KEY_INT,    /* int64_t */
    HR_KEY_REAL,   /* double */
    HR_KEY_FLAG,   /* int64_t 0 or 1; as text 0, 1, true, false, yes or no */
    HR_KEY_TEXT,   /* char[HR_KEY_TEXT_BYTES] */
    HR_KEY_CHOICE, /* int64_t: index into `choices`, words separated by one space */
    HR_KEY_LIST,   /* hr_key_list of int64_t; as text "800,200,50" */
} hr_key_type;

enum { HR_KEY_TEXT_BYTES = 1024, HR_KEY_LIST_MAX = 8 };
#define HR_AUTO INT64_MIN /* the value of "auto" where `autos` is set; REAL: NaN; LIST: count 0 */
#define HR_NO_FIELD SIZE_MAX /* offset of a key that has no field in the config struct */

typedef struct hr_key_list {
    int32_t count;
    int64_t item[HR_KEY_LIST_MAX];
} hr_key_list;

typedef struct hr_key {
    const char *name;
    hr_key_type type;
    const char *standard; /* the default, as text */
    double low, high;     /* inclusive range of INT, REAL and LIST items; equal: no limits */
    const char *choices;  /* the words of a CHOICE */
    bool autos;           /* "auto" is allowed */
    const char *unit;     /* "" when there is none */
    const char *help;     /* one line */
    size_t offset;        /* position of the field in the config struct */
} hr_key;

typedef struct hr_keys {
    const char *object;
    const hr_key *key;
    int32_t count;
} hr_keys;

/* A value that a method or a preset gives to a key. Lists of pairs end with key NULL. */
typedef struct hr_setting_pair {
    const char *key, *value;
} hr_setting_pair;

/* Where a value comes from; later ones override earlier ones. */
enum { HR_FROM_STANDARD, HR_FROM_PRESET, HR_FROM_FILE, HR_FROM_CALLER };

typedef struct hr_option {
    const char *key; /* the static name in the table */
    char *value;
    int32_t origin;
} hr_option;

/* the public hirl_options */
struct hirl_options {
    hr_option *item;
    int32_t count;
    int64_t room;
};

/* Checks the text and keeps a copy. A value of higher origin that is already present stays. */
hirl_status hr_options_put(hirl_options *options, const hr_key *key, const char *value,
                           int32_t origin);
const hr_option *hr_options_find(const hirl_options *options,
                                 const char *key); /* NULL: not given */
void hr_options_drop(hirl_options *options,
                     int32_t origin); /* removes every value of this origin */
hirl_status hr_options_copy(hirl_options *to, const hirl_options *from); /* `to` is zeroed before */
void hr_options_done(hirl_options *options);

/* Checks a text against a key and stores its value at `field` (NULL: only checks). The message of
 * INVALID names the key, the text and what was expected. Numbers do not depend on the locale. */
hirl_status hr_key_parse(void *field, const hr_key *key, const char *text);

/* Fills the fields of `config` from options, and from the defaults where a key is not given. */
hirl_status hr_options_read(void *config, const hr_keys *table, const hirl_options *options);
/* Compares without case, '-' and '_': MoCo-v2, moco_v2 and mocov2 are the same word. */
bool hr_same_word(const char *a, const char *b);
/* Copies word number `index` of the choices to `buffer` and returns it; "" when there is none. */
const char *hr_choice_name(const hr_key *key, int64_t index, char *buffer, size_t bytes);

/* Number of insertions, deletions, replacements and swaps of neighbours that turn one name into the
 * other. Case is ignored, and '-' equals '_'. */
int hr_edit_distance(const char *a, const char *b);
/* True when `other` is closer to `name` than *distance, which then becomes the new distance. */
bool hr_nearer(int *distance, const char *name, const char *other);

/* Prints the shortest text that reads back as x, whatever the locale. */
void hr_real_text(char *buffer, size_t bytes, double x);

#endif
