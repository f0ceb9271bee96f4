/* option.h - keys of an object in one table, and their values as text with their origin.
 *
 * An object has one `hr_keys` table beside its config struct. From the tables come checking, help,
 * the resolved config.yaml and the reference page (api/options.c knows all of them).
 */
#ifndef HR_OPTION_H
#define HR_OPTION_H

#include "types.h"

typedef enum hr_key_type {
    HR_KEY_INT,    /* int64_t */
    HR_KEY_REAL,   /* double */
    HR_KEY_FLAG,   /* int64_t 0 or 1; text 0 1 true false yes no */
    HR_KEY_TEXT,   /* char[HR_KEY_TEXT_BYTES] */
    HR_KEY_CHOICE, /* int64_t: index into `choices`, words separated by one space */
    HR_KEY_LIST,   /* hr_key_list of int64_t; "800,200,50" */
} hr_key_type;

enum { HR_KEY_TEXT_BYTES = 1024, HR_KEY_LIST_MAX = 8 };
#define HR_AUTO INT64_MIN /* what "auto" reads as where `autos` is set; REAL: NaN; LIST: count 0 */
#define HR_NO_FIELD SIZE_MAX /* offset of a key that no field of the config struct keeps */

typedef struct hr_key_list {
    int32_t count;
    int64_t item[HR_KEY_LIST_MAX];
} hr_key_list;

typedef struct hr_key {
    const char *name;
    hr_key_type type;
    const char *standard; /* default, as text */
    double low, high;     /* inclusive range of INT, REAL, LIST items; equal: any number */
    const char *choices;  /* CHOICE */
    bool autos;           /* "auto" is allowed */
    const char *unit;     /* "" when there is none */
    const char *help;     /* one line */
    size_t offset;        /* of the field in the config struct */
} hr_key;

typedef struct hr_keys {
    const char *object;
    const hr_key *key;
    int32_t count;
} hr_keys;

/* a value that a method or a preset gives to a key; lists of them end with key NULL */
typedef struct hr_setting_pair {
    const char *key, *value;
} hr_setting_pair;

/* origins, rising precedence */
enum { HR_FROM_STANDARD, HR_FROM_PRESET, HR_FROM_FILE, HR_FROM_CALLER };

typedef struct hr_option {
    const char *key; /* static: the table's name */
    char *value;
    int32_t origin;
} hr_option;

/* the public hirl_options */
struct hirl_options {
    hr_option *item;
    int32_t count, room;
};

/* checks and keeps a copy; a value of higher origin that is there already stays */
hirl_status hr_options_put(hirl_options *options, const hr_key *key, const char *value,
                           int32_t origin);
const hr_option *hr_options_find(const hirl_options *options,
                                 const char *key); /* NULL: not given */
void hr_options_drop(hirl_options *options,
                     int32_t origin); /* forgets every value of this origin */
hirl_status hr_options_copy(hirl_options *to, const hirl_options *from); /* to: zeroed */
void hr_options_done(hirl_options *options);

/* checks a text against a key, and stores the number, text or list it stands for at `field` (may be
 * NULL: check only). INVALID names key, text, expectation. Numbers are read without the locale;
 * "2e-6" is one. */
hirl_status hr_key_parse(void *field, const hr_key *key, const char *text);

/* fills config from options (NULL: all defaults), field by field of the table */
hirl_status hr_options_read(void *config, const hr_keys *table, const hirl_options *options);
/* MoCo-v2, moco_v2 and mocov2 are one word */
bool hr_same_word(const char *a, const char *b);
/* word number `index` of the choices, in buffer; "" outside */
const char *hr_choice_name(const hr_key *key, int64_t index, char *buffer, size_t bytes);

/* insertions, deletions, replacements and swaps of neighbours between two names; '-' equals '_' */
int hr_edit_distance(const char *a, const char *b);
/* other is nearer to name than *distance, which becomes its own */
bool hr_nearer(int *distance, const char *name, const char *other);

/* the shortest text that reads back as x, without the locale */
void hr_real_text(char *buffer, size_t bytes, double x);

#endif
