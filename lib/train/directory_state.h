/* directory_state.h - the open directory of a run. */
#ifndef HR_DIRECTORY_STATE_H
#define HR_DIRECTORY_STATE_H

#include "types.h"

enum { HR_DIRECTORY_FOLDERS = 2 };

typedef struct hr_directory {
    char *path;   /* NULL: no directory, every call below does nothing */
    int32_t rank; /* of a distributed run: rank 0 writes, the others only read */
    int lock;   /* held while open */
    bool made, made_lock, made_folder[HR_DIRECTORY_FOLDERS]; /* were not there before */
    bool written;                                            /* a file of the run */
    bool goes_on;      /* resume was asked for, and there is a checkpoint to go on from */
    bool has_settings; /* a run's config.yaml is there: overwrite may begin anew */
} hr_directory;

/* there is a directory, and this rank writes to it; otherwise the calls that write do nothing */
static inline bool hr_directory_writes(const hr_directory *directory)
{
    return directory->path && !directory->rank;
}

#endif
