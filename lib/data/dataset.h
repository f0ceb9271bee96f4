/* dataset.h - a data set: where its images come from, their labels and their splits.
 *
 * Each format has an open function (formats.h). It finds the splits of the data, calls
 * hr_dataset_choose (split.h) to select those that the key `split` means, reads what is needed, and
 * fills source, count and labels. hr_dataset_finish then holds images out and reduces the set to
 * max_images, so that image i of the set is number order[i] of the source.
 */
#ifndef HR_DATASET_H
#define HR_DATASET_H

#include "base/option.h"
#include "context.h"
#include "data/role.h"
#include "types.h"

#include <hirl/dataset.h>

/* Pixels u8 RGB [height, width, 3] in a buffer that is reused from image to image and grows. */
typedef struct hr_pixels {
    uint8_t *data;
    size_t room;
    int32_t width, height;
    int64_t most; /* pixels that an image may have; 0: HR_IMAGE_PIXELS */
} hr_pixels;

/* Limits that protect against hostile files. They are checked before memory is allocated. */
enum { HR_IMAGE_SIDE = 65536, HR_IMAGE_PIXELS = 1 << 30, HR_IMAGE_BYTES = 1 << 30 };

void hr_pixels_done(hr_pixels *pixels);
/* FORMAT when a side is below 1, LIMIT when the image is too large. most: as in hr_pixels. */
hirl_status hr_pixels_check(int64_t width, int64_t height, int64_t most);
/* Checks the size and makes the buffer large enough for it. */
hirl_status hr_pixels_size(hr_pixels *pixels, int64_t width, int64_t height);
/* Copies pixels u8 [height, width, channels]; one channel becomes three equal ones. */
hirl_status hr_pixels_copy(hr_pixels *pixels, const uint8_t *from, int64_t width, int64_t height,
                           int32_t channels);

typedef struct hr_data_config {
    char data[HR_KEY_TEXT_BYTES];
    char split[HR_KEY_TEXT_BYTES];
    int64_t max_images; /* 0: all */
    int64_t exif, max_pixels;
    int64_t generated_kind; /* index of a choice: shapes, strokes */
    int64_t generated_images, generated_test_images, generated_size, generated_seed;
} hr_data_config;

/* How a data set is recognised among others with the same number of images. */
typedef enum hr_told {
    HR_TOLD_NOT,       /* not at all: a callback of the application provides the images */
    HR_TOLD_BY_NAMES,  /* by the file names below the folder of their split, in order */
    HR_TOLD_BY_PIXELS, /* by the pixels of 16 images: images stored without names */
    HR_TOLD_BY_LABELS, /* by the labels, which follow from the seed: generated images */
} hr_told;

/* The functions that read the images of a format. The open function of the format sets them. */
typedef struct hr_source {
    void *state;
    hirl_status (*read)(hr_pixels *pixels, void *state, int64_t index); /* any thread */
    const char *(*name)(void *state, int64_t index); /* NULL: images are named by number */
    void (*close)(void *state);
    hr_told told;
} hr_source;

enum { HR_LABEL_LEVELS = 4, HR_PART_LIMIT = 16, HR_CLASS_LIMIT = 1 << 20 };

enum { HR_PART_NAME = 48, HR_SPLIT_TEXT = 256 };

/* A split that the data has. */
typedef struct hr_part {
    char name[HR_PART_NAME];
    char *folder; /* path below the root of the data; NULL: images have no names */
    hr_role role; /* the one its name states */
    int64_t images;
    bool bare; /* its images have no labels, although others may have some */
    bool taken;
} hr_part;

typedef enum hr_holdout {
    HR_HOLDOUT_NONE,
    HR_HOLDOUT_BANK,    /* keeps all but every tenth image */
    HR_HOLDOUT_QUERIES, /* keeps every tenth image */
} hr_holdout;

