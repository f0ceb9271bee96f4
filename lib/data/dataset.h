/* dataset.h - where images come from, behind one table of functions per format.
 *
 * A format's open function (formats.h) finds the parts of the data (splits), lets hr_dataset_choose
 * mark those that `split` means, reads what is needed and fills source, count and labels.
 * dataset.c then holds images out and thins to max_images: image i of the set is number order[i] of
 * the source.
 */
#ifndef HR_DATASET_H
#define HR_DATASET_H

#include "base/option.h"
#include "context.h"
#include "types.h"

#include <hirl/dataset.h>

/* u8 RGB [height, width, 3]; the buffer is kept and grown from image to image */
typedef struct hr_pixels {
    uint8_t *data;
    size_t room;
    int32_t width, height;
} hr_pixels;

/* what protects the program: checked before anything is allocated */
enum { HR_IMAGE_SIDE = 32768, HR_IMAGE_PIXELS = 64 << 20, HR_IMAGE_BYTES = 64 << 20 };

void hr_pixels_done(hr_pixels *pixels);
hirl_status hr_pixels_check(int64_t width, int64_t height);
hirl_status hr_pixels_size(hr_pixels *pixels, int64_t width,
                           int64_t height); /* LIMIT when too large */

typedef struct hr_data_config {
    char data[HR_KEY_TEXT_BYTES];
    char split[HR_KEY_TEXT_BYTES];
    int64_t max_images; /* 0: all */
    int64_t exif;
    int64_t generated_images, generated_test_images, generated_size, generated_seed;
} hr_data_config;
extern const hr_keys hr_data_keys;

/* what tells one data set from another of as many images */
typedef enum hr_told {
    HR_TOLD_NOT,       /* images of a callback: the host's own affair */
    HR_TOLD_BY_NAMES,  /* below the folder of their split, in order */
    HR_TOLD_BY_PIXELS, /* of 16 of them: stored without names */
    HR_TOLD_BY_LABELS, /* drawn ones: labels follow from the seed */
} hr_told;

/* a format: opened by a function of its own file, which fills the table */
typedef struct hr_source {
    void *state;
    hirl_status (*read)(hr_pixels *pixels, void *state, int64_t index); /* any thread */
    const char *(*name)(void *state, int64_t index);                    /* NULL: the number */
    void (*close)(void *state);
    hr_told told; /* by what it is told from another set */
} hr_source;

enum { HR_LABEL_LEVELS = 4, HR_PART_LIMIT = 8, HR_CLASS_LIMIT = 1 << 20, HR_SPLIT_NAMES = 5 };

/* a split that the data has */
typedef struct hr_part {
    char name[16];
    int64_t images;
    bool taken;
} hr_part;

typedef enum hr_holdout {
    HR_HOLDOUT_NONE,
    HR_HOLDOUT_BANK,    /* all but every tenth image */
    HR_HOLDOUT_QUERIES, /* every tenth image */
} hr_holdout;

struct hirl_dataset {
    hirl_context *context;
    hr_source source;
    const char *format;
    char split[64], splits[160], summary[512];
    int64_t count;
    int64_t *order; /* image i is number order[i] of the source; NULL: i */
    int32_t parts;  /* 0: the data has no splits */
    hr_part part[HR_PART_LIMIT];
    hr_holdout holdout;
    int32_t levels; /* label levels, fine first */
    int32_t classes[HR_LABEL_LEVELS];
    int32_t *label;                     /* [count] fine, NULL: none */
    int32_t *parent[HR_LABEL_LEVELS];   /* parent[l][class of level l] = class of level l+1 */
    char **class_name[HR_LABEL_LEVELS]; /* NULL: numbers */
    int64_t min_width, max_width, min_height, max_height;
    int64_t looked_at; /* images whose size was read; 0: sizes are of all */
    int64_t ignored;   /* files that are no images, and what lies beside the splits */
    _Atomic int64_t bad;
    uint8_t *unreadable;  /* [count] 1: found unreadable; kept in checkpoints */
    char *_Atomic number; /* [count][24] numbers as text, made on demand */
    _Atomic int32_t references;
};

/* path NULL: config->data */
hirl_status hr_dataset_open(hirl_dataset **dataset, hirl_context *context, const char *path,
                            const hr_data_config *config);
void hr_dataset_hold(hirl_dataset *dataset);
void hr_dataset_drop(hirl_dataset *dataset); /* NULL is fine */
hirl_status hr_dataset_read(hr_pixels *pixels, const hirl_dataset *dataset, int64_t index);
bool hr_is_bad_image(hirl_status status); /* of a read: the image's own fault, others may be fine */
int32_t hr_dataset_label(const hirl_dataset *dataset, int64_t index, int32_t level);
const char *hr_dataset_name(const hirl_dataset *dataset, int64_t index);

typedef struct hr_identity {
    hr_told told;
    uint32_t crc; /* CRC-32 of what tells it */
} hr_identity;
hirl_status hr_dataset_identify(hr_identity *identity, const hirl_dataset *dataset);

/* what a checkpoint knows: unreadable [count] 1 or 0 */
void hr_dataset_mark_all(hirl_dataset *dataset, const uint8_t *unreadable);
/* Image found unreadable: true when that is new. Of the thread that consumes batches. */
bool hr_dataset_mark(hirl_dataset *dataset, int64_t index);
bool hr_dataset_marked(const hirl_dataset *dataset, int64_t index); /* any thread */
/* FORMAT when more than max_bad of the images were found unreadable; index, reason: the last one when it
 * was found just now, else -1, "" */
hirl_status hr_dataset_check_bad(const hirl_dataset *dataset, double max_bad, int64_t index,
                                 const char *reason);

/* ---- for formats and for data that the host holds ---- */

hirl_status hr_dataset_new(hirl_dataset **dataset, hirl_context *context, const char *format);
/* after the format: selects images, prepares marks and summary; max_images 0: all */
hirl_status hr_dataset_finish(hirl_dataset *dataset, int64_t max_images);

hirl_status hr_dataset_add_part(hirl_dataset *dataset, const char *name, int64_t images);
/* the part of that name; NULL: none */
hr_part *hr_dataset_part(hirl_dataset *dataset, const char *name);
/* canonical split of a folder or file name ("train", "val", ...; NULL: it is none) */
const char *hr_split_name(const char *name, size_t length);
/* what `split` means in this data: marks parts taken, sets split, splits and holdout */
hirl_status hr_dataset_choose(hirl_dataset *dataset, const char *split);
void hr_dataset_set_size(hirl_dataset *dataset, int64_t width, int64_t height); /* of all images */
void hr_dataset_widen_size(hirl_dataset *dataset, int64_t width, int64_t height); /* one more */
/* class_name[level]: count empty places to fill with hr_strdup */
hirl_status hr_dataset_new_classes(hirl_dataset *dataset, int32_t level, int32_t count);
/* label [n] >= 0: their classes when no hierarchy.tsv named them, else checked against it */
hirl_status hr_dataset_check_labels(hirl_dataset *dataset, const int32_t *label, int64_t n);

#endif
