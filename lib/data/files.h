/* files.h - a data set of encoded images: each is a file, or a piece of a file that holds many. */
#ifndef HR_DATA_FILES_H
#define HR_DATA_FILES_H

#include "data/dataset.h"
#include "data/image.h"
#include "data/text.h"
#include "types.h"

typedef struct hr_file_image {
    size_t name; /* offset in `text`: path of its file below the root, or its name in the holder */
    int32_t holder;     /* index of the file that holds it; -1: a file of its own */
    uint64_t at, bytes; /* place in the holder */
} hr_file_image;

typedef struct hr_files {
    char *root; /* "": names are paths of their own */
    hr_decoding how;
    hr_text text;
    hr_file_image *image;
    int64_t images, room;
    char **holder; /* paths of files that hold many images */
    int64_t holders, holder_room;
} hr_files;

/* Makes the images, none yet, the source of the data set, which owns them from now on. */
hirl_status hr_files_new(hr_files **files, hirl_dataset *dataset, const char *root,
                         const hr_data_config *config);
hirl_status hr_files_add(hr_files *files, const char *name);
/* The path of an image that is a file; freed with hr_free. NULL: out of memory. */
char *hr_files_path(const hr_files *files, int64_t index);
/* Adds a file that holds images. */
hirl_status hr_files_add_holder(hr_files *files, const char *path);
/* Adds an image that lies in the last holder. */
hirl_status hr_files_add_piece(hr_files *files, const char *name, uint64_t at, uint64_t bytes);
/* Sets the number of images, and their range of sizes from the headers of some of them. */
void hr_files_finish(hirl_dataset *dataset, const hr_files *files);

#endif
