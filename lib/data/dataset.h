/* dataset.h - where images come from, behind one table of functions per format. */
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

void hr_pixels_done(hr_pixels *pixels);
hirl_status hr_pixels_size(hr_pixels *pixels, int64_t width, int64_t height); /* LIMIT when too large */

typedef struct hr_data_config {
    char data[HR_KEY_TEXT_BYTES];
    char split[HR_KEY_TEXT_BYTES];
    int64_t max_images;   /* 0: all */
    int64_t exif;
    int64_t generated_images, generated_size;
    int64_t seed;
    /* and what else the formats need */
} hr_data_config;
extern const hr_keys hr_data_keys;

/* a format: opened by a function of its own file, which fills the table */
typedef struct hr_source {
    void *state;
    hirl_status (*read)(hr_pixels *pixels, void *state, int64_t index); /* any thread */
    const char *(*name)(void *state, int64_t index); /* NULL: the number */
    void (*close)(void *state);
} hr_source;

enum { HR_LABEL_LEVELS = 4 };

struct hirl_dataset {
    hirl_context *context;
    hr_source source;
    const char *format;
    char split[64], summary[512];
    int64_t count;
    int64_t *order;                       /* image i is number order[i] of the source; NULL: i */
    int32_t levels;                       /* label levels, fine first */
    int32_t classes[HR_LABEL_LEVELS];
    int32_t *label;                       /* [count] fine, NULL: none */
    int32_t *parent[HR_LABEL_LEVELS];     /* parent[l][class of level l] = class of level l+1 */
    char **class_name[HR_LABEL_LEVELS];
    int64_t min_width, max_width, min_height, max_height;
    _Atomic int64_t bad;
    uint8_t *unreadable;                  /* [count] 1: found unreadable; kept in checkpoints */
    _Atomic int32_t references;
};

hirl_status hr_dataset_open(hirl_dataset **dataset, hirl_context *context, const char *path,
                            const hr_data_config *config);
void hr_dataset_hold(hirl_dataset *dataset);
void hr_dataset_drop(hirl_dataset *dataset);
hirl_status hr_dataset_read(hr_pixels *pixels, const hirl_dataset *dataset, int64_t index);
int32_t hr_dataset_label(const hirl_dataset *dataset, int64_t index, int32_t level);

#endif