struct hirl_dataset {
    hirl_context *context;
    hr_source source;
    /* hr_digest_of the file of an image; NULL: the images are no files */
    hirl_status (*digest)(int64_t *digest, void *state, int64_t index);
    const char *format;
    char split[HR_SPLIT_TEXT], splits[512], summary[1024];
    int64_t count;
    int64_t *order; /* [count] image i is number order[i] of the source; NULL: number i */
    int32_t parts;  /* 0: the data has no splits */
    hr_part part[HR_PART_LIMIT];
    hr_holdout holdout;
    int32_t levels; /* label levels; level 0 is the finest */
    int32_t classes[HR_LABEL_LEVELS];
    int32_t *label;                     /* [count] fine labels, -1: none; NULL: no labels */
    int32_t *parent[HR_LABEL_LEVELS];   /* parent[l][class of level l] = class of level l+1 */
    char **class_name[HR_LABEL_LEVELS]; /* NULL: classes are named by number */
    char **image_name; /* [count] names that the application gave; NULL: those of the source */
    int64_t min_width, max_width, min_height, max_height;
    int32_t exif;      /* photos are turned as their Exif tag states; -1: they are no files */
    int64_t looked_at; /* images whose size was read from the file; 0: the sizes hold for all */
    char left_out[HR_SPLIT_TEXT + 128]; /* files and folders that are not used; "": none */
    bool has_nothing;                   /* opening it failed because no image was found */
    _Atomic int64_t bad;                /* number of images found unreadable */
    uint8_t *unreadable;                /* [count] 1: found unreadable; stored in checkpoints */
    char *_Atomic number;               /* [count][24] numbers as text, created on demand */
    _Atomic int32_t references;
};

void hr_dataset_hold(hirl_dataset *dataset);
void hr_dataset_drop(hirl_dataset *dataset); /* ignores NULL */
/* The digest of the file of an image; UNSUPPORTED: it is no file. */
hirl_status hr_dataset_digest(int64_t *digest, const hirl_dataset *dataset, int64_t index);
hirl_status hr_dataset_read(hr_pixels *pixels, const hirl_dataset *dataset, int64_t index);
/* True when the status of a read concerns this image only, so that others may be readable. */
bool hr_is_bad_image(hirl_status status);
/* The label of an image at a level; -1: none. */
int32_t hr_dataset_label(const hirl_dataset *dataset, int64_t index, int32_t level);
const char *hr_dataset_name(const hirl_dataset *dataset, int64_t index);

/* Sets all marks from a checkpoint: unreadable [count] 1 or 0. */
void hr_dataset_mark_all(hirl_dataset *dataset, const uint8_t *unreadable);
/* Marks an image as unreadable; true when it was not marked before. Only the thread that consumes
 * batches calls this. */
bool hr_dataset_mark(hirl_dataset *dataset, int64_t index);
bool hr_dataset_marked(const hirl_dataset *dataset, int64_t index); /* any thread */
/* FORMAT when the share of unreadable images exceeds max_bad. Up to two of them are accepted in any
 * data set, unless max_bad is 0. For the message, `index` and `reason`
 * describe the unreadable image just found; -1 and "" when there is none. */
hirl_status hr_dataset_check_bad(const hirl_dataset *dataset, double max_bad, int64_t index,
                                 const char *reason);

/* ---- for formats, and for images that the application holds ---- */

hirl_status hr_dataset_new(hirl_dataset **dataset, hirl_context *context, const char *format);
/* Completes a data set after its source was set: selects at most max_images images (0: all), and
 * prepares the marks and the summary. */
hirl_status hr_dataset_finish(hirl_dataset *dataset, int64_t max_images);

/* Writes the summary anew. */
void hr_dataset_summarise(hirl_dataset *dataset);

/* Copies at most room - 1 bytes of a name that people read: '?' replaces all but printable ASCII.
 * */
void hr_plain_text(char *text, size_t room, const char *name, size_t length);
hirl_status hr_dataset_add_part(hirl_dataset *dataset, const char *name, int64_t images);
void hr_dataset_set_size(hirl_dataset *dataset, int64_t width, int64_t height); /* all images */
/* Extends the range of sizes by one image. */
void hr_dataset_widen_size(hirl_dataset *dataset, int64_t width, int64_t height);
/* Allocates class_name[level] with `count` empty entries, to be filled by hr_strdup. */
hirl_status hr_dataset_new_classes(hirl_dataset *dataset, int32_t level, int32_t count);
/* Checks labels [n] against the classes of hierarchy.tsv. Without that file there is one level,
 * with as many classes as the largest label requires. */
hirl_status hr_dataset_check_labels(hirl_dataset *dataset, const int32_t *label, int64_t n);

#endif
