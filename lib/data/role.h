/* role.h - the split that the name of a folder or file states: training, validation, test. */
#ifndef HR_DATA_ROLE_H
#define HR_DATA_ROLE_H

#include "types.h"

typedef enum hr_role {
    HR_ROLE_NONE,
    HR_ROLE_TRAIN,
    HR_ROLE_VAL,
    HR_ROLE_TEST,
    HR_ROLE_UNLABELLED,
} hr_role;

enum { HR_REST_BYTES = 64 };

/* Returns the word in lower case, as a static string, if it alone names a split in any case:
 * "train", "training", "valid", "dev", "t10k", ...; NULL: no such word. */
const char *hr_split_name(const char *word, size_t length);
/* The split of a file named <split><suffix>; NULL for any other name. */
const char *hr_split_of_file(const char *name, const char *suffix);

/* The role that a name states beside numbers, single letters and words such as "set" and "images":
 * "train2017", "test-a", "ValidationSet". `rest` receives all its other words in lower case: "" for
 * these, "seg" for "seg_train", "station" for "train_station". */
hr_role hr_role_of_name(char rest[HR_REST_BYTES], const char *name, size_t length);
/* The same; NONE when the name has other words. */
hr_role hr_role_of_plain_name(const char *name, size_t length);
/* True when all words of a name are like "images" and "data". */
bool hr_is_wrapper_name(const char *name, size_t length);

#endif
