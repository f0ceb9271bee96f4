/* walk.h - everything that lies in a folder and its subfolders, as one list of paths. */
#ifndef HR_DATA_WALK_H
#define HR_DATA_WALK_H

#include "context.h"
#include "data/text.h"
#include "types.h"

typedef enum hr_found_kind {
    HR_FOUND_IMAGE,
    HR_FOUND_OTHER,  /* another file, a pipe, a link that leads nowhere */
    HR_FOUND_EMPTY,  /* a folder in which nothing was found; its path ends in '/' */
    HR_FOUND_CLOSED, /* a folder that cannot be listed; its path ends in '/' */
} hr_found_kind;

typedef struct hr_found {
    size_t path; /* offset in `text` of the path below the root */
    hr_found_kind kind;
} hr_found;

typedef struct hr_walk {
    hirl_context *context; /* its log takes notes */
    const char *root;
    hr_found *found; /* each folder is one block; its entries are in bytewise order of names */
    int64_t count, room;
    hr_text text;
} hr_walk;

/* Lists the folder `root`. Hidden entries, the folders of runs, those that systems make for
 * themselves, and links that lead to a folder above are left out. */
hirl_status hr_walk_open(hr_walk *walk, hirl_context *context, const char *root);
void hr_walk_done(hr_walk *walk);
const char *hr_walk_path(const hr_walk *walk, int64_t index);
/* Fails as listing this folder of the kind HR_FOUND_CLOSED did. */
hirl_status hr_walk_fail(const hr_walk *walk, int64_t index);
/* True when the name of a file is that of an image. */
bool hr_is_image_name(const char *file);

#endif
